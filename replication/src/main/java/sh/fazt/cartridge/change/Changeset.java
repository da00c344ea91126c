package sh.fazt.cartridge.change;

/**
 * The rows of one transaction as they travel: what {@code push} carries, unchanged and under its true origin
 * however often it is forwarded. The rows stay encoded until a cartridge applies them. Immutable; the bytes
 * are shared and must not be written.
 *
 * @param dot  the transaction
 * @param hlc  its stamp: every row of it has the same
 * @param deps the origin's vector of the scope just before the commit
 * @param rows the rows, encoded by the cartridge's row codec; small blobs may travel with them
 */
public record Changeset(Dot dot, Hlc hlc, VersionVector deps, byte[] rows) {
    /** The stamp that each of its rows has. */
    public Stamp stamp() {
        return new Stamp(dot.origin(), dot.sequence(), hlc);
    }

    /** Reads the rows. @throws IllegalArgumentException when they are damaged */
    public RowCodec.Contents contents() {
        return RowCodec.read(rows, stamp());
    }
}
