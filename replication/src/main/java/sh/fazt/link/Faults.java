package sh.fazt.link;

import java.util.concurrent.TimeUnit;

/**
 * Counts what one peer did against the rules, and says when it is time to name it: at most once a minute for each
 * kind, as it may go on for ever. Thread-safe: one short lock.
 */
final class Faults {
    private static final long NAMED_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final long[] counts = new long[Fault.values().length];
    private final long[] named = new long[counts.length];

    /** Counts one; answers how many there were when it is time to name the peer for it, else 0. */
    synchronized long count(Fault kind, long nanos) {
        int at = kind.ordinal();
        counts[at]++;
        if (counts[at] > 1 && nanos - named[at] < NAMED_NANOS) {
            return 0;
        }
        named[at] = nanos;
        return counts[at];
    }

    /** How often it sent faster than was taken. */
    synchronized long floods() {
        return counts[Fault.FLOOD.ordinal()];
    }

    /** How often it did what no member does. */
    synchronized long offences() {
        long sum = 0;
        for (Fault kind : Fault.values()) {
            sum += kind == Fault.FLOOD ? 0 : counts[kind.ordinal()];
        }
        return sum;
    }
}
