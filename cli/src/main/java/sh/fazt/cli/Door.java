package sh.fazt.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** The way into the node's code for what needs no running node. By name, as the command imports nothing of it. */
final class Door {
    private Door() {}

    /** Calls the public static {@code run} of a class, and throws what it throws. */
    static @Nullable Object run(String type, Object... arguments) throws Exception {
        for (Method method : Class.forName(type).getMethods()) {
            if (method.getName().equals("run")) {
                try {
                    return method.invoke(null, arguments);
                } catch (InvocationTargetException e) {
                    if (e.getCause() instanceof Exception cause) {
                        throw cause;
                    }
                    throw e;
                }
            }
        }
        throw new NoSuchMethodException(type + ".run");
    }
}
