package sh.fazt.cartridge.change;

import java.util.Comparator;

/**
 * Which transaction wrote a row version, and when. The order, by clock and then by origin, is the tie-break
 * of concurrent versions and nothing else: vectors decide what is concurrent. Immutable.
 *
 * @param origin   whose history
 * @param sequence the transaction in it, 1 or more
 * @param hlc      its clock
 */
public record Stamp(Origin origin, long sequence, Hlc hlc) implements Comparable<Stamp> {
    private static final Comparator<Stamp> ORDER =
            Comparator.comparing(Stamp::hlc).thenComparing(Stamp::origin).thenComparingLong(Stamp::sequence);

    @Override
    public int compareTo(Stamp other) {
        return ORDER.compare(this, other);
    }

    /** Origin, a colon, the sequence. */
    @Override
    public String toString() {
        return origin + ":" + sequence;
    }

    /** Whether a vector has seen the version that a stamp's text names; false where the text names none. */
    public static boolean isSeen(String text, VersionVector vector) {
        int colon = text.lastIndexOf(':');
        String sequence = text.substring(colon + 1);
        return colon > 0
                && sequence.matches("[0-9]{1,18}")
                && vector.entries().entrySet().stream()
                        .anyMatch(entry -> entry.getKey().toString().equals(text.substring(0, colon))
                                && entry.getValue() >= Long.parseLong(sequence));
    }
}
