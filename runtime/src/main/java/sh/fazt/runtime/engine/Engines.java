package sh.fazt.runtime.engine;

import java.lang.reflect.InvocationTargetException;
import sh.fazt.runtime.sandbox.SandboxLoader;

/** Starts the engine. */
public final class Engines {
    private static final String NASHORN = "sh.fazt.runtime.engine.nashorn.NashornEngine";

    private Engines() {}

    /**
     * Nashorn, instrumented. Takes a second of CPU when the JVM is cold.
     *
     * @throws IllegalStateException if the instrumentation did not find all its places: then no script may run
     */
    public static ScriptEngine start() {
        SandboxLoader loader = new SandboxLoader(Engines.class.getClassLoader());
        try {
            ScriptEngine engine = Class.forName(NASHORN, true, loader)
                    .asSubclass(ScriptEngine.class)
                    .getConstructor()
                    .newInstance();
            if (!loader.sites().complete()) {
                throw new IllegalStateException("the script engine is not the one that the sandbox was made for: "
                        + loader.sites() + "; use nashorn-core 15.7");
            }
            return engine;
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("the script engine did not start: " + e.getCause(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the script engine is not on the class path", e);
        }
    }
}
