package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.NativeRegExp;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptObject;

/** What the prelude asks about regular expressions. Stateless. */
final class RegExpFunctions {
    private static final MethodHandle EXPRESSION;

    static {
        try {
            Method method = NativeRegExp.class.getDeclaredMethod("getRegExp");
            method.setAccessible(true);
            EXPRESSION = MethodHandles.lookup().unreflect(method);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private RegExpFunctions() {}

    static void install(ScriptObject hooks) {
        define(
                hooks,
                "regExp",
                (self, arguments) ->
                        NativeRegExp.newRegExp(JSType.toString(arguments[0]), JSType.toString(arguments[1])));
        define(hooks, "flags", (self, arguments) -> {
            JsRegExp expression = expression(arguments[0]);
            return expression == null ? UNDEFINED : expression.flags();
        });
        // The names of groups as alternating names and numbers, or undefined when there are none.
        define(hooks, "names", (self, arguments) -> {
            JsRegExp expression = expression(arguments[0]);
            if (expression == null || expression.names().isEmpty()) {
                return UNDEFINED;
            }
            ScriptObject names = HostFunctions.object();
            for (Map.Entry<String, Integer> name : expression.names().entrySet()) {
                names.set(name.getKey(), name.getValue().intValue(), 0);
            }
            return names;
        });
    }

    private static @Nullable JsRegExp expression(Object value) {
        if (!(value instanceof NativeRegExp regExp)) {
            return null;
        }
        try {
            return (JsRegExp) EXPRESSION.invoke(regExp);
        } catch (Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
