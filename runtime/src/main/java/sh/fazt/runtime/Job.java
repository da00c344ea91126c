package sh.fazt.runtime;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** One invocation from its call to its result. Its future is completed by the worker or, if that is late, for it. */
record Job(App app, Request request, Budget budget, CompletableFuture<Result> result, AtomicBoolean answered) {
    Job(App app, Request request, Budget budget, CompletableFuture<Result> result) {
        this(app, request, budget, result, new AtomicBoolean());
    }

    /** True for the one who may answer. */
    boolean claim() {
        return answered.compareAndSet(false, true);
    }
}
