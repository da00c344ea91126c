package sh.fazt.membership;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * The swarm as this node sees it. Immutable.
 *
 * @param self   this node, as it presents itself
 * @param others every other admitted member, in the order of their ids
 * @param at     when it was taken, by this node's clock
 */
public record MembersSnapshot(Member self, List<Seen> others, MembershipCounters counters, Instant at) {
    public MembersSnapshot {
        others = List.copyOf(others);
    }

    /**
     * Another member.
     *
     * @param lastHeard when a message last came from it, or null when never
     * @param linked    whether there is a link to it now
     * @param roundTrip the link's last measured round trip, or null
     */
    public record Seen(
            Member member,
            @Nullable Instant lastHeard,
            boolean linked,
            @Nullable Duration roundTrip) {}

    /** The other member of this id. */
    public Optional<Seen> other(NodeId id) {
        return others.stream().filter(seen -> seen.member().id().equals(id)).findFirst();
    }

    /** The state of this id, this node included; empty when it is not a member. */
    public Optional<MemberState> state(NodeId id) {
        return id.equals(self.id())
                ? Optional.of(self.state())
                : other(id).map(seen -> seen.member().state());
    }

    /** The ids of the others that are believed to answer. */
    public List<NodeId> alive() {
        return others.stream()
                .map(Seen::member)
                .filter(member -> member.state() == MemberState.ALIVE)
                .map(Member::id)
                .toList();
    }
}
