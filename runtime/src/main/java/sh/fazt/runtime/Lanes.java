package sh.fazt.runtime;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.runtime.compile.ScriptCompiler;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.module.Modules;

/**
 * Who runs next. Apps take turns; within an app, invocations run in the order they came. An app starts with a few
 * workers and gets one more whenever none of its invocations got done for a while, up to its share: so quick handlers
 * need few realms, and stuck ones don't block those behind them.
 *
 * <p>Thread-safe: one lock, held for bookkeeping only.
 */
final class Lanes {
    /** As many as there are cores to keep busy on the smallest machine worth two. */
    private static final int ALLOWED_AT_FIRST = 2;

    private static final long STALLED_NANOS = 20_000_000;
    /** A realm that is opened, with the scripts that are compiled for it, takes longer without being stuck. */
    private static final long OPENING_NANOS = 1_000_000_000;
    /** After so many quick ones in a row, the app needs one worker less. */
    private static final int QUICK_ENOUGH = 200;

    private static final long WORKER_IDLE_NANOS = 30_000_000_000L;

    /** A worker asks for a thread to be added. */
    interface Hire {
        void one();
    }

    private final RuntimeOptions options;
    private final LongSupplier nanos;
    private final ScriptCompiler compiler;
    private final Hire hire;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Map<String, Lane> lanes = new HashMap<>();
    private final Deque<Lane> ready = new ArrayDeque<>();
    private int workers;
    private int idleWorkers;
    private int arriving;
    private int running;
    private int waiting;
    private boolean closed;

    Lanes(RuntimeOptions options, LongSupplier nanos, ScriptCompiler compiler, Hire hire) {
        this.options = options;
        this.nanos = nanos;
        this.compiler = compiler;
        this.hire = hire;
    }

    /** What a worker is to do, and with what: without a realm it has to open one. */
    record Assignment(
            Job job, Lane lane, Modules modules, @Nullable Realm realm, long since) {}

    /** False if too many of this app wait already, or the runtime is closed. */
    boolean add(Job job) {
        boolean hiring;
        lock.lock();
        try {
            Lane lane = lanes.computeIfAbsent(job.app().id(), id -> new Lane(id, allowedAtFirst()));
            if (closed || lane.waiting.size() >= options.waitingPerApp()) {
                return false;
            }
            if (lane.running == 0) {
                lane.lastProgress = nanos.getAsLong();
            }
            lane.waiting.add(job);
            waiting++;
            hiring = offer(lane);
        } finally {
            lock.unlock();
        }
        if (hiring) {
            hire.one();
        }
        return true;
    }

    /** Puts a lane into the round if it may start something; true if a worker has to be hired for it. */
    private boolean offer(Lane lane) {
        if (!lane.mayStart()) {
            return false;
        }
        if (!lane.ready) {
            lane.ready = true;
            ready.add(lane);
        }
        return call();
    }

    /** Finds somebody for what is ready: true if a worker has to be hired. One who is on the way is enough. */
    private boolean call() {
        if (idleWorkers > 0) {
            work.signal();
            return false;
        }
        if (arriving == 0 && workers < options.workers()) {
            workers++;
            arriving++;
            return true;
        }
        return false;
    }

    /** Called by a worker: waits for work. Null means that the worker is to go. */
    @Nullable
    Assignment next() throws InterruptedException {
        boolean hiring = false;
        lock.lock();
        try {
            arriving--;
            while (true) {
                Lane lane = ready.poll();
                if (lane != null) {
                    lane.ready = false;
                    if (lane.mayStart()) {
                        Assignment assignment = assign(lane);
                        hiring = !ready.isEmpty() && call();
                        return assignment;
                    }
                    continue;
                }
                if (closed) {
                    workers--;
                    return null;
                }
                idleWorkers++;
                long left;
                try {
                    left = work.awaitNanos(WORKER_IDLE_NANOS);
                } finally {
                    idleWorkers--;
                }
                if (left <= 0 && ready.isEmpty()) {
                    dropIdle();
                    // The last one stays as long as there is something to drop.
                    if (workers > 1 || lanes.isEmpty()) {
                        workers--;
                        return null;
                    }
                }
            }
        } finally {
            lock.unlock();
            if (hiring) {
                hire.one();
            }
        }
    }

    private Assignment assign(Lane lane) {
        Job job = lane.waiting.remove();
        waiting--;
        running++;
        lane.running++;
        if (lane.mayStart()) {
            lane.ready = true;
            ready.add(lane);
        }
        if (!lane.releaseId.equals(job.app().releaseId()) || lane.modules == null) {
            lane.releaseId = job.app().releaseId();
            lane.modules = new Modules(job.app().sources(), compiler);
            lane.realms -= lane.idle.size();
            lane.idle.clear();
        }
        Realm realm = lane.idle.pollLast();
        if (realm == null) {
            lane.realms++;
            lane.opening++;
        }
        return new Assignment(job, lane, lane.modules, realm, nanos.getAsLong());
    }

    /** A worker that got no realm has one now, or gave up: from here on its invocation has to get done. */
    void opened(Assignment assignment) {
        lock.lock();
        try {
            assignment.lane().opening--;
            assignment.lane().lastProgress = nanos.getAsLong();
        } finally {
            lock.unlock();
        }
    }

    /** An invocation has ended; {@code realm} is null when it is not to be used again. The worker asks for the next. */
    void done(Assignment assignment, @Nullable Realm realm) {
        end(assignment, realm, true);
    }

    private void end(Assignment assignment, @Nullable Realm realm, boolean comesBack) {
        boolean hiring;
        lock.lock();
        try {
            if (comesBack) {
                arriving++;
            } else {
                workers--;
            }
            Lane lane = assignment.lane();
            running--;
            lane.running--;
            long now = nanos.getAsLong();
            lane.lastProgress = now;
            lane.quick = now - assignment.since() < STALLED_NANOS ? lane.quick + 1 : 0;
            if (lane.running == 0) {
                lane.allowed = allowedAtFirst();
            } else if (lane.quick > QUICK_ENOUGH && lane.allowed > allowedAtFirst()) {
                lane.allowed--;
                lane.quick = 0;
            }
            if (realm != null && lane.modules == assignment.modules() && lanes.get(lane.appId) == lane) {
                lane.idle.addLast(realm);
            } else {
                lane.realms--;
            }
            hiring = offer(lane);
        } finally {
            lock.unlock();
        }
        if (hiring) {
            hire.one();
        }
    }

    /** A worker does not come back: its place and that of its invocation are free again. */
    void abandoned(Assignment assignment) {
        end(assignment, null, false);
    }

    private int allowedAtFirst() {
        return Math.min(ALLOWED_AT_FIRST, options.workersPerApp());
    }

    /** Called on each tick: apps whose invocations don't get done get one more worker, up to their share. */
    void relieve() {
        int hiring = 0;
        lock.lock();
        try {
            if (waiting == 0) {
                return;
            }
            long now = nanos.getAsLong();
            for (Lane lane : lanes.values()) {
                if (!lane.waiting.isEmpty()
                        && lane.running >= lane.allowed
                        && lane.allowed < options.workersPerApp()
                        && now - lane.lastProgress > (lane.opening > 0 ? OPENING_NANOS : STALLED_NANOS)) {
                    lane.allowed++;
                    lane.lastProgress = now;
                    hiring += offer(lane) ? 1 : 0;
                }
            }
        } finally {
            lock.unlock();
        }
        for (int i = 0; i < hiring; i++) {
            hire.one();
        }
    }

    private void dropIdle() {
        long before = nanos.getAsLong() - options.idleAfter().toNanos();
        lanes.values().removeIf(lane -> lane.running == 0 && lane.waiting.isEmpty() && lane.lastProgress - before < 0);
    }

    void forget(String appId) {
        lock.lock();
        try {
            Lane lane = lanes.get(appId);
            if (lane != null && lane.running == 0 && lane.waiting.isEmpty()) {
                lanes.remove(appId);
            } else if (lane != null) {
                lane.releaseId = "";
                lane.modules = null;
                lane.realms -= lane.idle.size();
                lane.idle.clear();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Refuses new work and returns what has not started. */
    List<Job> close() {
        lock.lock();
        try {
            closed = true;
            List<Job> left = new ArrayList<>();
            for (Lane lane : lanes.values()) {
                left.addAll(lane.waiting);
                lane.waiting.clear();
            }
            waiting = 0;
            ready.clear();
            work.signalAll();
            return left;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until no invocation runs; false if some still do. */
    boolean awaitQuiet(long mostNanos) throws InterruptedException {
        long end = nanos.getAsLong() + mostNanos;
        while (nanos.getAsLong() - end < 0) {
            lock.lock();
            try {
                if (workers == 0) {
                    return true;
                }
                work.await(5, TimeUnit.MILLISECONDS);
            } finally {
                lock.unlock();
            }
        }
        return false;
    }

    /** The part of the status that is known here. */
    record Count(int running, int waiting, int realms, int apps, int workers) {}

    Count count() {
        lock.lock();
        try {
            int realms = 0;
            int apps = 0;
            for (Lane lane : lanes.values()) {
                realms += lane.realms;
                apps += lane.realms > 0 ? 1 : 0;
            }
            return new Count(running, waiting, realms, apps, workers);
        } finally {
            lock.unlock();
        }
    }
}
