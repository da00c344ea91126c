package sh.fazt.sync;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * How far each peer is behind, in changes, rows, bytes and time. Changes and time follow every tick; rows and bytes
 * are counted in the cartridge, once a second while there are any. Confined to {@code swarm}, but for
 * {@link #lags}.
 */
final class LagMeter {
    private static final Logger LOG = LoggerFactory.getLogger(LagMeter.class);
    private static final long COUNT_EVERY = Duration.ofSeconds(1).toNanos();
    /** Commits nearer to each other than this count as one: it bounds the error, and the memory. */
    private static final long GRAIN = Duration.ofMillis(100).toNanos();
    /**
     * What a peer has told of what was pushed to it is up to a second old, and a tick at each end: it has had more since.
     * The middle is the least wrong.
     */
    private static final long HAD_SINCE =
            SyncCore.TELL_EVERY.plusMillis(500).dividedBy(2).toNanos();
    /** Above this every second one is let go: the error stays under one in a hundred. */
    private static final int MOST_MARKS = 256;

    private final ReplicaStore store;
    private final Executor swarm;
    private final Executor io;
    private final LongSupplier nanos;
    private final InstantSource clock;
    private final Map<Scope, VersionVector> noted;
    private final Map<Scope, Map<Origin, TreeMap<Long, Long>>> marks = new HashMap<>();
    private final Map<NodeId, Counted> counted = new HashMap<>();
    private volatile Map<NodeId, Lag> lags = Map.of();
    private volatile long takenAt;

    private static final class Counted {
        boolean running;
        long at = Long.MIN_VALUE / 2;
        long rows;
        long bytes;
        /** Of changes from before the start: by their writers' clocks. */
        long oldestUnixMillis;
    }

    LagMeter(ReplicaStore store, Executor swarm, Executor io, LongSupplier nanos, InstantSource clock) {
        this.store = store;
        this.swarm = swarm;
        this.io = io;
        this.nanos = nanos;
        this.clock = clock;
        this.noted = new HashMap<>(store.vectors());
    }

    /** Something of a scope was committed: what is new in its vector is as old as now. */
    void committed(Scope scope) {
        long now = nanos.getAsLong();
        VersionVector vector = store.vector(scope);
        VersionVector before = noted.put(scope, vector);
        vector.entries().forEach((origin, sequence) -> {
            long last = before == null ? 0 : before.get(origin);
            if (sequence > last) {
                mark(scope, origin, last + 1, now);
            }
        });
    }

    private void mark(Scope scope, Origin origin, long sequence, long now) {
        TreeMap<Long, Long> times =
                marks.computeIfAbsent(scope, any -> new HashMap<>()).computeIfAbsent(origin, any -> new TreeMap<>());
        if (!times.isEmpty() && now - times.lastEntry().getValue() < GRAIN) {
            return;
        }
        times.put(sequence, now);
        if (times.size() > MOST_MARKS) {
            boolean keep = true;
            for (Iterator<Long> each = times.keySet().iterator(); each.hasNext(); keep = !keep) {
                each.next();
                if (!keep) {
                    each.remove();
                }
            }
        }
    }

    /** When the first transaction of an origin above a sequence came here; null when before the start. */
    private @Nullable Long since(Scope scope, Origin origin, long above) {
        TreeMap<Long, Long> times = marks.getOrDefault(scope, Map.of()).get(origin);
        Map.Entry<Long, Long> mark = times == null ? null : times.floorEntry(above + 1);
        return mark == null ? null : mark.getValue();
    }

    /** Takes the figures anew. */
    void tick(SyncCore core, Collection<NodeId> peers) {
        long now = nanos.getAsLong();
        Map<NodeId, Lag> next = new HashMap<>();
        counted.keySet().retainAll(peers);
        Collection<Map<Scope, VersionVector>> needed = new ArrayList<>();
        for (NodeId peer : peers) {
            Map<Scope, VersionVector> lacking = core.lacking(peer);
            needed.add(lacking);
            Counted count = counted.computeIfAbsent(peer, any -> new Counted());
            if (lacking.isEmpty()) {
                count.rows = 0;
                count.bytes = 0;
                count.oldestUnixMillis = 0;
                next.put(peer, new Lag(0, 0, 0, Duration.ZERO, core.ahead(peer)));
                continue;
            }
            long linkedUntil = core.linkedUntil(peer, now);
            long oldest = 0;
            boolean older = false;
            for (Map.Entry<Scope, VersionVector> one : lacking.entrySet()) {
                for (Map.Entry<Origin, Long> here :
                        store.vector(one.getKey()).entries().entrySet()) {
                    long has = one.getValue().get(here.getKey());
                    if (here.getValue() > has) {
                        Long at = since(one.getKey(), here.getKey(), has);
                        if (at == null) {
                            older = true;
                        } else {
                            oldest = Math.max(oldest, now - at - (at <= linkedUntil ? HAD_SINCE : 0));
                        }
                    }
                }
            }
            if (older && count.oldestUnixMillis > 0) {
                long millis = Math.max(0, clock.millis() - count.oldestUnixMillis);
                oldest = Math.max(oldest, Duration.ofMillis(millis).toNanos());
            }
            if (!count.running && now - count.at >= COUNT_EVERY) {
                count(lacking, count);
            }
            next.put(
                    peer,
                    new Lag(core.behind(peer), count.rows, count.bytes, Duration.ofNanos(oldest), core.ahead(peer)));
        }
        takenAt = now;
        lags = Map.copyOf(next);
        forget(needed);
    }

    /**
     * Lets go of the marks of what every peer has. So the first that is kept is that of the oldest change that somebody
     * lacks, and letting others go in between never makes it look older.
     */
    private void forget(Collection<Map<Scope, VersionVector>> needed) {
        marks.forEach((scope, origins) -> origins.forEach((origin, times) -> {
            if (times.size() < 2) {
                return;
            }
            long least = needed.stream()
                    .map(lacking -> lacking.get(scope))
                    .filter(Objects::nonNull)
                    .mapToLong(has -> has.get(origin))
                    .min()
                    .orElse(Long.MAX_VALUE - 1);
            Long first = times.floorKey(least + 1);
            if (first != null) {
                times.headMap(first).clear();
            }
        }));
    }

    private void count(Map<Scope, VersionVector> lacking, Counted count) {
        count.running = true;
        io.execute(() -> {
            long[] sum = {0, 0, Long.MAX_VALUE};
            try {
                lacking.forEach((scope, since) -> {
                    ReplicaStore.Weight weight = store.weigh(scope, since);
                    sum[0] += weight.rows();
                    sum[1] += weight.bytes();
                    if (weight.rows() > 0) {
                        sum[2] = Math.min(sum[2], weight.oldest().unixMillis());
                    }
                });
            } catch (RuntimeException e) {
                LOG.debug("can't count what peers lack", e);
            }
            swarm.execute(() -> {
                count.running = false;
                count.at = nanos.getAsLong();
                count.rows = sum[0];
                count.bytes = sum[1];
                count.oldestUnixMillis = sum[2] == Long.MAX_VALUE ? 0 : sum[2];
            });
        });
    }

    /** Every known peer's figures as of the last tick, their ages as of now. */
    Map<NodeId, Lag> lags() {
        Map<NodeId, Lag> now = new HashMap<>();
        long more = Math.max(0, nanos.getAsLong() - takenAt);
        lags.forEach((peer, lag) -> now.put(
                peer,
                lag.behind() == 0
                        ? lag
                        : new Lag(
                                lag.behind(),
                                lag.behindRows(),
                                lag.behindBytes(),
                                lag.oldest().plusNanos(more),
                                lag.ahead())));
        return now;
    }
}
