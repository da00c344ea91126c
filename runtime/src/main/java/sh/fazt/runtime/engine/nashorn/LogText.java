package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;

import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.ScriptRuntime;

/** Values as text for people. Stateless. */
final class LogText {
    private static final int LONGEST = 16 << 10;

    private LogText() {}

    /** The arguments of one {@code console} call, joined by spaces. */
    static String join(Object[] arguments, ScriptFunction format) {
        StringBuilder line = new StringBuilder();
        for (Object argument : arguments) {
            if (line.length() > 0) {
                line.append(' ');
            }
            line.append(
                    JSType.isString(argument) ? argument.toString() : ScriptRuntime.apply(format, UNDEFINED, argument));
            if (line.length() > LONGEST) {
                line.setLength(LONGEST);
                return line.append("… (cut)").toString();
            }
        }
        return line.toString();
    }

    /** Something that was thrown, in one line. */
    static String line(Object thrown) {
        String text = thrown instanceof ScriptObject object && object.has("message")
                ? ECMAException.safeToString(object)
                : "thrown: " + ScriptRuntime.safeToString(thrown);
        String line = text.replaceAll("\\s*\\n\\s*", " ");
        return line.length() > 2_000 ? line.substring(0, 2_000) + "…" : line;
    }
}
