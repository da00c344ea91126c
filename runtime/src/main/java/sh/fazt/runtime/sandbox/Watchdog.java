package sh.fazt.runtime.sandbox;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Looks at every meter each few milliseconds while there is work, and raises the flag that instrumented code polls.
 * Sleeps when nothing has run for a while, so that an idle node does not wake up.
 *
 * <p>Thread-safe; its own thread is {@code js-watch}.
 */
public final class Watchdog implements AutoCloseable {
    /** One thread to watch. */
    public interface Watched {
        Meter meter();

        /** Called on {@code js-watch} while an invocation is past its end by so much and still runs. */
        void overdue(long nanos);
    }

    private static final long TICK_NANOS = 5_000_000;
    private static final int TICKS_AWAKE = 100;

    private final LongSupplier nanos;
    private final Runnable eachTick;
    private final List<Watched> watched = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean asleep;
    private volatile boolean closed;

    /**
     * @param maker makes the thread from its body
     * @param eachTick called on each tick
     */
    public Watchdog(OneThread maker, LongSupplier nanos, Runnable eachTick) {
        this.nanos = nanos;
        this.eachTick = eachTick;
        this.thread = maker.make(this::run);
        thread.start();
    }

    /** Makes one thread. */
    @FunctionalInterface
    public interface OneThread {
        Thread make(Runnable body);
    }

    public void watch(Watched one) {
        watched.add(one);
    }

    public void forget(Watched one) {
        watched.remove(one);
    }

    /** To be called when work starts: cheap while the watchdog is awake. */
    public void wake() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        int idle = 0;
        while (!closed) {
            if (idle > TICKS_AWAKE) {
                asleep = true;
                if (watched.stream().noneMatch(w -> w.meter().running())) {
                    LockSupport.park(this);
                }
                asleep = false;
                idle = 0;
            } else {
                LockSupport.parkNanos(this, TICK_NANOS);
            }
            idle = tick() ? 0 : idle + 1;
        }
        Meter.raise(false);
    }

    private boolean tick() {
        long now = nanos.getAsLong();
        boolean busy = false;
        boolean alarm = false;
        for (Watched one : watched) {
            Meter meter = one.meter();
            busy |= meter.running();
            long over = meter.examine(now);
            if (over >= 0) {
                alarm = true;
                one.overdue(over);
            }
        }
        Meter.raise(alarm);
        eachTick.run();
        return busy;
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
