package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.apply;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.argument;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.api.scripting.NashornException;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.objects.NativeJSON;
import org.openjdk.nashorn.internal.runtime.Context;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.JSONFunctions;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ParserException;
import org.openjdk.nashorn.internal.runtime.Property;
import org.openjdk.nashorn.internal.runtime.PropertyMap;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.ScriptRuntime;
import org.openjdk.nashorn.internal.runtime.Source;
import sh.fazt.runtime.Problem;
import sh.fazt.runtime.Request;
import sh.fazt.runtime.Result;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.runtime.SourceTree;
import sh.fazt.runtime.binding.AppLog;
import sh.fazt.runtime.compile.CompiledScript;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.engine.RealmHost;
import sh.fazt.runtime.loop.Timers;
import sh.fazt.runtime.module.Modules.Module;
import sh.fazt.runtime.sandbox.Kill;
import sh.fazt.runtime.sandbox.Meter;

/**
 * A global scope for one release. The entry is a function that is called anew for each request, so that what it
 * declares belongs to the request; modules are evaluated once per realm. Used by one thread at a time.
 */
final class NashornRealm implements Realm {
    private static final ThreadLocal<@Nullable NashornRealm> CURRENT = new ThreadLocal<>();
    /** Clearing the global scope over and over makes it slow: after so often a fresh realm is better. */
    private static final int MOST_CLEANINGS = 200;

    /** Globals of the engine that lead out, or that scripts are not to have. */
    private static final List<String> REMOVED = List.of(
            "print",
            "println",
            "load",
            "loadWithNewGlobal",
            "exit",
            "quit",
            "eval",
            "JSAdapter",
            "Java",
            "Packages",
            "java",
            "javax",
            "javafx",
            "com",
            "edu",
            "org",
            "JavaImporter",
            "__FILE__",
            "__DIR__",
            "__LINE__",
            "arguments",
            "readLine",
            "readFully",
            "echo",
            "$ARG",
            "$ENV",
            "$EXEC",
            "$OPTIONS",
            "$OUT",
            "$ERR",
            "$EXIT",
            "__noSuchProperty__",
            "engine",
            "context");

    private final Context context;
    private final RealmHost host;
    private final Global global;
    private final Timers timers = new Timers(System::nanoTime);
    private final Map<String, CompiledScript> scripts = new HashMap<>();
    private final Map<String, Object> modules = new HashMap<>();
    private final ScriptObject hooks;
    private final Shapes shapes;
    private final Requests requests;
    private final Replies replies;
    private final AppFunctions app;
    private final ScriptFunction drain;
    private final ScriptFunction track;
    private final ScriptFunction reset;
    private final ScriptFunction format;
    private final Set<Object> globals = new HashSet<>();
    private PropertyMap cleanMap;
    private int cleanings;
    private boolean jobs;
    private boolean hadJobs;
    private boolean spent;
    private @Nullable ScriptFunction entry;
    private @Nullable Object brokenModule;

    NashornRealm(Context context, Prelude prelude, RealmHost host) {
        this.context = context;
        this.host = host;
        this.global = context.createGlobal();
        enter();
        try {
            hooks = HostFunctions.object();
            shapes = new Shapes();
            REMOVED.forEach(this::remove);
            installMachinery();
            for (Source source : prelude.sources()) {
                ScriptFunction made = (ScriptFunction) apply(context.compileScript(source, global));
                ScriptRuntime.apply(made, UNDEFINED, hooks);
            }
            drain = (ScriptFunction) hooks.get("drain");
            track = (ScriptFunction) hooks.get("track");
            reset = (ScriptFunction) hooks.get("reset");
            format = (ScriptFunction) hooks.get("format");
            requests = new Requests(hooks, shapes);
            replies = new Replies(shapes);
            app = new AppFunctions(host, shapes);
            installBindings();
            cleanMap = global.getMap();
            for (Property property : cleanMap.getProperties()) {
                globals.add(property.getKey());
            }
        } finally {
            leave();
        }
    }

    static @Nullable NashornRealm current() {
        return CURRENT.get();
    }

    private void enter() {
        Context.setGlobal(global);
        CURRENT.set(this);
    }

    private void leave() {
        CURRENT.remove();
        Context.setGlobal((Global) null);
    }

    /** Deletes a global even if the engine declared it as constant. */
    private void remove(String name) {
        Property property = global.getMap().findProperty(name);
        if (property != null && !global.delete(name, false)) {
            global.setMap(global.getMap().deleteProperty(property));
        }
    }

    /** What the prelude builds on. */
    private void installMachinery() {
        define(hooks, "wake", (self, arguments) -> {
            jobs = true;
            hadJobs = true;
            return UNDEFINED;
        });
        define(hooks, "schedule", (self, arguments) -> {
            ScriptFunction task = (ScriptFunction) arguments[0];
            double delay = JSType.toNumber(arguments[1]);
            boolean repeat = JSType.toBoolean(arguments[2]);
            return timers.schedule(() -> apply(task), delay > 0 ? (long) delay : 0, repeat);
        });
        define(hooks, "cancel", (self, arguments) -> {
            timers.cancel(JSType.toInt32(argument(arguments, 0)));
            return UNDEFINED;
        });
        define(hooks, "copy", (self, arguments) -> ((ScriptObject) arguments[0]).copy());
        define(
                hooks,
                "makeSpread",
                (self, arguments) ->
                        HostFunctions.function("$spread", new Spread(shapes, (ScriptFunction) arguments[0])::call));
        ScriptObject json = (ScriptObject) global.get("JSON");
        define(json, "parse", (self, arguments) -> {
            Object reviver = argument(arguments, 1);
            return reviver instanceof ScriptFunction
                    ? JSONFunctions.parse(argument(arguments, 0), reviver)
                    : JsonReader.read(JSType.toString(argument(arguments, 0)), shapes);
        });
        define(json, "stringify", (self, arguments) -> {
            Object replacer = argument(arguments, 1);
            Object space = argument(arguments, 2);
            return HostFunctions.isNothing(replacer) && HostFunctions.isNothing(space)
                    ? JsonWriter.write(argument(arguments, 0), shapes)
                    : NativeJSON.stringify(UNDEFINED, argument(arguments, 0), replacer, space);
        });
        TextFunctions.install(hooks, host.random());
        RegExpFunctions.install(hooks);
    }

    private void installBindings() {
        define(global, "respond", replies::respond);
        define(global, "request", UNDEFINED);
        define(global, "require", requireFrom(SourceTree.ENTRY));
        installConsole();
        app.install(global);
    }

    private void installConsole() {
        ScriptObject console = HostFunctions.object();
        Map<String, AppLog.Level> levels = Map.of(
                "log", AppLog.Level.INFO,
                "info", AppLog.Level.INFO,
                "warn", AppLog.Level.WARN,
                "error", AppLog.Level.ERROR,
                "debug", AppLog.Level.DEBUG,
                "trace", AppLog.Level.DEBUG);
        ScriptObject log = HostFunctions.object();
        levels.forEach((name, level) -> {
            HostFunctions.Code write = (self, arguments) -> {
                host.log().write(host.app().id(), level, LogText.join(arguments, format));
                return UNDEFINED;
            };
            define(console, name, write);
            if (!name.equals("log") && !name.equals("trace")) {
                define(log, name, write);
            }
        });
        define(global, "console", console);
        hooks.set("log", log, 0);
    }

    // Requests.

    @Override
    public Result run(Request request, int responseBytes) {
        enter();
        try {
            return answer(request, responseBytes);
        } catch (Kill e) {
            spent = true;
            throw e;
        } catch (ECMAException e) {
            return failed(e.getThrown(), e);
        } catch (StackOverflowError e) {
            return new Failed(Reason.RECURSION, "calls are nested too deeply: " + Inside.TOO_DEEP, stack(e));
        } catch (OutOfMemoryError e) {
            spent = true;
            throw Meter.current().stop(Meter.Stop.MEMORY);
        } catch (ParserException e) {
            return new Failed(Reason.SYNTAX, String.valueOf(e.getMessage()), "");
        } catch (RuntimeException e) {
            spent = true;
            return new Failed(Reason.THREW, "the engine failed: " + e, stack(e));
        } finally {
            finish();
            leave();
        }
    }

    private Result answer(Request request, int responseBytes) {
        ScriptFunction main = entry;
        if (main == null) {
            Module module = Meter.current().unmeasured(host.modules()::entry);
            if (module instanceof Module.Missing missing) {
                return new Failed(Reason.NO_ENTRY, missing.message(), "");
            }
            if (module instanceof Module.Broken broken) {
                return new Failed(Reason.SYNTAX, text(broken.problems()), "");
            }
            main = function((Module.Script) module);
            entry = main;
        }
        Requests.Made made = requests.make(request);
        if (made.problem() != null) {
            return new Failed(Reason.BAD_REQUEST, made.problem(), "");
        }
        global.set("request", made.value(), 0);
        Object value = apply(main);
        if (jobs) {
            runJobs();
        }
        if (value instanceof ScriptObject object && object.get("then") instanceof ScriptFunction) {
            ScriptObject settled = (ScriptObject) apply(track, value);
            if (!await(settled)) {
                return new Failed(
                        Reason.THREW,
                        "the promise that " + SourceTree.ENTRY
                                + " ends with never settles: no timer and no call is left that could settle it",
                        "");
            }
            value = settled.get("value");
            if (JSType.toBoolean(settled.get("rejected"))) {
                return failed(value, null);
            }
        }
        return replies.reply(value, responseBytes);
    }

    private void runJobs() {
        while (jobs) {
            jobs = false;
            apply(drain);
        }
    }

    /** The event loop: microtasks, then the next timer, until the promise has settled. */
    private boolean await(ScriptObject settled) {
        Meter meter = Meter.current();
        while (true) {
            runJobs();
            if (JSType.toBoolean(settled.get("done"))) {
                return true;
            }
            if (timers.isEmpty()) {
                return false;
            }
            if (!timers.runNext(meter.remainingNanos())) {
                throw meter.stop(Meter.Stop.TIME);
            }
            Meter.poll();
        }
    }

    private void finish() {
        timers.clear();
        jobs = false;
        if (spent) {
            return;
        }
        brokenModule = null;
        if (hadJobs) {
            apply(reset);
            hadJobs = false;
        }
        global.set("request", UNDEFINED, 0);
        if (global.getMap() != cleanMap) {
            clean();
        }
    }

    private void clean() {
        if (++cleanings > MOST_CLEANINGS) {
            spent = true;
            return;
        }
        for (Property property : global.getMap().getProperties()) {
            if (!globals.contains(property.getKey()) && !global.delete(property.getKey(), false)) {
                spent = true;
                return;
            }
        }
        cleanMap = global.getMap();
        if (cleanMap.getProperties().length != globals.size()) {
            spent = true;
        }
    }

    @Override
    public boolean reusable() {
        return !spent;
    }

    // Modules.

    private ScriptFunction function(Module.Script module) {
        scripts.put(module.path(), module.compiled());
        Source source = Source.sourceFor(module.path(), module.compiled().code());
        return (ScriptFunction) apply(context.compileScript(source, global));
    }

    private ScriptFunction requireFrom(String path) {
        return HostFunctions.function("require", (self, arguments) -> require(path, argument(arguments, 0)));
    }

    private Object require(String from, Object name) {
        if (!JSType.isString(name) || name.toString().isEmpty()) {
            throw HostFunctions.typeError("require needs the name of a file, such as './lib.js'");
        }
        Module module = Meter.current().unmeasured(() -> host.modules().resolve(from, name.toString()));
        Object loaded = modules.get(module.path());
        if (loaded != null) {
            return loaded instanceof ScriptObject object ? object.get("exports") : UNDEFINED;
        }
        if (module instanceof Module.Missing missing) {
            throw HostFunctions.error(missing.message(), "MODULE_NOT_FOUND");
        }
        if (module instanceof Module.Broken broken) {
            ScriptObject error = global.newSyntaxError(text(broken.problems()));
            brokenModule = error;
            throw new ECMAException(error, null);
        }
        ScriptObject object = HostFunctions.object();
        ScriptObject exports = HostFunctions.object();
        object.set("id", module.path(), 0);
        object.set("exports", exports, 0);
        modules.put(module.path(), object);
        boolean done = false;
        try {
            if (module instanceof Module.Json json) {
                object.set("exports", parse(json), 0);
            } else {
                ScriptFunction body = function((Module.Script) module);
                ScriptRuntime.apply(body, exports, object, exports, requireFrom(module.path()));
            }
            done = true;
        } finally {
            if (!done) {
                modules.remove(module.path());
            }
        }
        return object.get("exports");
    }

    private static Object parse(Module.Json json) {
        try {
            return JSONFunctions.parse(json.text(), UNDEFINED);
        } catch (ECMAException e) {
            throw HostFunctions.error(
                    json.path() + " is not valid JSON: " + LogText.line(e.getThrown()), "INVALID_JSON");
        }
    }

    private static String text(List<Problem> problems) {
        return problems.stream().map(Problem::toString).collect(Collectors.joining("; "));
    }

    // Failures.

    private Failed failed(Object thrown, @Nullable Throwable cause) {
        String line = LogText.line(thrown);
        if (brokenModule != null && thrown == brokenModule) {
            return new Failed(Reason.SYNTAX, line, "");
        }
        String stack = "";
        if (thrown instanceof ScriptObject object && ECMAException.getException(object) instanceof Throwable inner) {
            stack = stack(inner);
        }
        if (stack.isEmpty() && cause != null) {
            stack = stack(cause);
        }
        if (line.endsWith(Inside.TOO_DEEP)) {
            return new Failed(Reason.RECURSION, "calls are nested too deeply: " + line, stack);
        }
        int open = stack.indexOf('(');
        int close = stack.indexOf(')', open + 1);
        String where = open >= 0 && close > open ? " at " + stack.substring(open + 1, close) : "";
        return new Failed(app.refused(thrown) ? Reason.NO_STORAGE : Reason.THREW, line + where, stack);
    }

    /** The frames of the app's own files, by their own lines. */
    String stack(Throwable error) {
        StringBuilder text = new StringBuilder();
        int frames = 0;
        for (StackTraceElement frame : NashornException.getScriptFrames(error)) {
            CompiledScript script = scripts.get(frame.getFileName());
            int line = script == null ? 0 : script.originalLine(frame.getLineNumber());
            if (line == 0) {
                continue;
            }
            if (++frames > 30) {
                break;
            }
            if (text.length() > 0) {
                text.append('\n');
            }
            text.append("\tat ")
                    .append(name(frame.getMethodName()))
                    .append(" (")
                    .append(frame.getFileName())
                    .append(':')
                    .append(line)
                    .append(')');
        }
        return text.toString();
    }

    private static String name(String method) {
        return method.startsWith("$") || method.startsWith("<") || method.startsWith("L:") ? "<anonymous>" : method;
    }
}
