package sh.fazt.cartridge;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/**
 * Puts right what a fence came too late for: rows of an evicted node that this file took before it heard of the
 * eviction. What they wrote over can't be had back by taking them out, as every vector names it already; so this node
 * writes anew, under its own dot, what another member holds in their place, or a tombstone where that one holds
 * nothing. That overtakes them wherever they are. A share of a counter has no writer but its origin and is put back as
 * the other member holds it. Confined to the {@code writer} thread.
 */
final class Cut {
    /** Rows of one transaction. */
    private static final int MOST = 1000;

    private final Engine engine;
    private final Schema schema;
    private final Tx tx;
    private final Scope scope;
    private final SpoolFolder spools;
    private final Map<Place, Row> instead = new HashMap<>();

    private record Place(
            String table, ByteBuffer key, @Nullable Origin share) {
        static Place of(Row row) {
            return new Place(
                    row.table(),
                    ByteBuffer.wrap(RowCodec.key(row.key())),
                    row.counter() ? row.stamp().origin() : null);
        }
    }

    Cut(Engine engine, Schema schema, Tx tx, Scope scope, List<Row> instead, SpoolFolder spools) {
        this.spools = spools;
        this.engine = engine;
        this.schema = schema;
        this.tx = tx;
        this.scope = scope;
        instead.forEach(row -> this.instead.put(Place.of(row), row));
    }

    /** Replaces some; when that is all of it the vector is cut too. In a transaction of its own. */
    void run(VersionVector upTo) {
        List<Row> late = late(upTo);
        if (late.size() <= MOST) {
            VersionVector here = engine.state(scope).vector();
            here.entries().keySet().stream()
                    .filter(origin -> upTo.get(origin) == 0)
                    .forEach(origin -> engine.session()
                            .update(
                                    "DELETE FROM fazt_vector WHERE scope = ? AND origin = ?",
                                    scope.id(),
                                    engine.id(origin)));
            engine.state(scope, engine.state(scope).with(upTo));
        }
        late.stream().limit(MOST).forEach(row -> replace(row, upTo));
    }

    private List<Row> late(VersionVector upTo) {
        List<Row> late = new ArrayList<>();
        try (ReplicaStore.Spool spool = Spools.read(schema, engine.session(), scope, upTo, spools.open(0))) {
            for (int i = 0; i < spool.parts(); i++) {
                late.addAll(RowCodec.read(spool.part(i)).rows());
            }
        }
        return late;
    }

    private void replace(Row late, VersionVector upTo) {
        Row other = instead.get(Place.of(late));
        if (other == null
                && late.table().equals(Schema.CONFLICTS)
                && late.key().get(0) instanceof String loser
                && Stamp.isSeen(loser, upTo)) {
            // What members took over with it may be why none of them noticed that this version lost.
            other = late;
        }
        TableSql table = schema.tables.get(late.table());
        if (table == null
                || late.counter() != (table.policy == Policy.COUNTER)
                || late.key().size() != table.key.size()) {
            engine.unkeep(scope, late);
            if (other != null) {
                engine.park(scope, VersionVector.EMPTY, VersionVector.EMPTY, other, "unknown table", new ArrayList<>());
            }
        } else if (late.counter()) {
            engine.remove(scope, table, late);
            if (other != null) {
                engine.store(scope, table, other, null);
            }
        } else {
            boolean deleted = other == null || other.deleted();
            tx.write(
                    table,
                    late.key(),
                    deleted,
                    deleted || other == null ? Map.of() : Document.values(other.columns()),
                    engine.clock(scope, table, late.key(), late.stamp().origin()));
        }
    }
}
