package sh.fazt.runtime;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.sandbox.Kill;
import sh.fazt.runtime.sandbox.Meter;
import sh.fazt.runtime.sandbox.Watchdog;

/**
 * One {@code js-N} thread. Runs one invocation after the other; when one does not stop in time, the watchdog answers in
 * its place and, a little later, gives the thread up: it ends as soon as it comes back.
 */
final class Worker implements Runnable, Watchdog.Watched {
    /** Stopping takes a few milliseconds; from here on the caller is not kept waiting. */
    private static final long ANSWER_AFTER_NANOS = 50_000_000;
    /** From here on the thread is taken for lost. */
    private static final long ABANDON_AFTER_NANOS = 1_000_000_000;

    private final Runtime runtime;
    private final Lanes lanes;
    private final AtomicBoolean abandoned = new AtomicBoolean();
    private volatile Lanes.@Nullable Assignment current;
    private volatile @Nullable Meter meter;

    Worker(Runtime runtime, Lanes lanes) {
        this.runtime = runtime;
        this.lanes = lanes;
    }

    @Override
    public Meter meter() {
        Meter own = meter;
        if (own == null) {
            throw new IllegalStateException("the worker has not started");
        }
        return own;
    }

    @Override
    public void run() {
        Meter own = new Meter(System::nanoTime);
        meter = own;
        runtime.watchdog().watch(this);
        try {
            while (!abandoned.get()) {
                Lanes.Assignment assignment = lanes.next();
                if (assignment == null) {
                    return;
                }
                current = assignment;
                Ended ended = invoke(assignment, own);
                current = null;
                // The realm is back before the answer: a client that asks again at once finds it.
                if (!abandoned.get()) {
                    lanes.done(assignment, ended.realm());
                }
                runtime.complete(assignment.job(), ended.result());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            runtime.watchdog().forget(this);
        }
    }

    /** How it ended, with the realm if it can be used again. */
    private record Ended(Result result, @Nullable Realm realm) {}

    private static boolean usable(@Nullable Realm realm) {
        return realm != null && realm.reusable();
    }

    private Ended invoke(Lanes.Assignment assignment, Meter own) {
        Job job = assignment.job();
        Realm realm = assignment.realm();
        Result result = null;
        Meter.Stop stop;
        try {
            if (realm == null) {
                try {
                    realm = runtime.open(job.app(), assignment.modules());
                } finally {
                    lanes.opened(assignment);
                }
            }
            runtime.watchdog().wake();
            own.begin(job.budget().time().toNanos(), job.budget().allocationBytes());
            result = realm.run(job.request(), job.budget().responseBytes());
        } catch (Kill e) {
            result = null;
        } catch (StackOverflowError e) {
            result = new Failed(Reason.RECURSION, "calls are nested too deeply", "");
        } catch (OutOfMemoryError e) {
            realm = null;
            result = new Failed(Reason.MEMORY, "the node ran out of memory", "");
        } catch (RuntimeException | Error e) {
            realm = null;
            result = new Failed(Reason.THREW, "the engine failed: " + e, "");
        } finally {
            stop = own.end();
        }
        if (stop != null || result == null) {
            result = stopped(stop, job.budget());
        }
        return new Ended(result, stop == null && usable(realm) ? realm : null);
    }

    private static Failed stopped(Meter.@Nullable Stop stop, Budget budget) {
        if (stop == Meter.Stop.MEMORY) {
            return new Failed(
                    Reason.MEMORY,
                    "the invocation needed more than the " + (budget.allocationBytes() >> 20)
                            + " MiB of memory that it may allocate",
                    "");
        }
        return new Failed(
                Reason.TIMEOUT,
                "the invocation was not done after " + budget.time().toMillis() + " ms and was stopped",
                "");
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the same assignment, not an equal one
    public void overdue(long nanos) {
        Lanes.Assignment late = current;
        if (late == null || nanos < ANSWER_AFTER_NANOS) {
            return;
        }
        Meter.Stop stop = meter().reason();
        if (stop != null) {
            runtime.complete(late.job(), stopped(stop, late.job().budget()));
        }
        if (nanos > ABANDON_AFTER_NANOS && current == late && abandoned.compareAndSet(false, true)) {
            runtime.abandoned();
            lanes.abandoned(late);
        }
    }
}
