package sh.fazt.cartridge;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Scope;

/**
 * The {@code writer} thread: jobs queue for it, and it commits many of them as one durable transaction. A body that fails
 * leaves nothing and fails nobody else. Thread-safe: one bounded queue in, immutable snapshots out.
 */
final class GroupCommit {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    private static final Job<Boolean> STOP = new Job.Alone<>() {
        @Override
        Boolean run(List<Commit> events) {
            return true;
        }
    };

    private final Path file;
    private final CartridgeOptions options;
    private final Session session;
    private final Engine engine;
    private final Ownership ownership;
    private final Refusals refusals;
    private final Consumer<Map<String, Engine.State>> durable;
    private final BlockingQueue<Job<?>> queue;
    private final List<CommitListener> listeners = new CopyOnWriteArrayList<>();
    private final Thread writer;

    /** What the last commit left; replaced as a whole. */
    private volatile Map<String, Engine.State> published;

    private volatile boolean closed;
    /** Whether the writer takes nothing more. */
    private volatile boolean ended;

    /** Whether the engine remembers a transaction that was rolled back, and could not be read anew. */
    private boolean stale;

    /** When the writer began what it does now, in nanoTime; null while it waits for work. */
    private volatile @Nullable Long busySince;

    /** @param durable is told on the writer which scopes a commit changed, before that is {@link #published} */
    GroupCommit(
            Path file,
            CartridgeOptions options,
            Session session,
            Engine engine,
            Ownership ownership,
            Refusals refusals,
            Map<String, Engine.State> published,
            Consumer<Map<String, Engine.State>> durable) {
        this.file = file;
        this.options = options;
        this.session = session;
        this.engine = engine;
        this.ownership = ownership;
        this.refusals = refusals;
        this.published = published;
        this.durable = durable;
        queue = new ArrayBlockingQueue<>(options.queue());
        writer = options.threads().newThread(this::writeLoop);
    }

    void start() {
        writer.start();
    }

    void listen(CommitListener listener) {
        listeners.add(listener);
    }

    /** Each scope's state as of the last commit. */
    Map<String, Engine.State> published() {
        return published;
    }

    /** On the writer: a scope is gone. */
    void unpublish(Scope scope) {
        Map<String, Engine.State> rest = new HashMap<>(published);
        rest.remove(scope.id());
        published = Map.copyOf(rest);
    }

    /** Since when, in nanoTime, the writer has been at the transaction that it is at; empty while it waits for work. */
    OptionalLong busySince() {
        Long since = busySince;
        return since == null ? OptionalLong.empty() : OptionalLong.of(since);
    }

    boolean isClosed() {
        return closed;
    }

    /** Has everything done that waits, and ends the thread; answers false when that was asked for before. Blocking. */
    boolean close() throws InterruptedException {
        if (closed) {
            return false;
        }
        closed = true;
        queue.put(STOP);
        writer.join();
        return true;
    }

    <T> CompletableFuture<T> submit(Job<T> job) {
        if (closed) {
            job.future.completeExceptionally(closedException());
        } else if (!queue.offer(job)) {
            job.future.completeExceptionally(new CartridgeException(
                    CartridgeException.Reason.OVERLOADED,
                    "the cartridge has " + options.queue() + " writes waiting: try again in a moment"));
        } else if (ended && queue.remove(job)) {
            // It came in between the question above and the writer's last look.
            job.future.completeExceptionally(closedException());
        }
        return job.future;
    }

    CartridgeException closedException() {
        return new CartridgeException(CartridgeException.Reason.CLOSED, "the cartridge " + file + " is closed");
    }

    private void writeLoop() {
        Job<?> next = null;
        while (next != STOP) {
            try {
                if (next == null) {
                    next = queue.take();
                } else {
                    busySince = System.nanoTime();
                    next = commit(next);
                    busySince = null;
                }
            } catch (InterruptedException e) {
                // Only close() ends this thread.
                continue;
            }
        }
        ended = true;
        Job<?> late = queue.poll();
        while (late != null) {
            late.future.completeExceptionally(closedException());
            late = queue.poll();
        }
    }

    /**
     * Commits a job together with whatever else waits by the time that its body has run: callers that were just
     * answered come again while it runs, and would else have a commit of their own each. Answers the job that has
     * to be next, if there is one.
     */
    private @Nullable Job<?> commit(Job<?> first) {
        Group group = new Group();
        Job<?> next = first;
        try {
            if (stale) {
                engine.reload();
                stale = false;
            }
            ownership.expectInPlace();
            long before = refusals.now() ? session.changes() : -1;
            try {
                session.update("BEGIN IMMEDIATE");
                do {
                    group.jobs.add(next);
                    group.run(next);
                    next = first.alone() || group.jobs.size() == options.group() ? null : queue.poll();
                } while (next != null && !next.alone());
            } catch (BodyFailedException e) {
                next = null;
                rollBack();
                session.update("BEGIN IMMEDIATE");
                group.runEachByItself();
            }
            Map<String, Engine.State> changed = engine.flush(published);
            session.update("COMMIT");
            durable.accept(changed);
            Map<String, Engine.State> now = new HashMap<>(published);
            now.putAll(changed);
            published = Map.copyOf(now);
            engine.committed();
            if (before < 0 || session.changes() > before) {
                refusals.committed();
            }
        } catch (RuntimeException | Error e) {
            // The writer outlives whatever a transaction comes to: without it nothing is ever written again.
            rollBack();
            if (e instanceof CartridgeException failed && failed.reason() == CartridgeException.Reason.NOT_WRITABLE) {
                refusals.refused(failed);
            }
            if (group.jobs.isEmpty()) {
                group.jobs.add(first);
            }
            group.jobs.forEach(job -> job.future.completeExceptionally(e));
            return next == null || group.jobs.contains(next) ? null : next;
        }
        group.tell();
        return next;
    }

    private void rollBack() {
        try {
            session.update("ROLLBACK");
        } catch (RuntimeException already) {
            // SQLite rolls back by itself when the disk fails.
        }
        try {
            engine.reload();
        } catch (RuntimeException unreadable) {
            stale = true;
        }
    }

    /** A body failed in a group that has no savepoints. */
    private static final class BodyFailedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        BodyFailedException(Throwable why) {
            super(null, why, false, false);
        }
    }

    /**
     * The jobs of one commit and what comes of them. A savepoint for each body would cost as much as the body: the
     * bodies run without, and in the rare case that one fails, all run again, each in a savepoint of its own.
     */
    private final class Group {
        final List<Job<?>> jobs = new ArrayList<>();
        private final List<Commit> events = new ArrayList<>();
        private final List<Runnable> outcomes = new ArrayList<>();

        <T> void run(Job<T> job) {
            T result;
            try {
                result = job.run(events);
            } catch (CartridgeException e) {
                throw failsAll(e) ? e : new BodyFailedException(e);
            } catch (Exception | Error e) {
                throw new BodyFailedException(e);
            }
            outcomes.add(() -> {
                job.committed(result);
                job.future.complete(result);
            });
        }

        private static boolean failsAll(CartridgeException e) {
            // A body that is refused for a damaged page is no reason to refuse the others.
            return e.reason() == CartridgeException.Reason.NOT_WRITABLE;
        }

        void runEachByItself() {
            events.clear();
            outcomes.clear();
            for (Job<?> job : jobs) {
                Map<String, Engine.State> mark = engine.mark();
                int eventsBefore = events.size();
                session.update("SAVEPOINT body");
                try {
                    run(job);
                    session.update("RELEASE body");
                } catch (BodyFailedException e) {
                    session.update("ROLLBACK TO body");
                    session.update("RELEASE body");
                    engine.backTo(mark);
                    events.subList(eventsBefore, events.size()).clear();
                    outcomes.add(() -> job.future.completeExceptionally(e.getCause()));
                }
            }
        }

        /** After the commit: listeners first, so that a caller who is answered finds them told. */
        void tell() {
            for (Commit event : events) {
                for (CommitListener listener : listeners) {
                    try {
                        listener.committed(event);
                    } catch (RuntimeException | Error e) {
                        LOG.error(
                                "a commit listener failed listener={}",
                                listener.getClass().getName(),
                                e);
                    }
                }
            }
            outcomes.forEach(Runnable::run);
        }
    }
}
