package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/**
 * Asks for everything that is not here, one run at a time, some blobs at once: what cannot be had is tried three times
 * and then named. Thread-safe: a monitor, under which nothing is called; the cartridge is read on {@code io}.
 */
final class BlobSync {
    private static final Logger LOG = LoggerFactory.getLogger(BlobSync.class);
    private static final int AT_ONCE = 64;
    private static final int TRIES = 3;
    /** Who was missing may be back by then. */
    private static final Duration TRY_AGAIN = Duration.ofSeconds(2);

    /** While anything comes, what is late is waited for again. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** So many blobs that can't be had are named. */
    private static final int NAMED = 100;

    private final Blobs blobs;
    private final BiFunction<String, Duration, CompletionStage<HeldBack.Outcome>> fetch;
    private final Executor io;
    private final LongSupplier nanos;
    private @Nullable Scope scope;
    private boolean running;
    private String cursor = "";
    private boolean listed;
    private Blobs.Amount all = new Blobs.Amount(0, 0);
    private long gotBlobs;
    private long gotBytes;
    private long lost;
    private final List<String> missing = new ArrayList<>();
    private final Map<NodeId, Long> from = new HashMap<>();
    private final Queue<Try> waiting = new ArrayDeque<>();
    private int asked;
    private boolean filling;
    /** Bytes that came from whomever in this run. */
    private long moved;

    /** One blob of a run. @param before bytes of the run that had come when it was asked for */
    private record Try(Blobs.Wanted blob, int number, long at, long before) {}

    /** @param fetch has a blob fetched, and tells how that ended */
    BlobSync(
            Blobs blobs,
            BiFunction<String, Duration, CompletionStage<HeldBack.Outcome>> fetch,
            Executor io,
            LongSupplier nanos) {
        this.blobs = blobs;
        this.fetch = fetch;
        this.io = io;
        this.nanos = nanos;
    }

    /** How far the present run is, or how the last one ended. */
    synchronized Syncing state() {
        return new Syncing(running, scope, all, new Blobs.Amount(gotBlobs, gotBytes), from, missing, lost);
    }

    /** Begins a run, unless one is under way; answers what runs. Blocking. */
    Syncing start(@Nullable Scope wanted) {
        Blobs.Amount amount = blobs.lackingOf(wanted);
        synchronized (this) {
            if (running) {
                return state();
            }
            scope = wanted;
            cursor = "";
            listed = amount.blobs() == 0;
            running = !listed;
            all = amount;
            gotBlobs = 0;
            gotBytes = 0;
            lost = 0;
            moved = 0;
            missing.clear();
            from.clear();
        }
        fillSoon();
        return state();
    }

    /** Some bytes of a blob came. */
    synchronized void fetched(NodeId peer, int bytes) {
        if (running) {
            from.merge(peer, (long) bytes, Long::sum);
            moved += bytes;
        }
    }

    /** Time passed. */
    void tick() {
        List<Try> due = new ArrayList<>();
        synchronized (this) {
            Iterator<Try> all = waiting.iterator();
            while (all.hasNext()) {
                Try one = all.next();
                if (nanos.getAsLong() - one.at() >= 0) {
                    all.remove();
                    due.add(one);
                }
            }
        }
        due.forEach(this::ask);
        fillSoon();
    }

    private void fillSoon() {
        synchronized (this) {
            if (!running || listed || filling || asked >= AT_ONCE) {
                return;
            }
            filling = true;
        }
        try {
            io.execute(() -> {
                try {
                    fill();
                } catch (RuntimeException e) {
                    LOG.debug("what is lacking can't be listed now; the next tick tries again", e);
                } finally {
                    synchronized (this) {
                        filling = false;
                    }
                }
            });
        } catch (RejectedExecutionException busy) {
            synchronized (this) {
                filling = false;
            }
        }
    }

    private void fill() {
        Scope of;
        String after;
        int room;
        synchronized (this) {
            of = scope;
            after = cursor;
            room = AT_ONCE - asked;
            if (room <= 0 || listed) {
                return;
            }
        }
        List<Blobs.Wanted> page = blobs.wanted(of, after, room);
        List<Try> tries = new ArrayList<>();
        synchronized (this) {
            listed = page.size() < room;
            for (Blobs.Wanted blob : page) {
                cursor = blob.hash();
                asked++;
                tries.add(new Try(blob, 1, nanos.getAsLong(), moved));
            }
            running = asked > 0 || !listed;
        }
        tries.forEach(this::ask);
    }

    private void ask(Try one) {
        fetch.apply(one.blob().hash(), PATIENCE).whenComplete((outcome, failed) -> {
            ended(one, failed == null ? outcome : HeldBack.Outcome.LATE);
            fillSoon();
        });
    }

    private synchronized void ended(Try one, HeldBack.Outcome outcome) {
        boolean goesOn = outcome == HeldBack.Outcome.LATE && moved > one.before();
        if (outcome == HeldBack.Outcome.HERE) {
            gotBlobs++;
            gotBytes += Math.max(0, one.blob().size());
        } else if (goesOn || one.number() < TRIES) {
            waiting.add(new Try(
                    one.blob(),
                    goesOn ? one.number() : one.number() + 1,
                    nanos.getAsLong() + TRY_AGAIN.toNanos(),
                    moved));
            return;
        } else {
            lost++;
            if (missing.size() < NAMED) {
                missing.add(one.blob().hash());
            }
        }
        asked--;
        running = asked > 0 || !listed;
    }
}
