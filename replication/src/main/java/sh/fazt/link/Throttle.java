package sh.fazt.link;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What may go to one peer: a rate, its own budget for the day, and, where it is metered, its part of the budget that
 * all metered links share. Control and Raft always pass and count all the same. Thread-safe.
 */
final class Throttle {
    /** How far the rate may be exceeded for a moment, in seconds of it. */
    private static final double BURST = 0.25;
    /** How soon a used up budget is looked at again. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final GrpcLinks links;
    private final LongAdder today = new LongAdder();
    private @Nullable TokenBucket bucket;
    private volatile @Nullable Long rate;
    private volatile boolean metered;
    private volatile @Nullable Long budget;

    Throttle(GrpcLinks links) {
        this.links = links;
    }

    /** What holds from now on. */
    synchronized void set(@Nullable Long bytesPerSecond, boolean isMetered, @Nullable Long perDay) {
        metered = isMetered;
        budget = perDay;
        rate = bytesPerSecond;
        if (bytesPerSecond == null) {
            bucket = null;
        } else {
            long burst = Math.max(Wire.MAX_BODY, (long) (bytesPerSecond * BURST));
            TokenBucket now = bucket;
            if (now == null) {
                bucket = new TokenBucket(links::nanos, bytesPerSecond, burst);
            } else {
                now.rate(bytesPerSecond, burst);
            }
        }
    }

    /** How long bulk has to wait; 0 is not at all. */
    long delayNanos() {
        if (isSpent()) {
            return LOOK_NANOS;
        }
        TokenBucket now;
        synchronized (this) {
            now = bucket;
        }
        return now == null ? 0 : now.delayNanos();
    }

    /** So much went or came. */
    void spent(int bytes, boolean out) {
        if (out) {
            TokenBucket now;
            synchronized (this) {
                now = bucket;
            }
            if (now != null) {
                now.take(bytes);
            }
        }
        // Nobody asks for the rest, and what is counted has to outlive the process.
        if (metered || budget != null) {
            today.add(bytes);
        }
        if (metered) {
            links.meter().add(bytes);
        }
    }

    /** Whether the budget of the day is used up. */
    boolean isSpent() {
        Long left = left();
        return left != null && left <= 0;
    }

    /** Bytes of the day's budgets that are left, the tighter one; null without one. */
    @Nullable
    Long left() {
        Long own = budget;
        Long all = metered ? links.settings().budget() : null;
        Long ownLeft = own == null ? null : Long.valueOf(own - today.sum());
        Long allLeft = all == null ? null : Long.valueOf(all - links.meter().today());
        if (ownLeft == null || allLeft == null) {
            return ownLeft == null ? allLeft : ownLeft;
        }
        return Math.min(ownLeft, allLeft);
    }

    @Nullable
    Long rate() {
        return rate;
    }

    /** A new day. */
    void restart(long already) {
        today.reset();
        today.add(already);
    }

    long today() {
        return today.sum();
    }
}
