package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.NativeJSON;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.Property;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.Symbol;
import org.openjdk.nashorn.internal.runtime.arrays.ArrayData;
import sh.fazt.runtime.engine.nashorn.Shapes.Plan;
import sh.fazt.runtime.sandbox.Meter;

/**
 * Writes plain objects and arrays as JSON, faster than the engine. Whatever is unusual ({@code toJSON}, accessors,
 * dates, cycles, great depth) makes the engine's own writer write the whole again, so that the outcome is the same.
 * Used once.
 */
final class JsonWriter {
    private static final int DEEPEST = 200;

    /** This value is not for the fast way. */
    private static final class Unusual extends RuntimeException {
        private static final Unusual INSTANCE = new Unusual();

        private Unusual() {
            super(null, null, false, false);
        }
    }

    private char[] chars = new char[512];
    private int end;
    private final Shapes shapes;

    private JsonWriter(Shapes shapes) {
        this.shapes = shapes;
    }

    /** As {@code JSON.stringify}: undefined for what JSON has no word for. */
    static Object write(Object value, Shapes shapes) {
        if (!shapes.hasToJson()) {
            try {
                JsonWriter writer = new JsonWriter(shapes);
                return writer.value(value, 0) ? new String(writer.chars, 0, writer.end) : UNDEFINED;
            } catch (Unusual e) {
                // The engine writes it again.
            }
        }
        return NativeJSON.stringify(UNDEFINED, value, UNDEFINED, UNDEFINED);
    }

    /** False if there is no word for it; then nothing has been written. */
    private boolean value(@Nullable Object value, int depth) {
        if (value == null) {
            put("null");
        } else if (value instanceof String text) {
            quote(text);
        } else if (value instanceof Integer number) {
            put(Integer.toString(number));
        } else if (value instanceof Boolean || value instanceof Double) {
            boolean finite = !(value instanceof Double number) || (!number.isNaN() && !number.isInfinite());
            put(finite ? JSType.toString(value) : "null");
        } else if (value instanceof ScriptObject object) {
            if (object instanceof ScriptFunction) {
                return refuseOrSkip(object);
            }
            object(object, depth);
        } else if (value == UNDEFINED || value instanceof Symbol) {
            return false;
        } else if (JSType.isString(value)) {
            quote(value.toString());
        } else {
            throw Unusual.INSTANCE;
        }
        return true;
    }

    private static boolean refuseOrSkip(ScriptObject function) {
        if (function.has("toJSON")) {
            throw Unusual.INSTANCE;
        }
        return false;
    }

    private void object(ScriptObject object, int depth) {
        Meter.poll();
        if (depth > DEEPEST) {
            throw Unusual.INSTANCE;
        }
        if (object.isArray()) {
            array(object, depth);
            return;
        }
        if (object.getClassName().equals("Date")) {
            put(String.valueOf(NativeJSON.stringify(UNDEFINED, object, UNDEFINED, UNDEFINED)));
            return;
        }
        if (!shapes.isPlain(object) && (!shapes.isRecord(object) || object.has("toJSON"))) {
            throw Unusual.INSTANCE;
        }
        Plan plan = shapes.plan(object);
        if (plan == Plan.NONE) {
            throw Unusual.INSTANCE;
        }
        put('{');
        boolean first = true;
        for (int i = 0; i < plan.keys.length; i++) {
            int before = end;
            if (!first) {
                put(',');
            }
            if (plan.keys[i].equals("toJSON")) {
                throw Unusual.INSTANCE;
            }
            quote(plan.keys[i]);
            put(':');
            Property property = plan.properties[i];
            if (value(property.getObjectValue(object, object), depth + 1)) {
                first = false;
            } else {
                end = before;
            }
        }
        put('}');
    }

    private void array(ScriptObject array, int depth) {
        if (!shapes.isPlainArray(array)) {
            throw Unusual.INSTANCE;
        }
        ArrayData data = array.getArray();
        long length = data.length();
        put('[');
        for (int i = 0; i < length; i++) {
            if (i > 0) {
                put(',');
            }
            if ((i & 1023) == 1023) {
                Meter.poll();
            }
            if (!data.has(i)) {
                throw Unusual.INSTANCE;
            }
            if (!value(data.getObject(i), depth + 1)) {
                put("null");
            }
        }
        put(']');
    }

    private void quote(String text) {
        int length = text.length();
        room(length + 2);
        chars[end++] = '"';
        text.getChars(0, length, chars, end);
        int stop = end + length;
        for (int i = end; i < stop; i++) {
            char c = chars[i];
            if (c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c)) {
                escape(text, i - end);
                chars[end++] = '"';
                return;
            }
        }
        end = stop;
        chars[end++] = '"';
    }

    /** Writes the text again, of which the first characters are fine; leaves room for the quote. */
    private void escape(String text, int fine) {
        end += fine;
        for (int i = fine; i < text.length(); i++) {
            char c = text.charAt(i);
            room(text.length() - i + 8);
            switch (c) {
                case '"', '\\' -> escape(c);
                case '\b' -> escape('b');
                case '\f' -> escape('f');
                case '\n' -> escape('n');
                case '\r' -> escape('r');
                case '\t' -> escape('t');
                default -> {
                    boolean pair = Character.isHighSurrogate(c)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
                    if (pair) {
                        chars[end++] = c;
                        chars[end++] = text.charAt(++i);
                    } else if (c < ' ' || Character.isSurrogate(c)) {
                        // Control characters, and halves of surrogate pairs as ES2019 has it.
                        escape('u');
                        for (int shift = 12; shift >= 0; shift -= 4) {
                            chars[end++] = Character.forDigit((c >> shift) & 15, 16);
                        }
                    } else {
                        chars[end++] = c;
                    }
                }
            }
        }
    }

    private void escape(char letter) {
        chars[end++] = '\\';
        chars[end++] = letter;
    }

    private void put(char c) {
        room(1);
        chars[end++] = c;
    }

    private void put(String text) {
        room(text.length());
        text.getChars(0, text.length(), chars, end);
        end += text.length();
    }

    private void room(int more) {
        if (chars.length - end < more) {
            int size = Math.max(chars.length * 2, end + more);
            Meter.length(size >> 1);
            Meter.reserve(size, 2);
            chars = Arrays.copyOf(chars, size);
        }
    }
}
