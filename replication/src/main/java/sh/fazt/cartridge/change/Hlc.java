package sh.fazt.cartridge.change;

/**
 * A hybrid logical clock stamp in 64 bits: 48 of Unix milliseconds, 16 of counter. Compared as a number.
 * After Kulkarni et al., "Logical Physical Clocks", 2014. Immutable.
 */
public record Hlc(long value) implements Comparable<Hlc> {
    public static final Hlc ZERO = new Hlc(0);

    public static Hlc of(long unixMillis, int counter) {
        return new Hlc((unixMillis << 16) | (counter & 0xffff));
    }

    public long unixMillis() {
        return value >>> 16;
    }

    public int counter() {
        return (int) (value & 0xffff);
    }

    @Override
    public int compareTo(Hlc other) {
        return Long.compareUnsigned(value, other.value);
    }
}
