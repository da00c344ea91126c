package sh.fazt.runtime.engine.nashorn;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.Context;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.Property;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.ScriptRuntime;
import org.openjdk.nashorn.internal.runtime.Undefined;
import sh.fazt.runtime.sandbox.Kill;
import sh.fazt.runtime.sandbox.Meter;

/**
 * Makes functions of scripts out of Java code: real function objects, behind which no Java object is in reach. Whatever
 * the code throws arrives in the script as an {@code Error}. Stateless.
 */
final class HostFunctions {
    static final Object UNDEFINED = Undefined.getUndefined();
    private static final MethodHandle CALL;

    /** The code of one function. */
    @FunctionalInterface
    interface Code {
        @Nullable
        Object call(Object self, Object[] arguments);
    }

    static {
        try {
            CALL = MethodHandles.lookup()
                    .findStatic(
                            HostFunctions.class,
                            "call",
                            MethodType.methodType(Object.class, Code.class, Object.class, Object[].class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private HostFunctions() {}

    /** A function; the realm's global must be the current one. */
    static ScriptFunction function(String name, Code code) {
        return ScriptFunction.createBuiltin(name, CALL.bindTo(code));
    }

    /** Adds a function to an object, as the language's own are: not enumerable. */
    static void define(ScriptObject target, String name, Code code) {
        define(target, name, function(name, code));
    }

    static void define(ScriptObject target, String name, Object value) {
        if (target.hasOwnProperty(name)) {
            target.set(name, value, 0);
        } else {
            target.addOwnProperty(name, Property.NOT_ENUMERABLE, value);
        }
    }

    @SuppressWarnings("unused") // through CALL
    private static @Nullable Object call(Code code, Object self, Object... arguments) {
        try {
            return code.call(self, arguments);
        } catch (ECMAException | Kill | StackOverflowError e) {
            throw e;
        } catch (OutOfMemoryError e) {
            throw Meter.current().stop(Meter.Stop.MEMORY);
        } catch (RuntimeException e) {
            throw error(String.valueOf(e.getMessage()), "internal");
        }
    }

    /** An error that a script can catch. */
    static ECMAException error(String message, String code) {
        ScriptObject error = global().newError(message);
        error.set("code", code, 0);
        return new ECMAException(error, null);
    }

    static ECMAException typeError(String message) {
        return new ECMAException(global().newTypeError(message), null);
    }

    static Global global() {
        return Context.getGlobal();
    }

    static Object argument(Object[] arguments, int index) {
        return index < arguments.length ? arguments[index] : UNDEFINED;
    }

    static boolean isNothing(Object value) {
        return value == UNDEFINED || value == null;
    }

    static ScriptObject object() {
        return Global.newEmptyInstance();
    }

    static Object apply(ScriptFunction function, Object... arguments) {
        return ScriptRuntime.apply(function, UNDEFINED, arguments);
    }
}
