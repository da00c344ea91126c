package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
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
    private final ReplicaStore store;
    private final LongSupplier nanos;
    private final LongAdder refused = new LongAdder();
    private Map<NodeId, Map<Scope, VersionVector>> fences = Map.of();
    /** Nodes that nothing more is taken of for now, and until when. */
    private final Map<NodeId, Long> held = new HashMap<>();

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
    public synchronized void hold(NodeId node, Duration patience) {
        held.put(node, nanos.getAsLong() + patience.toNanos());
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
        if (dot.sequence() > most(dot.scope(), dot.origin(), true)) {
            return refuse(1, dot.scope());
        }
        VersionVector deps = admissible(dot.scope(), changeset.deps());
        if (!deps.equals(changeset.deps())) {
            // A document may hold a field of the evicted node's; a pull brings it once its holder has let go of it.
            long late = late(dot.scope(), RowCodec.read(changeset.rows()).rows());
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

    /** Whether none of the rows lies beyond an agreed fence. */
    public synchronized boolean isClean(Scope scope, List<Row> rows) {
        return rows.stream()
                .flatMap(row -> row.stamps().stream())
                .allMatch(stamp -> stamp.sequence() <= most(scope, stamp.origin(), false));
    }

    /** The rows of a pull. */
    public static List<Row> rows(List<byte[]> parts) {
        List<Row> rows = new ArrayList<>();
        parts.forEach(part -> rows.addAll(RowCodec.read(part).rows()));
        return rows;
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
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        return store.forget(scope, at);
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        return store.openEpoch();
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
