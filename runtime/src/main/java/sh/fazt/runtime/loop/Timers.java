package sh.fazt.runtime.loop;

import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What {@code setTimeout} and {@code setInterval} left to do, in the order of their time and, at the same time, of
 * their making. Confined to the thread of the invocation.
 */
public final class Timers {
    /** More than this is a mistake. */
    private static final int MOST = 10_000;

    private record Timer(int id, long dueNanos, long order, long everyNanos, Runnable task)
            implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            long difference = dueNanos - other.dueNanos;
            return difference != 0 ? Long.signum(difference) : Long.compare(order, other.order);
        }
    }

    private final LongSupplier nanos;
    private final PriorityQueue<Timer> queue = new PriorityQueue<>();
    private final Map<Integer, Timer> live = new HashMap<>();
    private int lastId;
    private long lastOrder;

    public Timers(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /**
     * Schedules a task; with {@code repeat} again and again.
     *
     * @throws IllegalStateException if there are too many
     */
    public int schedule(Runnable task, long delayMillis, boolean repeat) {
        if (live.size() >= MOST) {
            throw new IllegalStateException("more than " + MOST + " timers are set; clear some");
        }
        long delay = Math.max(1, Math.min(delayMillis, Integer.MAX_VALUE)) * 1_000_000;
        Timer timer = new Timer(++lastId, nanos.getAsLong() + delay, ++lastOrder, repeat ? delay : 0, task);
        live.put(timer.id, timer);
        queue.add(timer);
        return timer.id;
    }

    public void cancel(int id) {
        Timer timer = live.remove(id);
        if (timer != null) {
            queue.remove(timer);
        }
    }

    public boolean isEmpty() {
        return queue.isEmpty();
    }

    /** Forgets everything. */
    public void clear() {
        queue.clear();
        live.clear();
    }

    /** Waits for the next timer, at most {@code mostNanos}, and runs it. False if it is not due by then. */
    public boolean runNext(long mostNanos) {
        @Nullable Timer timer = queue.peek();
        if (timer == null) {
            return false;
        }
        long now = nanos.getAsLong();
        long end = now + mostNanos;
        while (timer.dueNanos - now > 0) {
            if (timer.dueNanos - end > 0) {
                return false;
            }
            LockSupport.parkNanos(this, timer.dueNanos - now);
            now = nanos.getAsLong();
        }
        queue.remove();
        if (timer.everyNanos > 0) {
            Timer again = new Timer(timer.id, now + timer.everyNanos, ++lastOrder, timer.everyNanos, timer.task);
            live.put(again.id, again);
            queue.add(again);
        } else {
            live.remove(timer.id);
        }
        timer.task.run();
        return true;
    }
}
