package sh.fazt.sync;

import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * Removes tombstones that every counting member of their scope has seen and that are a week old. A member that was not
 * heard of for longer than the horizon does not count, nor does anything go while fewer than half of a scope's members
 * count: of two sides of a long split one at most removes. What it knows of who was heard is in the cartridge, so a
 * restart forgets nobody. One turn at a time, where it may block.
 */
public final class Tombstones {
    static final Duration HORIZON = Duration.ofDays(30);
    static final Duration AGE = Duration.ofDays(7);
    /** What one transaction removes of each table: writes wait for it. */
    private static final int MOST = 1_000;
    /** Transactions of one turn and scope. */
    private static final int MOST_STEPS = 20;

    private final Cartridge cartridge;
    private final ReplicaStore store;
    private final InstantSource clock;
    private final Supplier<Set<NodeId>> members;
    private final Supplier<Set<NodeId>> linked;
    private final Holders holders;
    private final BiFunction<Scope, Set<NodeId>, CompletionStage<VersionVector>> acknowledged;
    private final BiFunction<Scope, Set<NodeId>, CompletionStage<Boolean>> inStep;
    private final LongAdder removed = new LongAdder();
    /** What was here at a time, and that every counting member had seen what was here at an earlier one. */
    private Snapshot snapshot = new Snapshot(0, Map.of());

    private volatile long seenByAll;

    private record Snapshot(long at, Map<Scope, VersionVector> vectors) {}

    /**
     * @param clock        the swarm's time
     * @param members      all members but this node
     * @param linked       those that can be heard now
     * @param acknowledged what all of the given members have of a scope, see {@link SyncService#acknowledged}
     * @param inStep       whether all of them are linked and have what is here, see {@link SyncService#inStep}
     */
    public Tombstones(
            Cartridge cartridge,
            ReplicaStore store,
            InstantSource clock,
            Supplier<Set<NodeId>> members,
            Supplier<Set<NodeId>> linked,
            Holders holders,
            BiFunction<Scope, Set<NodeId>, CompletionStage<VersionVector>> acknowledged,
            BiFunction<Scope, Set<NodeId>, CompletionStage<Boolean>> inStep) {
        this.inStep = inStep;
        this.cartridge = cartridge;
        this.store = store;
        this.clock = clock;
        this.members = members;
        this.linked = linked;
        this.holders = holders;
        this.acknowledged = acknowledged;
    }

    /** Tombstones removed since the start. */
    public long removed() {
        return removed.sum();
    }

    /** Removes what may go. To be called now and then; fails as the cartridge does. */
    public void turn() {
        Set<NodeId> others = members.get();
        Map<NodeId, Long> heard = hear(others);
        Snapshot now = new Snapshot(clock.millis(), store.vectors());
        boolean seen = true;
        for (Scope scope : now.vectors().keySet()) {
            Set<NodeId> counting = counting(scope, others, heard);
            if (holders.holds(store.origin().node(), scope) && isMost(scope, counting, others)) {
                remove(scope, counting, Hlc.of(now.at() - AGE.toMillis(), 0));
            }
            VersionVector then = snapshot.vectors().getOrDefault(scope, VersionVector.EMPTY);
            seen &= acknowledged
                    .apply(scope, counting)
                    .toCompletableFuture()
                    .join()
                    .covers(then);
        }
        if (seen) {
            seenByAll = snapshot.at();
            snapshot = now;
        }
    }

    private Set<NodeId> counting(Scope scope, Set<NodeId> others, Map<NodeId, Long> heard) {
        long now = clock.millis();
        Set<NodeId> counting = new HashSet<>(others);
        counting.removeIf(id -> !holders.holds(id, scope) || now - heard.getOrDefault(id, now) > HORIZON.toMillis());
        return counting;
    }

    private boolean isMost(Scope scope, Set<NodeId> counting, Set<NodeId> others) {
        long keepers = others.stream().filter(id -> holders.holds(id, scope)).count();
        return 2 * (counting.size() + 1) > keepers + 1;
    }

    /** Up to when, in Unix milliseconds, every counting member has seen whatever was here; as of the last turn. */
    public long seenByAll() {
        return seenByAll;
    }

    /**
     * Whether this node may remove rows of a scope that the swarm needs no more, by writing their deletions: all members
     * that count are linked and have the very same, so that none is about to need them, and of all of them this is the
     * one that does it.
     */
    public boolean mayTidy(Scope scope) {
        Set<NodeId> others = members.get();
        NodeId self = store.origin().node();
        Set<NodeId> counting = counting(scope, others, hear(others));
        return holders.holds(self, scope)
                && isMost(scope, counting, others)
                && counting.stream().allMatch(other -> self.compareTo(other) < 0)
                && inStep.apply(scope, counting).toCompletableFuture().join();
    }

    private void remove(Scope scope, Set<NodeId> counting, Hlc until) {
        VersionVector stable =
                acknowledged.apply(scope, counting).toCompletableFuture().join();
        for (int step = 0; step < MOST_STEPS && !stable.isEmpty(); step++) {
            int gone = store.collect(scope, stable, until, MOST)
                    .toCompletableFuture()
                    .join();
            removed.add(gone);
            if (gone < MOST) {
                return;
            }
        }
    }

    /** Members that were not heard of for longer than the horizon, and are not linked: nothing waits for them. */
    public Set<NodeId> silent() {
        long now = clock.millis();
        Map<NodeId, Long> heard = heard();
        Set<NodeId> silent = new HashSet<>(members.get());
        silent.removeAll(linked.get());
        silent.removeIf(id -> now - heard.getOrDefault(id, now) <= HORIZON.toMillis());
        return silent;
    }

    /** When each member was last heard, as of the last turn, in Unix milliseconds. */
    private Map<NodeId, Long> heard() {
        Map<NodeId, Long> heard = new HashMap<>();
        cartridge
                .read(rows -> rows.query(
                        "SELECT node, at FROM fazt_heard", row -> Map.entry(NodeId.of(row.bytes(0)), row.integer(1))))
                .forEach(entry -> heard.put(entry.getKey(), entry.getValue()));
        return heard;
    }

    /** When each member was last heard, in Unix milliseconds; one that never was counts from when it is first known. */
    private Map<NodeId, Long> hear(Set<NodeId> others) {
        Map<NodeId, Long> heard = heard();
        Set<NodeId> here = linked.get();
        Set<NodeId> now = new HashSet<>(others);
        now.removeIf(id -> heard.containsKey(id) && !here.contains(id));
        Set<NodeId> left = new HashSet<>(heard.keySet());
        left.removeAll(others);
        if (now.isEmpty() && left.isEmpty()) {
            return heard;
        }
        long millis = clock.millis();
        cartridge
                .writeLocal(tx -> {
                    for (NodeId id : now) {
                        tx.execute(
                                "INSERT INTO fazt_heard VALUES (?, ?) ON CONFLICT (node) DO UPDATE SET at = excluded.at",
                                id.bytes(),
                                millis);
                    }
                    for (NodeId id : left) {
                        tx.execute("DELETE FROM fazt_heard WHERE node = ?", (Object) id.bytes());
                    }
                    return true;
                })
                .toCompletableFuture()
                .join();
        now.forEach(id -> heard.put(id, millis));
        return heard;
    }
}
