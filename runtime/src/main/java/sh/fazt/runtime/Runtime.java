package sh.fazt.runtime;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.runtime.binding.AppLog;
import sh.fazt.runtime.binding.Documents;
import sh.fazt.runtime.binding.KeyValues;
import sh.fazt.runtime.compile.Compilation;
import sh.fazt.runtime.compile.ScriptCompiler;
import sh.fazt.runtime.compile.ScriptCompiler.Kind;
import sh.fazt.runtime.engine.Engines;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.engine.RealmHost;
import sh.fazt.runtime.engine.ScriptEngine;
import sh.fazt.runtime.module.Modules;
import sh.fazt.runtime.sandbox.Watchdog;

/**
 * Runs app JavaScript. Thread-safe: every method may be called from any thread; only {@link #check} and {@link #close}
 * take their time.
 */
@SuppressWarnings("JavaLangClash") // the room is the runtime; whoever needs the other one writes its whole name
public final class Runtime implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Runtime.class);
    /** Deep enough for recursive scripts, and for the compiler. Untouched stack costs nothing. */
    private static final long STACK_BYTES = 4 << 20;

    private static final long CLOSE_NANOS = 2_000_000_000;

    private final KeyValues keyValues;
    private final Documents documents;
    private final AppLog log;
    private final ScriptThreads threads;
    private final ScriptCompiler compiler = new ScriptCompiler();
    private final SecureRandom random = new SecureRandom();
    private final Lanes lanes;
    private final AtomicInteger threadNumber = new AtomicInteger();
    private final LongAdder invocations = new LongAdder();
    private final LongAdder stopped = new LongAdder();
    private final LongAdder abandoned = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final Object starting = new Object();
    private volatile @Nullable ScriptEngine engine;
    private volatile @Nullable Watchdog watchdog;

    /** Takes no thread and little memory until the first invocation or {@link #warmUp}. */
    public Runtime(
            RuntimeOptions options, KeyValues keyValues, Documents documents, AppLog log, ScriptThreads threads) {
        this.keyValues = keyValues;
        this.documents = documents;
        this.log = log;
        this.threads = threads;
        this.lanes = new Lanes(options, System::nanoTime, compiler, this::hire);
    }

    /**
     * Compiles every script of a bundle; empty means that it can be deployed. Takes up to seconds: not on {@code http}.
     */
    public List<Problem> check(SourceTree sources) {
        List<Problem> problems = new ArrayList<>();
        Thread thread = threads.make(
                () -> {
                    try {
                        sources.paths().stream().sorted().forEach(path -> check(sources, path, problems));
                    } catch (RuntimeException e) {
                        problems.add(new Problem(SourceTree.ENTRY, 1, 1, "the bundle could not be read: " + e));
                    }
                },
                "js-check",
                STACK_BYTES);
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of(new Problem(SourceTree.ENTRY, 1, 1, "the check was interrupted; try again"));
        }
        return List.copyOf(problems);
    }

    private void check(SourceTree sources, String path, List<Problem> problems) {
        if (!path.startsWith("api/") || !path.endsWith(".js")) {
            return;
        }
        Optional<String> text = sources.text(path);
        if (text.isEmpty()) {
            return;
        }
        Kind kind = path.equals(SourceTree.ENTRY) ? Kind.ENTRY : Kind.MODULE;
        if (compiler.compile(path, text.get(), kind) instanceof Compilation.Rejected rejected) {
            problems.addAll(rejected.problems());
        }
    }

    /** Runs {@code api/main.js} for one request. Never completes exceptionally; completes on a thread of the runtime. */
    public CompletionStage<Result> invoke(App app, Request request, Budget budget) {
        CompletableFuture<Result> result = new CompletableFuture<>();
        invocations.increment();
        if (!lanes.add(new Job(app, request, budget, result))) {
            refused.increment();
            result.complete(new Failed(
                    Reason.OVERLOADED,
                    "too many requests of app " + app.name() + " are waiting; try again in a moment",
                    ""));
        }
        return result;
    }

    /** Prepares the engine in the background, so that the first visitor does not wait for it. Returns at once. */
    public void warmUp() {
        App app = new App("", "warm-up", "1", WarmUp.SOURCES);
        CompletableFuture<Result> result = new CompletableFuture<>();
        var unused = result.whenComplete((done, error) -> {
            if (done instanceof Failed failed) {
                LOG.warn(
                        "the engine is not warm: the first call waits reason={} message={}",
                        failed.reason(),
                        failed.message());
            }
            lanes.forget("");
        });
        lanes.add(new Job(app, WarmUp.REQUEST, Budget.DEFAULT, result));
    }

    /** Drops what is kept for an app that was deleted. */
    public void forget(String appId) {
        lanes.forget(appId);
    }

    public RuntimeStatus status() {
        Lanes.Count count = lanes.count();
        return new RuntimeStatus(
                count.running(),
                count.waiting(),
                count.realms(),
                count.apps(),
                count.workers(),
                invocations.sum(),
                stopped.sum(),
                abandoned.sum(),
                refused.sum());
    }

    /** Refuses what waits, and gives what runs two seconds. */
    @Override
    public void close() {
        for (Job job : lanes.close()) {
            job.result().complete(new Failed(Reason.OVERLOADED, "the node is stopping; try again in a moment", ""));
        }
        try {
            if (!lanes.awaitQuiet(CLOSE_NANOS)) {
                LOG.warn(
                        "scripts still run while the runtime closes running={}",
                        lanes.count().running());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Watchdog running = watchdog;
        if (running != null) {
            running.close();
        }
    }

    // For the workers.

    private void hire() {
        watchdog();
        threads.make(new Worker(this, lanes), "js-" + threadNumber.incrementAndGet(), STACK_BYTES)
                .start();
    }

    Watchdog watchdog() {
        Watchdog running = watchdog;
        if (running == null) {
            synchronized (starting) {
                running = watchdog;
                if (running == null) {
                    running = new Watchdog(body -> threads.make(body, "js-watch", 0), System::nanoTime, lanes::relieve);
                    watchdog = running;
                }
            }
        }
        return running;
    }

    Realm open(App app, Modules modules) {
        ScriptEngine running = engine;
        if (running == null) {
            synchronized (starting) {
                running = engine;
                if (running == null) {
                    running = Engines.start();
                    engine = running;
                }
            }
        }
        Realm realm = running.open(new RealmHost(app, modules, keyValues, documents, log, random));
        // Compiled before the clock of an invocation runs; what does not compile is told by the invocation.
        modules.entry();
        return realm;
    }

    void complete(Job job, Result result) {
        if (!job.claim()) {
            return;
        }
        if (result instanceof Failed failed) {
            switch (failed.reason()) {
                case TIMEOUT, MEMORY -> {
                    stopped.increment();
                    tell(job.app(), failed);
                }
                case SYNTAX, THREW, RECURSION, UNSERIALISABLE, TOO_LARGE, NO_STORAGE -> tell(job.app(), failed);
                case NO_ENTRY, BAD_REQUEST, OVERLOADED -> {}
            }
        }
        job.result().complete(result);
    }

    private void tell(App app, Failed failed) {
        if (!app.id().isEmpty()) {
            String stack = failed.stack().isEmpty() ? "" : "\n" + failed.stack();
            log.write(app.id(), AppLog.Level.ERROR, failed.message() + stack);
        }
    }

    void abandoned() {
        abandoned.increment();
        LOG.warn("a script thread did not stop and is given up abandoned={}", abandoned.sum());
    }
}
