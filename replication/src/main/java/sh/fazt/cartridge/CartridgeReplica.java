package sh.fazt.cartridge;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/** A cartridge as sync sees it. Thread-safe as that is. */
final class CartridgeReplica implements ReplicaStore {
    private final SqliteCartridge cartridge;
    private final GroupCommit commits;
    private final Engine engine;
    private final Schema schema;
    private final SpoolFolder spools;

    CartridgeReplica(SqliteCartridge cartridge, GroupCommit commits, Engine engine, Schema schema, SpoolFolder spools) {
        this.cartridge = cartridge;
        this.commits = commits;
        this.engine = engine;
        this.schema = schema;
        this.spools = spools;
    }

    @Override
    public Origin origin() {
        Origin live = cartridge.origin();
        if (live == null) {
            throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
        }
        return live;
    }

    @Override
    public Map<Scope, VersionVector> vectors() {
        Map<Scope, VersionVector> vectors = new HashMap<>();
        commits.published().forEach((scope, state) -> vectors.put(new Scope(scope), state.vector()));
        return Map.copyOf(vectors);
    }

    @Override
    public VersionVector vector(Scope scope) {
        Engine.State state = commits.published().get(scope.id());
        return state == null ? VersionVector.EMPTY : state.vector();
    }

    @Override
    public long digest(Scope scope) {
        Engine.State state = commits.published().get(scope.id());
        return state == null ? 0 : state.digest();
    }

    @Override
    public CompletionStage<Applied> apply(Changeset changeset) {
        Scope scope = changeset.dot().scope();
        Origin from = changeset.dot().origin();
        long sequence = changeset.dot().sequence();
        return commits.submit(new Job<Applied>() {
            @Override
            Applied run(List<Commit> events) {
                VersionVector here = engine.state(scope).vector();
                if (here.includes(from, sequence)) {
                    return Applied.KNOWN;
                }
                if (here.get(from) != sequence - 1 || !here.covers(changeset.deps())) {
                    return Applied.NEEDS_PULL;
                }
                VersionVector sender = changeset.deps().with(from, sequence);
                if (new Floors(engine, schema, scope).doubts(sender, changeset)) {
                    // Whoever sent it may have deleted it since: what it has now is what counts.
                    return Applied.NEEDS_PULL;
                }
                merging(scope, events)
                        .run(sender, List.of(changeset.contents()), here.with(from, sequence), changeset, Floor.NONE);
                return Applied.DONE;
            }
        });
    }

    @Override
    public CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts) {
        return apply(scope, since, senderVector, parts, Floor.NONE);
    }

    @Override
    public CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts, Floor floor) {
        return commits.submit(new Job<Applied>() {
            @Override
            Applied run(List<Commit> events) {
                VersionVector here = engine.state(scope).vector();
                if (!here.covers(since)) {
                    return Applied.NEEDS_PULL;
                }
                if (here.covers(senderVector)) {
                    return Applied.KNOWN;
                }
                merging(scope, events)
                        .run(
                                senderVector,
                                () -> parts.stream().map(RowCodec::read).iterator(),
                                here.merge(senderVector),
                                null,
                                floor);
                return Applied.DONE;
            }
        });
    }

    private Merging merging(Scope scope, List<Commit> events) {
        return new Merging(engine, schema, scope, cartridge.origin(), events);
    }

    @Override
    public Spool open(Scope scope, VersionVector since) {
        return cartridge.read(rows -> Spools.answer(schema, (Session) rows, scope, since, spools.open(0)));
    }

    @Override
    public Scratch scratch(long bytes) {
        return spools.open(bytes);
    }

    @Override
    public Scan scan(Scope scope, @Nullable String table, Consumer<Row> rows) {
        return cartridge.read(session -> Scans.read(schema, (Session) session, scope, table, rows));
    }

    @Override
    public Weight weigh(Scope scope, VersionVector since) {
        return cartridge.read(rows -> Weights.of(schema, (Session) rows, scope, since));
    }

    @Override
    public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
        return commits.submit(new Job<Boolean>() {
            @Override
            Boolean run(List<Commit> events) {
                Engine.Merged repaired = new Repairs(engine, scope, origin()).run(repair, schema);
                if (repaired == null) {
                    return false;
                }
                events.add(new Commit(scope, null, false, repaired.changed()));
                Merging merging = merging(scope, events);
                merging.writeAnew(repaired.anew());
                merging.record(repaired.losers());
                return true;
            }
        });
    }

    @Override
    public Floor floor(Scope scope) {
        return cartridge.read(rows -> Floors.read((Session) rows, scope, new RowReader((Session) rows)::origin));
    }

    @Override
    public CompletionStage<Integer> collect(Scope scope, VersionVector stable, Hlc until, int most) {
        return commits.submit(new Job<Integer>() {
            @Override
            Integer run(List<Commit> events) {
                return new Floors(engine, schema, scope).collect(stable, until, most);
            }
        });
    }

    @Override
    public CompletionStage<Applied> cut(
            Scope scope, Function<VersionVector, Optional<VersionVector>> fence, List<Row> instead) {
        return commits.submit(new Job<Applied>() {
            @Override
            Applied run(List<Commit> events) {
                VersionVector here = engine.state(scope).vector();
                VersionVector upTo = fence.apply(here).orElse(null);
                if (upTo == null) {
                    return Applied.NEEDS_PULL;
                }
                if (upTo.equals(here)) {
                    return Applied.KNOWN;
                }
                Tx tx = new Tx(engine, scope, origin());
                new Cut(engine, schema, tx, scope, instead, spools).run(upTo);
                events.add(new Commit(scope, tx.changeset(), true, tx.changes()));
                return Applied.DONE;
            }

            @Override
            boolean alone() {
                return true;
            }
        });
    }

    @Override
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        return cartridge.forget(scope, at);
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        return cartridge.openEpoch();
    }

    @Override
    public boolean inDoubt() {
        return engine.doubt() != null;
    }

    @Override
    public VersionVector certain(Scope scope) {
        // First: what is published when it ends has been renamed.
        Doubt doubt = engine.doubt();
        VersionVector vector = vector(scope);
        return doubt == null ? vector : doubt.certain(scope, vector);
    }

    @Override
    public CompletionStage<Boolean> settle() {
        return cartridge.settle();
    }
}
