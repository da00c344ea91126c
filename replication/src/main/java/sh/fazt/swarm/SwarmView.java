package sh.fazt.swarm;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the swarm looks from one node. Immutable.
 *
 * @param leader null while none is known
 * @param quorum whether members and names can be changed from here
 * @param configVersion of what is agreed, as known here; grows with each change
 * @param schemaLevel   that the swarm has agreed on; 0 while nothing is agreed
 * @param fenced        that this node's group was given up, its cartridge restored or its release too old, and what to
 *     do; or empty
 */
public record SwarmView(
        Named swarm,
        Named self,
        @Nullable Named leader,
        boolean quorum,
        List<Member> members,
        long configVersion,
        int schemaLevel,
        String fenced) {
    public SwarmView {
        members = List.copyOf(members);
    }

    /** That this node was fenced, restored or is too old, or else what the number of voters is not good for; empty when there is nothing. */
    public String warning() {
        if (!fenced.isEmpty()) {
            return fenced;
        }
        long voters = members.stream()
                .filter(member -> !member.role().equals("observer"))
                .count();
        if (voters == 2) {
            return "2 voters need each other: while one is away, members and aliases can't be changed, and when one is"
                    + " lost for good, only \"fazt swarm recover --force\" lets the other decide. A third makes up for"
                    + " the loss of one";
        }
        return voters % 2 == 0 && voters > 0
                ? voters + " voters do without " + (voters / 2 - 1) + " of them, no more than " + (voters - 1) + " do"
                : "";
    }

    /** An id and what people call it. */
    public record Named(String id, String name) {}

    /**
     * One member. Immutable.
     *
     * @param role      {@code leader}, {@code voter} or {@code observer}; {@code joining} until a voter votes
     * @param state     {@code alive, suspect, dead, left} or {@code away}
     * @param address   where it can be dialled; empty when nowhere
     * @param roundTrip null for this node itself and before the first measurement
     * @param sinceHeard how long ago a message last came from it; null for this node itself and when none ever did
     * @param behind    transactions that it lacks of what is here; null when unknown
     * @param behindBytes about how many bytes those are
     * @param problem   why it can't be linked before somebody sees to it; empty when there is nothing of the kind
     * @param schemaLevel of the release that it runs, by its own word
     */
    public record Member(
            Named node,
            String role,
            String state,
            String address,
            @Nullable Duration roundTrip,
            @Nullable Duration sinceHeard,
            @Nullable Long behind,
            long behindBytes,
            String problem,
            int schemaLevel) {}
}
