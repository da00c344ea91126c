package sh.fazt.blob;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Hashes all stored chunks again, one after another, once a week: what nobody reads rots unseen, and is missed on the day
 * when it is the last copy. Goes on where it was when the node starts again. Confined to one turn at a time.
 */
public final class Scrub {
    static final Duration PASS = Duration.ofDays(7);

    /** Of one turn, so that with one a minute the disk is asked for a megabyte a second at most. */
    static final long MOST_BYTES = 60L << 20;

    /** What was not done while the machine slept, or was busy, is not made up for at once. */
    private static final double MOST_DUE = 1000;

    private final Damage damage;
    private final LongSupplier nanos;
    private long lastTurn;
    private double due;
    private long position = -1;

    public Scrub(Blobs blobs, LongSupplier nanos) {
        this.damage = blobs.damage();
        this.nanos = nanos;
        this.lastTurn = nanos.getAsLong();
    }

    /** Examines what is due by now; to be called about once a minute. Blocking. */
    public void turn() {
        long now = nanos.getAsLong();
        due = Math.min(MOST_DUE, due + (damage.last() + 1) * ((double) (now - lastTurn) / PASS.toNanos()));
        lastTurn = now;
        if (due < 1) {
            return;
        }
        if (position < 0) {
            position = damage.position();
        }
        for (long bytes = 0; due >= 1 && bytes < MOST_BYTES; due--) {
            Optional<Damage.Stored> next = damage.next(position);
            // First, so that what can't be read is not tried for ever.
            position = next.map(Damage.Stored::id).orElse(0L);
            if (next.isPresent()) {
                bytes += damage.examine(next.get().hash());
            } else {
                damage.takeOutBroken();
            }
        }
        damage.position(position);
    }
}
