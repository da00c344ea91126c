package sh.fazt.runtime;

import java.util.concurrent.CompletableFuture;

/** One invocation from its call to its result. Its future is completed by the worker or, if that is late, for it. */
record Job(App app, Request request, Budget budget, CompletableFuture<Result> result) {}
