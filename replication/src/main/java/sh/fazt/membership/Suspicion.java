package sh.fazt.membership;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import sh.fazt.identity.NodeId;

/** How long a suspect still has: less, the more members found it unreachable on their own (Lifeguard). */
final class Suspicion {
    private final Set<NodeId> accusers;
    private final long minNanos;
    private final long maxNanos;
    private final int confirmations;
    private long sinceNanos;

    /** @param confirmations how many beyond the first accuser bring the time down to the minimum; 0: at once */
    Suspicion(long nowNanos, List<NodeId> accusers, long minNanos, long maxNanos, int confirmations) {
        this.sinceNanos = nowNanos;
        this.accusers = new LinkedHashSet<>(accusers);
        this.minNanos = minNanos;
        this.maxNanos = maxNanos;
        this.confirmations = confirmations;
    }

    List<NodeId> accusers() {
        return List.copyOf(accusers);
    }

    boolean isConfirmed() {
        return accusers.size() > confirmations;
    }

    /** Counts one more accuser; false when it was known, or enough are. */
    boolean confirm(NodeId accuser) {
        return !isConfirmed() && accusers.add(accuser);
    }

    long deadlineNanos() {
        if (accusers.isEmpty()) {
            // Nobody accused it: it has not been heard since it was admitted.
            return sinceNanos + maxNanos;
        }
        int confirmed = accusers.size() - 1;
        if (confirmed >= confirmations) {
            return sinceNanos + minNanos;
        }
        double share = Math.log(confirmed + 1.0) / Math.log(confirmations + 1.0);
        return sinceNanos + Math.max(minNanos, (long) (maxNanos - (maxNanos - minNanos) * share));
    }

    /** This node stood still for so long: the suspect could not be heard. */
    void shift(long nanos) {
        sinceNanos += nanos;
    }
}
