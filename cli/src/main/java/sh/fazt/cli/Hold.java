package sh.fazt.cli;

import java.time.Duration;

/**
 * A lease as its holder counts it: from before it asked, and by two clocks, since the one stands still while the machine
 * sleeps and the other may be set; whichever says that more time has passed is believed. It ends for its holder before
 * the swarm gives it to another. Immutable.
 *
 * @param token  the fencing token
 * @param ttl    what the swarm lets it last at least
 * @param nanos  of the clock that nobody sets, before it was asked for
 * @param millis of the date, then
 */
record Hold(long token, Duration ttl, long nanos, long millis) {
    /** The same lease after a renewal that was asked for then. */
    Hold renewed(long nowNanos, long nowMillis) {
        return new Hold(token, ttl, nowNanos, nowMillis);
    }

    /** How old it may be. */
    Duration age(long nowNanos, long nowMillis) {
        return Duration.ofMillis(Math.max((nowNanos - nanos) / 1_000_000, nowMillis - millis));
    }

    /** From when on it should be renewed: twice more may fail. */
    Duration renewal() {
        return ttl.dividedBy(3);
    }

    /** From when on its command is told to end. */
    Duration warning() {
        return ttl.multipliedBy(7).dividedBy(10);
    }

    /** When its command must have ended; the rest is for clocks that do not go alike. */
    Duration end() {
        return ttl.multipliedBy(9).dividedBy(10);
    }

    /** How long a command may go on that is told to end. */
    Duration grace() {
        return ttl.dividedBy(5);
    }

    /** When a command must have ended that is told so at an age. */
    Duration graceEnd(Duration age) {
        Duration grace = age.plus(grace());
        return grace.compareTo(end()) < 0 ? grace : end();
    }
}
