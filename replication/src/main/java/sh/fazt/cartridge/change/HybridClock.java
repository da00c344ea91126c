package sh.fazt.cartridge.change;

import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stamps writes: never behind the wall clock, never behind anything seen, never the same twice. So a write
 * that knows another always has the higher stamp, however wrong the wall clock is. Thread-safe: one atomic.
 */
public final class HybridClock {
    private final InstantSource wall;
    private final AtomicLong last;
    private final AtomicLong correctionMillis = new AtomicLong();

    /** Goes on after {@code last}, the highest stamp that the cartridge has. */
    public HybridClock(InstantSource wall, Hlc last) {
        this.wall = wall;
        this.last = new AtomicLong(last.value());
    }

    /** A stamp above all that were given or seen. */
    public Hlc next() {
        long now =
                Hlc.of(Math.max(0, wall.millis() + correctionMillis.get()), 0).value();
        return new Hlc(last.updateAndGet(previous -> Long.compareUnsigned(now, previous) > 0 ? now : previous + 1));
    }

    /** Takes note of a stamp that came from a peer. */
    public void observe(Hlc seen) {
        last.accumulateAndGet(seen.value(), (a, b) -> Long.compareUnsigned(a, b) >= 0 ? a : b);
    }

    /** What to add to the wall clock, as measured against the peers; see replication.md section 4, Clocks. */
    public void correct(long millis) {
        correctionMillis.set(millis);
    }

    /** The highest stamp that was given or seen. */
    public Hlc last() {
        return new Hlc(last.get());
    }
}
