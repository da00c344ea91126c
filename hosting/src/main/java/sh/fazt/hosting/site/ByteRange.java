package sh.fazt.hosting.site;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One range of a file, as RFC 9110 section 14 has it. Immutable. */
public record ByteRange(long from, long length) {
    /** The range can't be satisfied: 416. */
    public static final ByteRange UNSATISFIABLE = new ByteRange(0, -1);

    private static final String UNIT = "bytes=";

    /**
     * Reads a Range header. Null when the whole is to be sent: no such header, another unit, several ranges, or
     * a malformed one, all of which a server may ignore.
     */
    public static @Nullable ByteRange parse(@Nullable String header, long size) {
        if (header == null
                || header.length() <= UNIT.length()
                || !header.substring(0, UNIT.length()).toLowerCase(Locale.ROOT).equals(UNIT)) {
            return null;
        }
        String range = header.substring(UNIT.length()).strip();
        int dash = range.indexOf('-');
        if (dash < 0) {
            return null;
        }
        long first = number(range, 0, dash);
        long last = number(range, dash + 1, range.length());
        if (first == MALFORMED || last == MALFORMED || first == NONE && last == NONE) {
            return null;
        }
        if (first == NONE) {
            long length = Math.min(last, size);
            return length == 0 ? UNSATISFIABLE : new ByteRange(size - length, length);
        }
        if (last != NONE && last < first) {
            return null;
        }
        if (first >= size) {
            return UNSATISFIABLE;
        }
        return new ByteRange(first, (last == NONE || last >= size ? size - 1 : last) - first + 1);
    }

    private static final long NONE = -1;
    private static final long MALFORMED = -2;

    /** A decimal number, as large as a long holds; files are smaller than that. */
    private static long number(String text, int from, int to) {
        if (from == to) {
            return NONE;
        }
        long number = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return MALFORMED;
            }
            number = number > (Long.MAX_VALUE - digit) / 10 ? Long.MAX_VALUE : number * 10 + digit;
        }
        return number;
    }
}
