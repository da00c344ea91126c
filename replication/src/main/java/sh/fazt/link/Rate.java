package sh.fazt.link;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Bytes in all, and each second over the last few. {@link #tick} is confined to one thread; the rest is thread-safe. */
final class Rate {
    private static final double SECONDS = 5;

    private final LongAdder total = new LongAdder();
    private long lastTotal;
    private long lastNanos;
    private volatile double perSecond;

    void add(long bytes) {
        total.add(bytes);
    }

    long total() {
        return total.sum();
    }

    long perSecond() {
        return Math.round(perSecond);
    }

    void tick(long nanos) {
        long now = total.sum();
        double seconds = (nanos - lastNanos) / (double) TimeUnit.SECONDS.toNanos(1);
        if (lastNanos != 0 && seconds > 0) {
            double weight = Math.min(1, seconds / SECONDS);
            perSecond = perSecond * (1 - weight) + (now - lastTotal) / seconds * weight;
        }
        lastTotal = now;
        lastNanos = nanos;
    }
}
