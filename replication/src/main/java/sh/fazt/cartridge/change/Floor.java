package sh.fazt.cartridge.change;

/**
 * Below what tombstones of a scope may be gone from a replica. Whoever lacks one of them is told all rows: a row that
 * it has and the sender has not, though the sender has seen it, was deleted. Immutable.
 *
 * @param below the dots of the tombstones that were removed are among these
 * @param hlc   none of them had a greater clock
 */
public record Floor(VersionVector below, Hlc hlc) {
    /** No tombstone is gone. */
    public static final Floor NONE = new Floor(VersionVector.EMPTY, Hlc.ZERO);

    /** Whether there is none. */
    public boolean isNone() {
        return below.isEmpty();
    }

    /** Whether somebody has not seen all these tombstones. */
    public boolean lacks(VersionVector seen) {
        return !seen.covers(below);
    }
}
