package sh.fazt.node.ops;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that a thread on which much hangs stands still: writes every thread's stack into the log, once each time, and
 * complains for as long as it lasts. It ends nothing, since a thread of Java can't be ended from outside without
 * harm, and what is slow may yet succeed. {@link #complaints} and {@link #metrics} may be called on any thread.
 */
public final class Standstill implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Standstill.class);
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int MOST_FRAMES = 60;

    private final List<Watched> watched;
    private final LongSupplier nanos;
    private final Supplier<String> stacks;
    private final BiConsumer<String, String> tell;
    /** Since when each that stands has stood. Replaced as a whole. */
    private volatile Map<Watched, Long> standing = Map.of();

    private final Map<Watched, Long> counts = new LinkedHashMap<>();
    private long looked;
    private long awake;
    private volatile @Nullable Thread thread;

    /** Something that does one thing after the other. */
    public interface Watched {
        /** As in "the {name} thread". */
        String name();

        /** What does not happen while it stands, as in "nothing is written". */
        String harm();

        /** Since when, in nanoTime, it has been at what it does now; empty while it waits for work. */
        OptionalLong since();
    }

    /**
     * @param tell told what happened and what is known of it, on the watching thread; must return at once
     */
    public Standstill(List<Watched> watched, LongSupplier nanos, BiConsumer<String, String> tell) {
        this(watched, nanos, tell, Standstill::everyStack);
    }

    Standstill(List<Watched> watched, LongSupplier nanos, BiConsumer<String, String> tell, Supplier<String> stacks) {
        this.watched = List.copyOf(watched);
        this.nanos = nanos;
        this.tell = tell;
        this.stacks = stacks;
        looked = nanos.getAsLong();
        awake = looked;
        this.watched.forEach(each -> counts.put(each, 0L));
    }

    /** An executor of one thread is watched by asking it for a sign of life, one question at a time. */
    public static Watched executor(String name, String harm, Executor executor, LongSupplier nanos) {
        return new Watched() {
            private volatile boolean asked;
            private volatile long askedAt;

            @Override
            public String name() {
                return name;
            }

            @Override
            public String harm() {
                return harm;
            }

            @Override
            public OptionalLong since() {
                if (asked) {
                    return OptionalLong.of(askedAt);
                }
                askedAt = nanos.getAsLong();
                asked = true;
                try {
                    executor.execute(() -> asked = false);
                } catch (RejectedExecutionException ending) {
                    asked = false;
                }
                return OptionalLong.empty();
            }
        };
    }

    /** Watches on a thread of its own until {@link #close}. */
    public Standstill start(ThreadFactory threads) {
        Thread begun = threads.newThread(() -> {
            while (thread != null) {
                LockSupport.parkNanos(EVERY.toNanos());
                look();
            }
        });
        thread = begun;
        begun.start();
        return this;
    }

    /** Looks once; to be called every second. */
    void look() {
        long now = nanos.getAsLong();
        if (now - looked > PATIENCE.toNanos()) {
            // This thread stood still too: the machine slept, or the process was stopped.
            awake = now;
        }
        looked = now;
        Map<Watched, Long> before = standing;
        Map<Watched, Long> after = new LinkedHashMap<>();
        for (Watched each : watched) {
            OptionalLong since = each.since();
            Long known = before.get(each);
            if (known != null && (since.isEmpty() || since.getAsLong() != known)) {
                String text = "the " + each.name() + " thread goes on after " + seconds(now - known) + " s";
                LOG.info("{}", text);
                tell.accept(text, "");
                known = null;
            }
            if (known != null) {
                after.put(each, known);
            } else if (since.isPresent()
                    && now - since.getAsLong() >= PATIENCE.toNanos()
                    && now - awake >= PATIENCE.toNanos()) {
                after.put(each, since.getAsLong());
                synchronized (counts) {
                    counts.merge(each, 1L, Long::sum);
                }
                LOG.error(
                        "the {} thread stands still for={}s\n{}",
                        each.name(),
                        seconds(now - since.getAsLong()),
                        stacks.get());
                tell.accept(
                        "the " + each.name() + " thread stands still",
                        each.harm() + " until it goes on; the node's log has the stacks");
            }
        }
        standing = after;
    }

    private static long seconds(long nanos) {
        return Duration.ofNanos(nanos).toSeconds();
    }

    /** What stands now, in words for the owner. */
    public List<String> complaints() {
        List<String> complaints = new ArrayList<>();
        standing.forEach((each, since) -> complaints.add("the " + each.name() + " thread has stood still for "
                + seconds(nanos.getAsLong() - since) + " s: " + each.harm()
                + " until it goes on. The node's log has the stacks; is the disk well? If it does not end, restart the"
                + " node: what was acknowledged is safe"));
        return complaints;
    }

    /** For programs, in the text format of Prometheus. */
    public String metrics() {
        StringBuilder text = new StringBuilder();
        text.append("# HELP fazt_standstills_total How often the thread stood still for 5 s or more.\n");
        text.append("# TYPE fazt_standstills_total counter\n");
        synchronized (counts) {
            counts.forEach((each, count) -> text.append("fazt_standstills_total{thread=\"")
                    .append(each.name())
                    .append("\"} ")
                    .append(count)
                    .append('\n'));
        }
        return text.toString();
    }

    private static String everyStack() {
        StringBuilder text = new StringBuilder();
        Thread.getAllStackTraces().entrySet().stream()
                .filter(entry -> entry.getValue().length > 0)
                .sorted((a, b) -> a.getKey().getName().compareTo(b.getKey().getName()))
                .forEach(entry -> {
                    text.append(entry.getKey().getName())
                            .append(' ')
                            .append(entry.getKey().getState());
                    StackTraceElement[] frames = entry.getValue();
                    for (int i = 0; i < frames.length && i < MOST_FRAMES; i++) {
                        text.append("\n    at ").append(frames[i]);
                    }
                    text.append('\n');
                });
        return text.toString();
    }

    @Override
    public void close() {
        Thread watching = thread;
        thread = null;
        LockSupport.unpark(watching);
    }
}
