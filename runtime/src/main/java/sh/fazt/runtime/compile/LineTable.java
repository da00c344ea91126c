package sh.fazt.runtime.compile;

import java.util.Arrays;

/**
 * Which line of the original a line of the compiled code came from. Made from the {@code mappings} of a source map
 * (revision 3): the compiler prints one statement on a line, so the first mapping of a line is its statement's.
 * Immutable.
 */
final class LineTable {
    private static final String DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    private final int[] lines;

    private LineTable(int[] lines) {
        this.lines = lines;
    }

    /**
     * @param map the source map, as JSON
     * @param headLines lines of the compiled source before the original begins
     * @param originalLines how many lines the original has
     */
    static LineTable of(String map, int headLines, int originalLines) {
        String key = "\"mappings\":\"";
        int start = map.indexOf(key);
        if (start < 0) {
            throw new IllegalStateException("the compiler wrote a source map without mappings");
        }
        String mappings = map.substring(start + key.length(), map.indexOf('"', start + key.length()));
        int[] lines = new int[64];
        int count = 0;
        int source = 0;
        int line = 0;
        boolean first = true;
        int at = 0;
        int[] field = new int[2];
        while (at <= mappings.length()) {
            char c = at < mappings.length() ? mappings.charAt(at) : ';';
            if (c == ';') {
                if (++count == lines.length) {
                    lines = Arrays.copyOf(lines, count * 2);
                }
                first = true;
                at++;
                continue;
            }
            if (c == ',') {
                at++;
                continue;
            }
            // A segment: column, source, line, column, name; all but the first column may be missing.
            for (int i = 0; at < mappings.length() && mappings.charAt(at) != ',' && mappings.charAt(at) != ';'; i++) {
                number(mappings, at, field);
                at = field[1];
                if (i == 1) {
                    source += field[0];
                } else if (i == 2) {
                    line += field[0];
                    int original = line + 1 - headLines;
                    if (first && source == 0 && original >= 1) {
                        lines[count] = Math.min(original, originalLines);
                        first = false;
                    }
                }
            }
        }
        return new LineTable(Arrays.copyOf(lines, count));
    }

    /** A number in base 64, variable in length; into {@code field}: the value and where it ends. */
    private static void number(String text, int from, int[] field) {
        int value = 0;
        int shift = 0;
        int at = from;
        int digit;
        do {
            digit = DIGITS.indexOf(text.charAt(at++));
            value |= (digit & 31) << shift;
            shift += 5;
        } while ((digit & 32) != 0);
        field[0] = (value & 1) == 0 ? value >> 1 : -(value >> 1);
        field[1] = at;
    }

    /** Lines count from 1; 0 when the line belongs to no line of the original. */
    int originalLine(int line) {
        return line < 1 || line > lines.length ? 0 : lines[line - 1];
    }

    int size() {
        return lines.length;
    }
}
