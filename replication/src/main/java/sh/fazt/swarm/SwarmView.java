package sh.fazt.swarm;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the swarm looks from one node. Immutable.
 *
 * @param leader null while none is known
 * @param quorum whether members and names can be changed from here
 */
public record SwarmView(Named swarm, Named self, @Nullable Named leader, boolean quorum, List<Member> members) {
    public SwarmView {
        members = List.copyOf(members);
    }

    /** An id and what people call it. */
    public record Named(String id, String name) {}

    /**
     * One member. Immutable.
     *
     * @param role      {@code leader} or {@code voter}; {@code joining} until it votes
     * @param state     {@code alive, suspect, dead, left} or {@code away}
     * @param address   where it can be dialled; empty when nowhere
     * @param roundTrip null for this node itself and before the first measurement
     * @param behind    transactions that it lacks of what is here; null when unknown
     * @param behindBytes about how many bytes those are
     */
    public record Member(
            Named node,
            String role,
            String state,
            String address,
            @Nullable Duration roundTrip,
            @Nullable Long behind,
            long behindBytes) {}
}
