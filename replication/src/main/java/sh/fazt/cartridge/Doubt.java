package sh.fazt.cartridge;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/**
 * How far the live origin went when this node started to write without having heard others: if its whole folder was
 * set back before that, they hold other changes under the numbers behind. Nothing of those has left this node while
 * it is in doubt, so they can still be given another origin, see {@link Renaming}. It is kept in the file, for the
 * next process may not hear anybody either. Immutable.
 */
record Doubt(Origin origin, Map<String, Long> upTo) {
    /** Stands for the doubt itself, which may be there before any scope is; no scope has this name. */
    private static final String ANY = "";

    /** The one that is in the file. */
    static @Nullable Doubt read(Session session, Origin live) {
        Map<String, Long> upTo = new HashMap<>();
        session.each("SELECT scope, seq FROM fazt_doubt", row -> upTo.put(row.text(0), row.integer(1)));
        return upTo.remove(ANY) == null ? null : new Doubt(live, Map.copyOf(upTo));
    }

    /** From now on. */
    static void begin(Engine engine, Origin live) {
        engine.session().update("INSERT INTO fazt_doubt VALUES (?, 0)", ANY);
        engine.session()
                .update("INSERT INTO fazt_doubt SELECT scope, seq FROM fazt_vector WHERE origin = ?", engine.id(live));
    }

    static void end(Session session) {
        session.update("DELETE FROM fazt_doubt");
        session.update("DELETE FROM fazt_doubt_share");
    }

    private long upTo(Scope scope) {
        return upTo.getOrDefault(scope.id(), 0L);
    }

    /** A vector of the scope without what is in doubt. */
    VersionVector certain(Scope scope, VersionVector vector) {
        return vector.includes(origin, upTo(scope) + 1) ? vector.with(origin, upTo(scope)) : vector;
    }

    /** Keeps a share of a counter as it was: what was added since is told by the difference. */
    void keep(Session session, Scope scope, String table, List<Object> key, Engine.Current share) {
        if (share.stamp().sequence() <= upTo(scope) && share.columns().get("value") instanceof Long value) {
            session.update(
                    "INSERT INTO fazt_doubt_share VALUES (?, ?, ?, ?, ?, ?)",
                    scope.id(),
                    table,
                    RowCodec.key(key),
                    share.stamp().sequence(),
                    share.stamp().hlc().value(),
                    value);
        }
    }

    /**
     * Gives what is in doubt to another origin, which nobody knows: the same transactions, from 1 on, with the same
     * clocks. What others hold under the old numbers comes like anything else then. Confined to the {@code writer}
     * thread, in a transaction of its own.
     */
    record Renaming(Engine engine, Schema schema, Doubt doubt, Origin next) {
        /** Rows in memory at a time. */
        private static final int MOST = 500;

        void run(List<Commit> events) {
            Session session = engine.session();
            for (String id : session.query(
                    "SELECT v.scope FROM fazt_vector v LEFT JOIN fazt_doubt d ON d.scope = v.scope"
                            + " WHERE v.origin = ? AND v.seq > coalesce(d.seq, 0)",
                    row -> row.text(0),
                    engine.id(doubt.origin()))) {
                Scope scope = new Scope(id);
                schema.tables.values().forEach(table -> rename(scope, table));
                VersionVector vector = engine.state(scope).vector();
                long upTo = doubt.upTo(scope);
                if (upTo == 0) {
                    session.update(
                            "DELETE FROM fazt_vector WHERE scope = ? AND origin = ?", id, engine.id(doubt.origin()));
                }
                engine.state(
                        scope,
                        engine.state(scope)
                                .with(vector.with(next, vector.get(doubt.origin()) - upTo)
                                        .with(doubt.origin(), upTo)));
                events.add(new Commit(scope, null, true, List.of()));
            }
        }

        private void rename(Scope scope, TableSql table) {
            RowReader reader = new RowReader(engine.session());
            List<Row> rows;
            do {
                // What is renamed is not found again.
                rows = engine.session()
                        .query(
                                table.since + " LIMIT " + MOST,
                                row -> reader.row(table, row),
                                scope.id(),
                                engine.id(doubt.origin()),
                                doubt.upTo(scope));
                for (Row row : rows) {
                    Engine.Current current = new Engine.Current(row.stamp(), row.deleted(), row.columns());
                    if (table.policy == Policy.COUNTER) {
                        split(scope, table, row, current);
                    } else {
                        engine.store(scope, table, renamed(scope, table, row), current);
                    }
                }
            } while (rows.size() == MOST);
        }

        private Row renamed(Scope scope, TableSql table, Row row) {
            return table.policy == Policy.DOCUMENT
                    ? Document.of(row).restamped(stamp -> renamed(scope, stamp)).row(table.name, row.key())
                    : new Row(table.name, false, row.key(), renamed(scope, row.stamp()), row.deleted(), row.columns());
        }

        private Stamp renamed(Scope scope, Stamp stamp) {
            long behind = stamp.sequence() - doubt.upTo(scope);
            return stamp.origin().equals(doubt.origin()) && behind > 0 ? new Stamp(next, behind, stamp.hlc()) : stamp;
        }

        /** The old share as it was before the doubt, and what was added since as one of the new origin. */
        private void split(Scope scope, TableSql table, Row row, Engine.Current current) {
            Row before = engine.session()
                    .first(
                            "SELECT seq, hlc, value FROM fazt_doubt_share WHERE scope = ? AND tbl = ? AND row_key = ?",
                            kept -> share(
                                    table,
                                    row.key(),
                                    new Stamp(doubt.origin(), kept.integer(0), new Hlc(kept.integer(1))),
                                    kept.integer(2)),
                            scope.id(),
                            table.name,
                            RowCodec.key(row.key()))
                    .orElse(null);
            if (before == null) {
                engine.remove(scope, table, row);
            } else {
                engine.store(scope, table, before, current);
            }
            long added = value(row) - (before == null ? 0 : value(before));
            engine.store(scope, table, share(table, row.key(), renamed(scope, row.stamp()), added), null);
        }

        private static Row share(TableSql table, List<Object> key, Stamp stamp, long value) {
            return new Row(table.name, true, key, stamp, false, Map.of("value", value));
        }

        private static long value(Row share) {
            return share.columns().get("value") instanceof Long value ? value : 0;
        }
    }
}
