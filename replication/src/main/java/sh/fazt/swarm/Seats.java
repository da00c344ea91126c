package sh.fazt.swarm;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * The voters' seats as the leader sees them, and who takes one next: one that is free since its voter was evicted or
 * left, or that of a voter which has been silent for long. One change at a time, only while
 * a majority answers, and none that would cost it should the newcomer fail at once. Nothing is done against what the owner chose: whom it made an
 * observer does not wait, and how many seats there are it says by promoting and demoting. Immutable.
 *
 * @param wanted   how many seats there are
 * @param voters   members that vote by their records
 * @param group    who is in the Raft group
 * @param silent   how long each of both has not answered; who answers is not in it
 * @param waiting  members that can take a seat, the first in turn first
 * @param patience how long a voter may be silent
 */
record Seats(
        int wanted,
        Set<NodeId> voters,
        Set<NodeId> group,
        Map<NodeId, Duration> silent,
        List<NodeId> waiting,
        Duration patience) {
    /** So many members vote unless their owner says otherwise: they do without one of them. */
    static final int BY_POLICY = 3;

    Seats {
        voters = Set.copyOf(voters);
        group = Set.copyOf(group);
        silent = Map.copyOf(silent);
        waiting = List.copyOf(waiting);
    }

    /** One change of the voters. */
    sealed interface Change {
        /** The member that votes from now on. */
        NodeId takes();

        /** A seat is free. */
        record Fill(NodeId takes) implements Change {}

        /** A voter makes room. */
        record Replace(NodeId silent, NodeId takes) implements Change {}
    }

    /** How many seats are agreed on. */
    static int wanted(SwarmRecord swarm) {
        return swarm.getSeats() == 0 ? BY_POLICY : swarm.getSeats();
    }

    /** The swarm's record once so many vote as one more does: there are never fewer seats than voters. */
    static byte[] taken(SwarmRecord swarm, int voters) {
        return voters <= wanted(swarm) ? swarm.toByteArray() : left(swarm, voters);
    }

    /** The swarm's record once its owner left so many seats. */
    static byte[] left(SwarmRecord swarm, int seats) {
        return swarm.toBuilder().setSeats(seats).build().toByteArray();
    }

    /** What to change next, if anything. */
    Optional<Change> next() {
        if (waiting.isEmpty() || changes() || answering() <= group.size() / 2) {
            return Optional.empty();
        }
        NodeId first = waiting.get(0);
        if (isShort() && holds(group.size())) {
            return Optional.of(new Change.Fill(first));
        }
        return voters.stream()
                .filter(this::isGone)
                .max(Comparator.comparing(this::silence).thenComparing(Comparator.naturalOrder()))
                .filter(gone -> holds(group.size() - (group.contains(gone) ? 1 : 0)))
                .map(gone -> new Change.Replace(gone, first));
    }

    /** Whether somebody is about to be taken out, or to be added. */
    private boolean changes() {
        return !voters.containsAll(group)
                || voters.stream().anyMatch(voter -> !group.contains(voter) && !isGone(voter));
    }

    /** Whether seats are free, and filling them does not end with an even number: that does without no more than one less. */
    private boolean isShort() {
        int votes = voters.size();
        return votes < wanted && (votes % 2 == 0 || votes + 2 <= wanted && waiting.size() >= 2);
    }

    /**
     * Whether a group of that size goes on with those who answer now when one is added that fails at once. One alone
     * can't have that: each group begins so.
     */
    private boolean holds(int size) {
        return size <= 1 || answering() > (size + 1) / 2;
    }

    private long answering() {
        return group.stream().filter(voter -> !silent.containsKey(voter)).count();
    }

    private boolean isGone(NodeId voter) {
        return silence(voter).compareTo(patience) >= 0;
    }

    private Duration silence(NodeId voter) {
        return silent.getOrDefault(voter, Duration.ZERO);
    }
}
