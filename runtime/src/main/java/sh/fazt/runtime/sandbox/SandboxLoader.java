package sh.fazt.runtime.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Loads Nashorn and the classes of ours that touch it, instrumented by {@link Instrumenter}; everything else comes from
 * the parent. The same classes may exist there too: nobody uses those.
 *
 * <p>Thread-safe as every parallel-capable class loader.
 */
public final class SandboxLoader extends ClassLoader {
    private static final String NASHORN = "org.openjdk.nashorn.";
    private static final List<String> OWN = List.of(NASHORN, "sh.fazt.runtime.engine.nashorn.");

    static {
        registerAsParallelCapable();
    }

    private final Instrumenter instrumenter = new Instrumenter();

    public SandboxLoader(ClassLoader parent) {
        super("fazt-scripts", parent);
    }

    /** What has been changed so far; the engine refuses to start when something is missing. */
    public Instrumenter.Sites sites() {
        return instrumenter.sites();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (OWN.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded == null) {
                loaded = define(name);
            }
            if (resolve) {
                resolveClass(loaded);
            }
            return loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] original;
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            original = in.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
        byte[] bytes = name.startsWith(NASHORN) ? instrumenter.engineClass(name, original) : original;
        return defineClass(name, bytes, 0, bytes.length);
    }
}
