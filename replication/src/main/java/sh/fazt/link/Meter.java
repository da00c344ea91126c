package sh.fazt.link;

import java.util.concurrent.atomic.LongAdder;

/** What all metered links together have carried on this day (UTC). Thread-safe. */
final class Meter {
    private static final long DAY_MILLIS = 86_400_000;

    private final LongAdder today = new LongAdder();
    private volatile long day;

    Meter(long wallMillis) {
        this.day = wallMillis / DAY_MILLIS;
    }

    /** Days since 1970. */
    long day() {
        return day;
    }

    void add(long bytes) {
        today.add(bytes);
    }

    long today() {
        return today.sum();
    }

    /** True once when a day has begun. */
    boolean turned(long wallMillis) {
        long now = wallMillis / DAY_MILLIS;
        if (now == day) {
            return false;
        }
        day = now;
        today.reset();
        return true;
    }
}
