package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * A replica that takes rows of evicted nodes up to their fences only, whoever brings them. What is refused is counted.
 * A pull that holds refused rows is refused as a whole: such a row may hide an older one that nobody would send again
 * once the vector names it. The member that has taken it puts that right (see {@code Cut}) and is pulled from then.
 *
 * <p>Thread-safe: what is allowed is asked and handed to the writer under one lock, so that whoever has set a fence and
 * then waited for the writer has seen the last of that node.
 */
public final class FencedReplica implements ReplicaStore {
    /** For how long nothing is taken of a node that is about to be evicted: longer than agreeing takes. */
    private static final Duration HOLD = Duration.ofSeconds(90);

    private final ReplicaStore store;
    private final LongSupplier nanos;
    private final LongAdder refused = new LongAdder();
    private Map<NodeId, Map<Scope, VersionVector>> fences = Map.of();
    /** Nodes that nothing more is taken of for now, and until when. */
    private final Map<NodeId, Long> held = new HashMap<>();
    /** Nothing is taken of these, whoever wrote it. */
    private final Set<Scope> still = new HashSet<>();

    public FencedReplica(ReplicaStore store, LongSupplier nanos) {
        this.store = store;
        this.nanos = nanos;
    }

    /** Sets what is agreed: for each evicted node and scope, how far its own origins go. */
    public synchronized void fence(Map<NodeId, Map<Scope, VersionVector>> agreed) {
        fences = Map.copyOf(agreed);
        held.keySet().removeAll(agreed.keySet());
    }

    /** Takes nothing more of a node for a while: until it is agreed how far its rows go. */
    public synchronized void hold(NodeId node) {
        held.put(node, nanos.getAsLong() + HOLD.toNanos());
    }

    /** Takes what a node writes again. */
    public synchronized void release(NodeId node) {
        held.remove(node);
    }

    /** Rows and changesets that were refused, ever. */
    public long refused() {
        return refused.sum();
    }

    /** A vector without what lies beyond agreed fences. */
    public synchronized VersionVector fenced(Scope scope, VersionVector vector) {
        return fences.isEmpty() ? vector : limited(scope, vector, false);
    }

    @Override
    public synchronized VersionVector admissible(Scope scope, VersionVector theirs) {
        return fences.isEmpty() && held.isEmpty() ? theirs : limited(scope, theirs, true);
    }

    private VersionVector limited(Scope scope, VersionVector vector, boolean holds) {
        VersionVector limited = vector;
        for (Map.Entry<Origin, Long> entry : vector.entries().entrySet()) {
            long most = most(scope, entry.getKey(), holds);
            if (entry.getValue() > most) {
                limited = limited.with(entry.getKey(), most);
            }
        }
        return limited;
    }

    private long most(Scope scope, Origin origin, boolean holds) {
        Map<Scope, VersionVector> fence = fences.get(origin.node());
        if (fence != null) {
            return fence.getOrDefault(scope, VersionVector.EMPTY).get(origin);
        }
        Long until = holds ? held.get(origin.node()) : null;
        return until != null && until - nanos.getAsLong() > 0
                ? store.vector(scope).get(origin)
                : Long.MAX_VALUE;
    }

    @Override
    public synchronized CompletionStage<Applied> apply(Changeset changeset) {
        Dot dot = changeset.dot();
        if (still.contains(dot.scope())) {
            return later(dot.scope());
        }
        if (dot.sequence() > most(dot.scope(), dot.origin(), true)) {
            return refuse(1, dot.scope());
        }
        // What is held back only, for now, is waited for: it may come yet, and its effect must not come before it.
        VersionVector deps = fenced(dot.scope(), changeset.deps());
        if (!deps.equals(changeset.deps())) {
            // A document may hold a field of the evicted node's; a pull brings it once its holder has let go of it.
            long late = late(dot.scope(), changeset.contents().rows());
            if (late > 0) {
                return refuse(late, dot.scope());
            }
        }
        return store.apply(
                deps.equals(changeset.deps())
                        ? changeset
                        : new Changeset(dot, changeset.hlc(), deps, changeset.rows()));
    }

    @Override
    public CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts) {
        return apply(scope, since, senderVector, parts, Floor.NONE);
    }

    @Override
    public synchronized CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts, Floor floor) {
        if (still.contains(scope)) {
            return later(scope);
        }
        VersionVector sender = admissible(scope, senderVector);
        if (!sender.equals(senderVector)) {
            long late = parts.stream()
                    .mapToLong(part -> late(scope, RowCodec.read(part).rows()))
                    .sum();
            if (late > 0) {
                return refuse(late, scope);
            }
        }
        return store.apply(scope, since, sender, parts, floor);
    }

    private long late(Scope scope, List<Row> rows) {
        return rows.stream()
                .filter(row ->
                        row.stamps().stream().anyMatch(stamp -> stamp.sequence() > most(scope, stamp.origin(), true)))
                .count();
    }

    /** Scopes of which more is here than is agreed. */
    public List<Scope> overrun() {
        List<Scope> overrun = new ArrayList<>();
        store.vectors().forEach((scope, vector) -> {
            if (!fenced(scope, vector).equals(vector)) {
                overrun.add(scope);
            }
        });
        return overrun;
    }

    /** Takes nothing of a scope, from anybody, until {@link #resume}. */
    synchronized void still(Scope scope) {
        still.add(scope);
    }

    synchronized void resume(Scope scope) {
        still.remove(scope);
    }

    /** Adds what a member holds, without what it has beyond agreed fences. */
    synchronized void add(Scope scope, Instead instead, NodeId member, Pulls.Whole theirs) {
        List<Row> clean = theirs.rows().stream()
                .filter(row ->
                        row.stamps().stream().allMatch(stamp -> stamp.sequence() <= most(scope, stamp.origin(), false)))
                .toList();
        boolean whole = clean.size() == theirs.rows().size();
        instead.add(member, fenced(scope, theirs.vector()), clean, whole);
    }

    /**
     * Replaces what lies beyond agreed fences, see {@link ReplicaStore#cut}. Of an evicted node's shares of counters
     * those stay that somebody vouches for.
     *
     * @param counting members that may still bring what they wrote, and others from them: where one has written more
     *     that is here than others vouch for, it may have been written over here, and they would take for its successor
     *     what is put there. Once all of them were asked there is nobody else
     */
    CompletionStage<Applied> cut(Scope scope, Set<NodeId> counting, Instead instead) {
        return cut(
                scope,
                here -> {
                    VersionVector upTo = fenced(scope, here);
                    VersionVector vouched = vouched(upTo, instead.vouched());
                    boolean enough = instead.members().containsAll(counting)
                            || vouched.equals(upTo)
                                    && counting.stream()
                                            .allMatch(id -> instead.vouched().covers(upTo.by(id)));
                    return enough ? Optional.of(vouched) : Optional.empty();
                },
                instead.rows());
    }

    private synchronized VersionVector vouched(VersionVector upTo, VersionVector vouched) {
        VersionVector limited = upTo;
        for (Map.Entry<Origin, Long> entry : upTo.entries().entrySet()) {
            if (fences.containsKey(entry.getKey().node())) {
                limited = limited.with(entry.getKey(), Math.min(entry.getValue(), vouched.get(entry.getKey())));
            }
        }
        return limited;
    }

    private static CompletionStage<Applied> later(Scope scope) {
        return CompletableFuture.failedFuture(
                new IllegalStateException("scope " + scope.id() + ": rows of an evicted node are being replaced"));
    }

    private CompletionStage<Applied> refuse(long rows, Scope scope) {
        refused.add(rows);
        return CompletableFuture.failedFuture(new IllegalStateException(
                "scope " + scope.id() + ": what an evicted node wrote later is refused rows=" + rows));
    }

    @Override
    public Origin origin() {
        return store.origin();
    }

    @Override
    public Map<Scope, VersionVector> vectors() {
        return store.vectors();
    }

    @Override
    public VersionVector vector(Scope scope) {
        return store.vector(scope);
    }

    @Override
    public Spool open(Scope scope, VersionVector since) {
        return store.open(scope, since);
    }

    @Override
    public Scratch scratch(long bytes) {
        return store.scratch(bytes);
    }

    @Override
    public long digest(Scope scope) {
        return store.digest(scope);
    }

    @Override
    public Floor floor(Scope scope) {
        return store.floor(scope);
    }

    @Override
    public CompletionStage<Integer> collect(Scope scope, VersionVector stable, Hlc until, int most) {
        return store.collect(scope, stable, until, most);
    }

    @Override
    public CompletionStage<Applied> cut(
            Scope scope, Function<VersionVector, Optional<VersionVector>> fence, List<Row> instead) {
        return store.cut(scope, fence, instead);
    }

    @Override
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        return store.forget(scope, at);
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        return store.openEpoch();
    }

    @Override
    public boolean inDoubt() {
        return store.inDoubt();
    }

    @Override
    public VersionVector certain(Scope scope) {
        return store.certain(scope);
    }

    @Override
    public CompletionStage<Boolean> settle() {
        return store.settle();
    }

    @Override
    public Scan scan(Scope scope, @Nullable String table, Consumer<Row> rows) {
        return store.scan(scope, table, rows);
    }

    @Override
    public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
        return store.repair(scope, repair);
    }

    @Override
    public Weight weigh(Scope scope, VersionVector since) {
        return store.weigh(scope, since);
    }
}
