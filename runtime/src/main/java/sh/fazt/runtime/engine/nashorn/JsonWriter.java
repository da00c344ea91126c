package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;

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

    private final StringBuilder out = new StringBuilder(256);
    private final Shapes shapes;

    private JsonWriter(Shapes shapes) {
        this.shapes = shapes;
    }

    /** As {@code JSON.stringify}: undefined for what JSON has no word for. */
    static Object write(Object value, Shapes shapes) {
        if (!shapes.hasToJson()) {
            try {
                JsonWriter writer = new JsonWriter(shapes);
                return writer.value(value, 0) ? writer.out.toString() : UNDEFINED;
            } catch (Unusual e) {
                // The engine writes it again.
            }
        }
        return NativeJSON.stringify(UNDEFINED, value, UNDEFINED, UNDEFINED);
    }

    /** False if there is no word for it; then nothing has been written. */
    private boolean value(@Nullable Object value, int depth) {
        if (value == null) {
            out.append("null");
        } else if (value instanceof String text) {
            quote(text);
        } else if (value instanceof Integer number) {
            out.append(number.intValue());
        } else if (value instanceof Boolean || value instanceof Double) {
            boolean finite = !(value instanceof Double number) || (!number.isNaN() && !number.isInfinite());
            out.append(finite ? JSType.toString(value) : "null");
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
        Meter.length(out.length());
        if (depth > DEEPEST) {
            throw Unusual.INSTANCE;
        }
        if (object.isArray()) {
            array(object, depth);
            return;
        }
        if (object.getClassName().equals("Date")) {
            out.append(NativeJSON.stringify(UNDEFINED, object, UNDEFINED, UNDEFINED));
            return;
        }
        if (!shapes.isPlain(object) && (!shapes.isRecord(object) || object.has("toJSON"))) {
            throw Unusual.INSTANCE;
        }
        Plan plan = shapes.plan(object);
        if (plan == Plan.NONE) {
            throw Unusual.INSTANCE;
        }
        out.append('{');
        boolean first = true;
        for (int i = 0; i < plan.keys.length; i++) {
            int before = out.length();
            if (!first) {
                out.append(',');
            }
            if (plan.keys[i].equals("toJSON")) {
                throw Unusual.INSTANCE;
            }
            quote(plan.keys[i]);
            out.append(':');
            Property property = plan.properties[i];
            if (value(property.getObjectValue(object, object), depth + 1)) {
                first = false;
            } else {
                out.setLength(before);
            }
        }
        out.append('}');
    }

    private void array(ScriptObject array, int depth) {
        if (!shapes.isPlainArray(array)) {
            throw Unusual.INSTANCE;
        }
        ArrayData data = array.getArray();
        long length = data.length();
        out.append('[');
        for (int i = 0; i < length; i++) {
            if (i > 0) {
                out.append(',');
            }
            if ((i & 1023) == 1023) {
                Meter.poll();
                Meter.length(out.length());
            }
            if (!data.has(i)) {
                throw Unusual.INSTANCE;
            }
            if (!value(data.getObject(i), depth + 1)) {
                out.append("null");
            }
        }
        out.append(']');
    }

    private void quote(String text) {
        out.append('"');
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\' && !Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            out.append(text, from, i);
            from = i + 1;
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    // Control characters, and halves of surrogate pairs as ES2019 has it.
                    out.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        out.append(Character.forDigit((c >> shift) & 15, 16));
                    }
                }
            }
        }
        out.append(text, from, text.length()).append('"');
    }
}
