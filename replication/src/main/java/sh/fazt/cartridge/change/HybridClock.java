package sh.fazt.cartridge.change;

import java.time.Instant;
import java.time.InstantSource;

/**
 * Stamps writes: never behind the corrected wall clock, always above what the writer knows. So a write that knows
 * another always has the higher stamp, however wrong the wall clock is. What is known counts by scope: stamps are
 * compared within one only, and an app whose writes come from the future must not take the others along.
 * Thread-safe.
 */
public final class HybridClock {
    private final InstantSource wall;
    private volatile long correctionMillis;

    public HybridClock(InstantSource wall) {
        this.wall = wall;
    }

    /** The stamp of a write whose scope has seen none above {@code highest}. */
    public Hlc after(Hlc highest) {
        Hlc now = Hlc.of(Math.max(0, now().toEpochMilli()), 0);
        return now.compareTo(highest) > 0 ? now : new Hlc(highest.value() + 1);
    }

    /** The wall clock as it would be if it were right, as far as the peers know. */
    public Instant now() {
        return wall.instant().plusMillis(correctionMillis);
    }

    /** What to add to the wall clock, as measured against the peers; see replication.md section 4, Clocks. */
    public void correct(long millis) {
        correctionMillis = millis;
    }
}
