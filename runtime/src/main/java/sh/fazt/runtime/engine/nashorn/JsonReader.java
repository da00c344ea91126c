package sh.fazt.runtime.engine.nashorn;

import java.util.Arrays;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.JSONFunctions;
import sh.fazt.runtime.engine.nashorn.Shapes.Shape;
import sh.fazt.runtime.sandbox.Meter;

/**
 * Reads JSON into objects of known shapes, several times as fast as the engine's own reader. Whatever is unusual (an
 * error, keys that are numbers or come twice, great depth) is left to that one, so that the outcome is the same.
 * Used once.
 */
final class JsonReader {
    private static final int DEEPEST = 200;
    private static final int MOST_KEYS = 100;

    /** This text is not for the fast way. */
    private static final class Unusual extends RuntimeException {
        private static final Unusual INSTANCE = new Unusual();

        private Unusual() {
            super(null, null, false, false);
        }
    }

    private final String text;
    /** The same: an array is read faster than a string. */
    private final char[] chars;

    private final Shapes shapes;
    private int at;

    private JsonReader(String text, Shapes shapes) {
        this.text = text;
        this.chars = text.toCharArray();
        this.shapes = shapes;
    }

    /** As {@code JSON.parse}; throws the engine's SyntaxError. */
    static Object read(String text, Shapes shapes) {
        JsonReader reader = new JsonReader(text, shapes);
        try {
            Object value = reader.value(0);
            reader.skipSpace();
            if (reader.at == text.length()) {
                return value;
            }
        } catch (Unusual e) {
            // The engine reads it again.
        }
        return JSONFunctions.parse(text, HostFunctions.UNDEFINED);
    }

    private void skipSpace() {
        while (at < chars.length) {
            char c = chars[at];
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return;
            }
            at++;
        }
    }

    private char next() {
        skipSpace();
        if (at >= chars.length) {
            throw Unusual.INSTANCE;
        }
        return chars[at];
    }

    private Object value(int depth) {
        Meter.poll();
        if (depth > DEEPEST) {
            throw Unusual.INSTANCE;
        }
        char c = next();
        switch (c) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                word("null", Boolean.TRUE);
                return nothing();
            default:
                return number(c);
        }
    }

    @SuppressWarnings("NullAway") // the engine's null is Java's
    private static Object nothing() {
        return null;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw Unusual.INSTANCE;
        }
        at += word.length();
        return value;
    }

    private Object number(char first) {
        int start = at;
        boolean negative = first == '-';
        int i = negative ? start + 1 : start;
        int digits = i;
        int whole = 0;
        while (i < chars.length && chars[i] >= '0' && chars[i] <= '9') {
            whole = i - digits < 9 ? whole * 10 + chars[i] - '0' : whole;
            i++;
        }
        int count = i - digits;
        if (count == 0 || (count > 1 && chars[digits] == '0')) {
            throw Unusual.INSTANCE;
        }
        char after = i < chars.length ? chars[i] : ' ';
        if (after != '.' && after != 'e' && after != 'E' && count <= 9 && !(negative && whole == 0)) {
            at = i;
            return negative ? -whole : whole;
        }
        if (after == '.') {
            int fraction = ++i;
            i = skipDigits(i);
            if (i == fraction) {
                throw Unusual.INSTANCE;
            }
            after = i < chars.length ? chars[i] : ' ';
        }
        if (after == 'e' || after == 'E') {
            i++;
            if (i < chars.length && (chars[i] == '+' || chars[i] == '-')) {
                i++;
            }
            int exponent = i;
            i = skipDigits(i);
            if (i == exponent) {
                throw Unusual.INSTANCE;
            }
        }
        at = i;
        double value = Double.parseDouble(text.substring(start, i));
        int rounded = (int) value;
        return rounded == value && (rounded != 0 || 1 / value > 0) ? (Object) rounded : (Object) value;
    }

    private int skipDigits(int from) {
        int i = from;
        while (i < chars.length && chars[i] >= '0' && chars[i] <= '9') {
            i++;
        }
        return i;
    }

    private String string() {
        int start = ++at;
        for (int i = start; i < chars.length; i++) {
            char c = chars[i];
            if (c == '"') {
                at = i + 1;
                return text.substring(start, i);
            }
            if (c == '\\') {
                return escaped(start, i);
            }
            if (c < ' ') {
                throw Unusual.INSTANCE;
            }
        }
        throw Unusual.INSTANCE;
    }

    private String escaped(int start, int from) {
        StringBuilder out = new StringBuilder(chars.length - start > 256 ? 256 : 32);
        out.append(chars, start, from - start);
        int i = from;
        while (i < chars.length) {
            char c = chars[i++];
            if (c == '"') {
                at = i;
                return out.toString();
            }
            if (c < ' ') {
                throw Unusual.INSTANCE;
            }
            if (c != '\\') {
                out.append(c);
                continue;
            }
            if (i >= chars.length) {
                throw Unusual.INSTANCE;
            }
            switch (chars[i++]) {
                case '"' -> out.append('"');
                case '\\' -> out.append('\\');
                case '/' -> out.append('/');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'u' -> {
                    if (i + 4 > chars.length) {
                        throw Unusual.INSTANCE;
                    }
                    int unit = 0;
                    for (int j = 0; j < 4; j++) {
                        int digit = Character.digit(chars[i + j], 16);
                        if (digit < 0 || chars[i + j] > 'f') {
                            throw Unusual.INSTANCE;
                        }
                        unit = unit * 16 + digit;
                    }
                    out.append((char) unit);
                    i += 4;
                }
                default -> throw Unusual.INSTANCE;
            }
        }
        throw Unusual.INSTANCE;
    }

    private Object object(int depth) {
        at++;
        Shape shape = shapes.empty();
        Object[] values = new Object[8];
        if (next() == '}') {
            at++;
            return shapes.make(shape, values);
        }
        while (true) {
            if (next() != '"') {
                throw Unusual.INSTANCE;
            }
            String key = key(shape);
            char first = key.isEmpty() ? ' ' : key.charAt(0);
            if ((first >= '0' && first <= '9') || shape.size() >= MOST_KEYS || shapes.has(shape, key)) {
                throw Unusual.INSTANCE;
            }
            if (next() != ':') {
                throw Unusual.INSTANCE;
            }
            at++;
            Object value = value(depth + 1);
            if (shape.size() == values.length) {
                values = Arrays.copyOf(values, values.length * 2);
            }
            values[shape.size()] = value;
            shape = shapes.with(shape, key);
            char after = next();
            at++;
            if (after == '}') {
                return shapes.make(shape, values);
            }
            if (after != ',') {
                throw Unusual.INSTANCE;
            }
        }
    }

    /** Most objects have the keys of the one before: then nothing has to be copied. */
    private String key(Shape shape) {
        String likely = shape.likelyKey();
        int end = at + 1 + likely.length();
        if (!likely.isEmpty() && end < chars.length && chars[end] == '"' && text.startsWith(likely, at + 1)) {
            at = end + 1;
            return likely;
        }
        return string();
    }

    private Object array(int depth) {
        at++;
        if (next() == ']') {
            at++;
            return Global.allocate(new Object[0]);
        }
        Object[] items = new Object[8];
        int count = 0;
        boolean whole = true;
        while (true) {
            Object item = value(depth + 1);
            whole &= item instanceof Integer;
            if (count == items.length) {
                Meter.reserve(count * 2, 4);
                items = Arrays.copyOf(items, count * 2);
            }
            items[count++] = item;
            char after = next();
            at++;
            if (after == ']') {
                return whole ? numbers(items, count) : Global.allocate(Arrays.copyOf(items, count));
            }
            if (after != ',') {
                throw Unusual.INSTANCE;
            }
        }
    }

    private static Object numbers(Object[] items, int count) {
        int[] numbers = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (Integer) items[i];
        }
        return Global.allocate(numbers);
    }
}
