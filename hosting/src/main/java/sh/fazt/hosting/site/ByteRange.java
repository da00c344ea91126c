package sh.fazt.hosting.site;

import org.jspecify.annotations.Nullable;

/** One range of a file, as RFC 9110 section 14 has it. Immutable. */
public record ByteRange(long from, long length) {
    /** The range can't be satisfied: 416. */
    public static final ByteRange UNSATISFIABLE = new ByteRange(0, -1);

    /**
     * Reads a Range header. Null when the whole is to be sent: no such header, another unit, several ranges, or
     * a malformed one, all of which a server may ignore.
     */
    public static @Nullable ByteRange parse(@Nullable String header, long size) {
        if (header == null || !header.startsWith("bytes=") || header.indexOf(',') >= 0) {
            return null;
        }
        String range = header.substring(6).strip();
        int dash = range.indexOf('-');
        if (dash < 0) {
            return null;
        }
        try {
            if (dash == 0) {
                long suffix = Long.parseUnsignedLong(range.substring(1));
                if (suffix == 0 || size == 0) {
                    return UNSATISFIABLE;
                }
                long length = suffix < 0 || suffix > size ? size : suffix;
                return new ByteRange(size - length, length);
            }
            long from = Long.parseUnsignedLong(range.substring(0, dash));
            String end = range.substring(dash + 1);
            long to = end.isEmpty() ? size - 1 : Long.parseUnsignedLong(end);
            if (!end.isEmpty() && Long.compareUnsigned(to, from) < 0) {
                return null;
            }
            if (from < 0 || from >= size) {
                return UNSATISFIABLE;
            }
            return new ByteRange(from, (to < 0 || to >= size ? size - 1 : to) - from + 1);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
