package sh.fazt.link;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * So much each second, with a burst. Whoever takes more than there is leaves a debt, so that what passes is
 * right over time whatever its pieces. Thread-safe.
 */
final class TokenBucket {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier nanos;
    private long perSecond;
    private long burst;
    private double level;
    private long last;

    TokenBucket(LongSupplier nanos, long perSecond, long burst) {
        this.nanos = nanos;
        this.perSecond = perSecond;
        this.burst = burst;
        this.level = burst;
        this.last = nanos.getAsLong();
    }

    /** Another rate from now on. */
    synchronized void rate(long newPerSecond, long newBurst) {
        fill();
        perSecond = newPerSecond;
        burst = newBurst;
        level = Math.min(level, newBurst);
    }

    /** Nanoseconds until something may pass; 0 is now. */
    synchronized long delayNanos() {
        fill();
        return level > 0 ? 0 : (long) ((1 - level) * SECOND / perSecond) + 1;
    }

    /** Passes so much, allowed or not. */
    synchronized void take(long amount) {
        fill();
        level -= amount;
    }

    private void fill() {
        long now = nanos.getAsLong();
        level = Math.min(burst, level + (double) (now - last) * perSecond / SECOND);
        last = now;
    }
}
