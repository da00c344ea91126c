package sh.fazt.runtime.sandbox;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Measures one script thread and, when its invocation has used up its budget, makes it end.
 *
 * <p>Instrumented code calls {@link #poll} before every jump backwards: one read of a flag that is only up while some
 * thread is to be stopped. The {@link Watchdog} raises it. The static methods are the hooks of {@link Instrumenter};
 * outside of an invocation they do nothing.
 *
 * <p>Confined to its thread, except what the watchdog reads and writes, which is volatile.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // written by its own thread only, read by the watchdog
public final class Meter {
    /** Why an invocation was stopped. */
    public enum Stop {
        TIME,
        MEMORY
    }

    /** A string longer than this is refused, so that one native call on it stays short. */
    static final int LONGEST_STRING = 64 << 20;
    /** Arrays smaller than this are left to the watchdog. */
    private static final long WORTH_COUNTING = 256 << 10;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final ThreadLocal<@Nullable Meter> CURRENT = new ThreadLocal<>();

    @SuppressWarnings("NonFinalStaticField") // the one word that instrumented code polls
    private static volatile boolean alarm;

    private final Thread thread;
    private final LongSupplier nanos;
    private volatile boolean running;
    private volatile long deadline;
    private volatile long allocationLimit;
    private volatile long allocatedBefore = -1;
    private volatile long serial;
    private volatile @Nullable Stop stop;
    private volatile long stoppedAt;
    private int paused;
    /** Odd while what is allocated does not count. */
    private volatile int uncounted;

    /** A meter for the calling thread. */
    public Meter(LongSupplier nanos) {
        this.thread = Thread.currentThread();
        this.nanos = nanos;
        CURRENT.set(this);
    }

    /** The meter of the calling thread. */
    public static Meter current() {
        Meter meter = CURRENT.get();
        if (meter == null) {
            throw new IllegalStateException(
                    "not a script thread: " + Thread.currentThread().getName());
        }
        return meter;
    }

    static void raise(boolean up) {
        alarm = up;
    }

    /** Starts to measure an invocation. */
    public void begin(long timeNanos, long allocationBytes) {
        stop = null;
        stoppedAt = 0;
        allocatedBefore = -1;
        allocationLimit = allocationBytes;
        deadline = nanos.getAsLong() + timeNanos;
        serial++;
        running = true;
    }

    /** Ends it; returns why it was stopped, if it was, even when a script swallowed that. */
    public @Nullable Stop end() {
        running = false;
        return stop;
    }

    /** What is left of the time, at least 0. */
    public long remainingNanos() {
        return Math.max(0, deadline - nanos.getAsLong());
    }

    /** Why the invocation is to end, if it is. */
    public @Nullable Stop reason() {
        return stop;
    }

    /** Ends the invocation from within, as the watchdog would. */
    public Kill stop(Stop why) {
        if (stop == null) {
            stop = why;
        }
        alarm = true;
        return new Kill();
    }

    /** Runs something of ours that the script is not to pay for, such as compiling. */
    public <T> T unmeasured(Supplier<T> work) {
        if (!running) {
            return work.get();
        }
        long start = nanos.getAsLong();
        long allocated = allocated();
        long left = deadline - start;
        paused++;
        running = false;
        try {
            return work.get();
        } finally {
            paused--;
            if (allocatedBefore >= 0) {
                allocatedBefore += allocated() - allocated;
            }
            deadline = nanos.getAsLong() + left;
            running = paused == 0;
        }
    }

    /** Runs something that costs the script its time, but whose memory is bounded by itself, whatever it allocates. */
    public <T> T uncounted(Supplier<T> work) {
        uncounted++;
        long before = allocated();
        if (allocatedBefore < 0) {
            allocatedBefore = before;
        }
        try {
            return work.get();
        } finally {
            allocatedBefore += allocated() - before;
            uncounted++;
        }
    }

    private long allocated() {
        return THREADS.getThreadAllocatedBytes(thread.getId());
    }

    /** Called by the watchdog. Returns the nanoseconds since this was told to stop, or -1 if it was not. */
    long examine(long now) {
        if (!running) {
            return -1;
        }
        long seen = serial;
        if (stop == null) {
            if (now - deadline >= 0) {
                stopIfStill(seen, Stop.TIME);
            } else {
                examineMemory(seen);
            }
        }
        if (stop == null || serial != seen) {
            return -1;
        }
        if (stoppedAt == 0) {
            stoppedAt = now;
        }
        return now - stoppedAt;
    }

    private void examineMemory(long seen) {
        int counting = uncounted;
        if (counting % 2 != 0) {
            return;
        }
        if (allocatedBefore < 0) {
            allocatedBefore = allocated();
        } else if (allocated() - allocatedBefore > allocationLimit && uncounted == counting) {
            stopIfStill(seen, Stop.MEMORY);
        }
    }

    private void stopIfStill(long seen, Stop why) {
        // The invocation may have ended meanwhile and the next begun: begin() clears what is set too late, and a
        // stop that hits the next one all the same is excluded by comparing again.
        if (serial == seen && running) {
            stop = why;
            if (serial != seen) {
                stop = null;
            }
        }
    }

    boolean running() {
        return running;
    }

    // Hooks.

    /** Hook: before each jump backwards and on entry of script functions. */
    public static void poll() {
        if (alarm) {
            Meter meter = CURRENT.get();
            if (meter != null && meter.running && meter.stop != null) {
                throw new Kill();
            }
        }
    }

    /** Hook: before an array is made. */
    public static void reserve(int count, int bytesEach) {
        long bytes = (long) count * bytesEach;
        if (bytes < WORTH_COUNTING) {
            return;
        }
        Meter meter = CURRENT.get();
        if (meter == null || !meter.running) {
            return;
        }
        if (meter.allocatedBefore < 0) {
            meter.allocatedBefore = meter.allocated();
        }
        if (meter.allocated() - meter.allocatedBefore + bytes > meter.allocationLimit) {
            throw meter.stop(Stop.MEMORY);
        }
    }

    /** Hook: instead of direct buffers, whose memory nobody counts. */
    public static ByteBuffer buffer(int bytes) {
        reserve(bytes, 1);
        return ByteBuffer.allocate(bytes);
    }

    /** Hook: when strings were concatenated. */
    public static void length(int chars) {
        if (chars > LONGEST_STRING) {
            Meter meter = CURRENT.get();
            if (meter != null && meter.running) {
                throw meter.stop(Stop.MEMORY);
            }
        }
    }

    /** For engine code: ends the invocation if it is to end, and says whether a script must not see a throwable. */
    public static void rethrowIfStopped() {
        Meter meter = CURRENT.get();
        if (meter != null && meter.running && meter.stop != null) {
            throw new Kill();
        }
    }
}
