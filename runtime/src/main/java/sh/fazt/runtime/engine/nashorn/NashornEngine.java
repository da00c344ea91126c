package sh.fazt.runtime.engine.nashorn;

import java.io.PrintWriter;
import java.io.Writer;
import org.openjdk.nashorn.internal.runtime.Context;
import org.openjdk.nashorn.internal.runtime.options.Options;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.engine.RealmHost;
import sh.fazt.runtime.engine.ScriptEngine;

/**
 * One Nashorn context for all apps: realms share compiled code, never objects. Thread-safe.
 *
 * <p>Made through the context, not through {@code javax.script}: an engine object in reach of a script is a way out.
 */
public final class NashornEngine implements ScriptEngine {
    private final Context context;
    private final Prelude prelude;

    public NashornEngine() {
        Options options = new Options("nashorn");
        options.process(new String[] {
            "--language=es6",
            "--no-java",
            "--no-syntax-extensions",
            "--loader-per-compile=true",
            "--optimistic-types=false",
            "--class-cache-size=200"
        });
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        context =
                new Context(options, new Context.ThrowErrorManager(), nowhere, nowhere, new NoClasses(), name -> false);
        prelude = new Prelude();
        // The first global makes the context specialise code for it; the second ends that for good. Better now.
        context.createGlobal();
        context.createGlobal();
        // Makes sure that the hooks that are only reached by certain scripts have been seen before any script runs.
        touch("org.openjdk.nashorn.internal.runtime.regexp.RegExpFactory");
        touch("org.openjdk.nashorn.internal.runtime.ConsString");
        touch("org.openjdk.nashorn.internal.runtime.ScriptLoader");
        touch("org.openjdk.nashorn.internal.runtime.linker.NashornBeansLinker");
        touch("org.openjdk.nashorn.api.scripting.NashornException");
    }

    private static void touch(String name) {
        try {
            Class.forName(name, false, NashornEngine.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("nashorn has changed: " + name + " is missing", e);
        }
    }

    @Override
    public Realm open(RealmHost host) {
        return new NashornRealm(context, prelude, host);
    }

    /** What scripts could load by name, if they had a way to name it. */
    private static final class NoClasses extends ClassLoader {
        NoClasses() {
            super(null);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            throw new ClassNotFoundException(name);
        }
    }
}
