package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Change;
import sh.fazt.cartridge.Engine.Loser;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Fingerprint;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore.Repair;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;

/**
 * Puts right what an audit found: in the open transaction, and with the digest taken from what is stored, as the
 * one that was kept may tell of rows that are gone. Confined to the {@code writer} thread.
 */
final class Repairs {
    private final Engine engine;
    private final Scope scope;
    private final Origin live;
    private final List<Change> changed = new ArrayList<>();
    private final List<Loser> losers = new ArrayList<>();

    Repairs(Engine engine, Scope scope, Origin live) {
        this.engine = engine;
        this.scope = scope;
        this.live = live;
    }

    /** Answers what changed, and what was written over; null when the scope has moved on since the scan. */
    Engine.@Nullable Merged run(Repair repair, Schema schema) {
        Engine.State state = engine.state(scope);
        if (!state.vector().equals(repair.at())) {
            return null;
        }
        engine.state(scope, new Engine.State(state.vector(), repair.found(), state.hlc()));
        for (TableSql table : schema.tables.values()) {
            removeForeign(table);
        }
        engine.session()
                .update(
                        "DELETE FROM fazt_parked AS p WHERE scope = ? AND NOT EXISTS (SELECT 1 FROM fazt_vector v"
                                + " WHERE v.scope = p.scope AND v.origin = p.origin AND v.seq >= p.seq)",
                        scope.id());
        repair.take().forEach(this::take);
        for (Row lost : repair.lost()) {
            Stamp winner = lost.stamp();
            losers.add(new Loser(lost.table(), lost.key(), lost.stamp(), lost.deleted(), lost.columns(), winner));
        }
        return new Engine.Merged(changed, losers, repair.anew());
    }

    /** Rows that no writer of a swarm has written: they would never leave this file, and stand in the way. */
    private void removeForeign(TableSql table) {
        record Foreign(long id, List<Object> key, boolean deleted, Map<String, @Nullable Object> columns, long hlc) {}
        int last = 5 + table.key.size() + table.columns.size();
        for (Foreign row : engine.session()
                .query(
                        table.foreign,
                        row -> new Foreign(
                                row.integer(last),
                                RowReader.key(table, row, 5),
                                row.integer(3) != 0,
                                RowReader.columns(table, row),
                                row.integer(2)),
                        scope.id())) {
            // It has no origin that another node knows: it is told as what came here after all that was seen.
            Stamp stamp = new Stamp(live, engine.state(scope).vector().get(live) + 1, new Hlc(row.hlc()));
            losers.add(new Loser(table.name, row.key(), stamp, row.deleted(), row.columns(), stamp));
            engine.session().update("DELETE FROM " + table.name + " WHERE rowid = ?", row.id());
            changed.add(new Change(table.name, row.key()));
        }
    }

    private void take(Row row) {
        TableSql table = engine.declared(row);
        if (table == null) {
            engine.keepParked(scope, row, "found missing by an audit");
            return;
        }
        Engine.Current current =
                engine.current(scope, table, row.key(), row.stamp().origin());
        if (current != null && table.policy != Policy.COUNTER && !same(table, row, current)) {
            losers.add(new Loser(
                    table.name, row.key(), current.stamp(), current.deleted(), current.columns(), row.stamp()));
        }
        engine.store(scope, table, row, current);
        changed.add(new Change(table.name, row.key()));
    }

    private static boolean same(TableSql table, Row row, Engine.Current current) {
        return row.deleted() == current.deleted()
                && Fingerprint.content(row)
                        == Fingerprint.content(new Row(
                                table.name, false, row.key(), current.stamp(), current.deleted(), current.columns()));
    }

    /** Writes rows again under a new stamp; whoever has another version of the old one takes this one. */
    static void writeAnew(Engine engine, Scope scope, List<Row> rows, Tx tx) {
        for (Row row : rows) {
            TableSql table = engine.declared(row);
            if (table != null && table.policy != Policy.COUNTER) {
                Engine.Current current = Objects.requireNonNull(
                        engine.current(scope, table, row.key(), row.stamp().origin()), "it was here at the scan");
                tx.anew(table, row.key(), current);
            }
        }
    }
}
