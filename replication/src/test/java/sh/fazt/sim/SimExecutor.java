package sh.fazt.sim;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An executor over virtual time: a task runs as an event of its own, at the time it was given or due, never
 * within the call that hands it over. An exception of a task given to {@link #execute} ends the simulation;
 * one of a submitted or scheduled task goes to its future, as everywhere. Waiting on a future blocks the
 * only thread there is: look at {@code isDone} after a run. Confined to the simulation's thread.
 */
public final class SimExecutor extends AbstractExecutorService implements ScheduledExecutorService {
    private final SimWorld world;
    private final SimWorld.@Nullable SimNode owner;
    private final int boot;
    private boolean shut;

    SimExecutor(SimWorld world, SimWorld.@Nullable SimNode owner) {
        this.world = world;
        this.owner = owner;
        this.boot = owner == null ? 0 : owner.boot;
    }

    @Override
    public void execute(Runnable task) {
        start(0, task);
    }

    private SimWorld.@Nullable Event start(long delayNanos, Runnable task) {
        if (shut) {
            throw new RejectedExecutionException("the executor is shut down");
        }
        if (owner != null && owner.boot != boot) {
            // The process is gone; whoever still holds its executor is a ghost.
            return null;
        }
        return world.add(delayNanos, owner, () -> {
            if (!shut) {
                task.run();
            }
        });
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        return once(
                () -> {
                    task.run();
                    return null;
                },
                unit.toNanos(delay));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        return once(task, unit.toNanos(delay));
    }

    private <V> ScheduledFuture<V> once(Callable<V> task, long delayNanos) {
        Scheduled<V> scheduled = new Scheduled<>(task, 0, false);
        scheduled.in(delayNanos);
        return scheduled;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initialDelay, long period, TimeUnit unit) {
        return repeated(task, unit.toNanos(initialDelay), unit.toNanos(period), true);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long initialDelay, long delay, TimeUnit unit) {
        return repeated(task, unit.toNanos(initialDelay), unit.toNanos(delay), false);
    }

    private ScheduledFuture<?> repeated(Runnable task, long initialNanos, long periodNanos, boolean fixedRate) {
        if (periodNanos <= 0) {
            throw new IllegalArgumentException("a period has to be positive, not " + periodNanos + " ns");
        }
        Scheduled<@Nullable Object> scheduled = new Scheduled<>(
                () -> {
                    task.run();
                    return null;
                },
                periodNanos,
                fixedRate);
        scheduled.in(initialNanos);
        return scheduled;
    }

    @Override
    public void shutdown() {
        shut = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shut = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shut;
    }

    @Override
    public boolean isTerminated() {
        return shut;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return shut;
    }

    private final class Scheduled<V> extends FutureTask<V> implements ScheduledFuture<V> {
        private final long periodNanos;
        private final boolean fixedRate;
        private long due;
        private SimWorld.@Nullable Event event;

        Scheduled(Callable<V> task, long periodNanos, boolean fixedRate) {
            super(task);
            this.periodNanos = periodNanos;
            this.fixedRate = fixedRate;
        }

        void in(long delayNanos) {
            due = world.nanos() + delayNanos;
            event = start(delayNanos, this::happen);
        }

        private void happen() {
            if (periodNanos == 0) {
                run();
            } else if (runAndReset() && !shut) {
                // A node that was paused catches up, as a real scheduler at a fixed rate does.
                in(fixedRate ? due + periodNanos - world.nanos() : periodNanos);
            }
        }

        @Override
        protected void done() {
            SimWorld.Event started = event;
            if (isCancelled() && started != null) {
                started.cancel();
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - world.nanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}
