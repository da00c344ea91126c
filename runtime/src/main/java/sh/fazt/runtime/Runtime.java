package sh.fazt.runtime;

import java.util.List;
import java.util.concurrent.CompletionStage;
import sh.fazt.runtime.binding.AppLog;
import sh.fazt.runtime.binding.KeyValues;

/**
 * Runs app JavaScript. Thread-safe: every method may be called from any thread; only {@link #check} and {@link #close}
 * take their time.
 */
public final class Runtime implements AutoCloseable {
    private final RuntimeOptions options;

    /** Takes no thread and little memory until the first invocation or {@link #warmUp}. */
    public Runtime(RuntimeOptions options, KeyValues keyValues, AppLog log, ScriptThreads threads) {
        this.options = options;
    }

    /** Compiles every script of a bundle; empty means that it can be deployed. Takes up to seconds: not on {@code http}. */
    public List<Problem> check(SourceTree sources) {
        throw new UnsupportedOperationException(options.toString());
    }

    /** Runs {@code api/main.js} for one request. Never completes exceptionally; completes on a {@code js-N} thread. */
    public CompletionStage<Result> invoke(App app, Request request, Budget budget) {
        throw new UnsupportedOperationException();
    }

    /** Prepares the engine in the background, so that the first visitor does not wait for it. Returns at once. */
    public void warmUp() {}

    /** Drops what is kept for an app that was deleted. */
    public void forget(String appId) {}

    public RuntimeStatus status() {
        throw new UnsupportedOperationException();
    }

    /** Stops what runs and waits briefly for it. */
    @Override
    public void close() {}
}
