package sh.fazt.runtime.module;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import sh.fazt.runtime.Problem;
import sh.fazt.runtime.SourceTree;
import sh.fazt.runtime.compile.Compilation;
import sh.fazt.runtime.compile.CompiledScript;
import sh.fazt.runtime.compile.ScriptCompiler;
import sh.fazt.runtime.compile.ScriptCompiler.Kind;

/** The files of one release as modules. Thread-safe: compiled files are kept, the rest is stateless. */
public final class Modules {
    /** What a name stands for. */
    public sealed interface Module {
        /** Path in the bundle. */
        String path();

        /** A script. */
        record Script(String path, CompiledScript compiled) implements Module {}

        /** A JSON file; its text has not been parsed. */
        record Json(String path, String text) implements Module {}

        /** There is no such thing; the message says what was looked for. */
        record Missing(String path, String message) implements Module {}

        /** It does not compile. */
        record Broken(String path, List<Problem> problems) implements Module {}
    }

    private static final String ROOT = "api/";

    private final SourceTree sources;
    private final ScriptCompiler compiler;
    private final Map<String, Module> known = new ConcurrentHashMap<>();

    public Modules(SourceTree sources, ScriptCompiler compiler) {
        this.sources = sources;
        this.compiler = compiler;
    }

    /** The file that answers requests. */
    public Module entry() {
        return known.computeIfAbsent(SourceTree.ENTRY, path -> load(path, Kind.ENTRY));
    }

    /** What {@code require(name)} in the file {@code from} stands for. */
    public Module resolve(String from, String name) {
        boolean relative = name.startsWith("./") || name.startsWith("../");
        Optional<String> base = relative ? join(parent(from), name) : join("api", name);
        if (base.isEmpty()) {
            return new Module.Missing(
                    name, "cannot require '" + name + "' from " + from + ": it leaves the folder api/");
        }
        String path = base.get();
        List<String> tried = new ArrayList<>();
        for (String candidate : List.of(path, path + ".js", path + ".json", path + "/index.js")) {
            if (candidate.equals(ROOT) || candidate.endsWith("/")) {
                continue;
            }
            Module cached = known.get("module " + candidate);
            if (cached == null && sources.text(candidate).isPresent()) {
                cached = known.computeIfAbsent("module " + candidate, key -> load(candidate, Kind.MODULE));
            }
            if (cached != null) {
                return cached;
            }
            tried.add(candidate);
        }
        String hint =
                relative ? "" : "; there are no packages here: put the file below api/ and write './" + name + "'";
        return new Module.Missing(
                path,
                "cannot require '" + name + "' from " + from + ": none of " + String.join(", ", tried) + " exists"
                        + hint);
    }

    private Module load(String path, Kind kind) {
        Optional<String> text = sources.text(path);
        if (text.isEmpty()) {
            return new Module.Missing(path, path + " does not exist in this release");
        }
        if (path.endsWith(".json")) {
            return new Module.Json(path, text.get());
        }
        Compilation compilation = compiler.compile(path, text.get(), kind);
        if (compilation instanceof Compilation.Rejected rejected) {
            return new Module.Broken(path, rejected.problems());
        }
        return new Module.Script(path, ((Compilation.Done) compilation).script());
    }

    private static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    private static Optional<String> join(String folder, String name) {
        Deque<String> parts = new ArrayDeque<>(List.of(folder.split("/", -1)));
        for (String part : name.split("/", -1)) {
            if (part.equals("..")) {
                if (parts.size() <= 1) {
                    return Optional.empty();
                }
                parts.removeLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return Optional.of(String.join("/", parts));
    }
}
