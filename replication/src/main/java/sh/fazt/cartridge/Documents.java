package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/** What the rows of policy document need beside what other rows do. Confined to the {@code writer} thread. */
final class Documents {
    private Documents() {}

    /** The document that is stored. */
    static Document of(Engine.Current current) {
        return Document.of(current.stamp(), current.deleted(), current.columns());
    }

    /**
     * Merges a version that arrived into the one that is here. Answers what is to be stored, null where nothing
     * changes, and adds what lost.
     */
    static @Nullable Row merge(
            VersionVector receiver,
            VersionVector sender,
            Engine.@Nullable Current current,
            Row row,
            List<Engine.Loser> losers) {
        Document in = Document.of(row);
        if (current == null) {
            return Document.lacks(receiver, row) ? in.row(row.table(), row.key()) : null;
        }
        Document here = of(current);
        Document.Merged merged = Document.merge(receiver, sender, here, in);
        for (Document.Loser loser : merged.losers()) {
            losers.add(loser(row.table(), row.key(), loser));
        }
        return merged.document().isSame(here) ? null : merged.document().row(row.table(), row.key());
    }

    private static Engine.Loser loser(String table, List<Object> key, Document.Loser loser) {
        String field = loser.field();
        Object value = loser.value();
        return new Engine.Loser(
                field == null ? table : table + Conflict.FIELD + field,
                key,
                loser.stamp(),
                value == null,
                field == null || value == null ? Map.of() : Map.of(field, value),
                loser.winner());
    }

    /** Lets a pull find the row by the dots that contribute to it beside its own. */
    static void index(Engine engine, Scope scope, TableSql table, Row row, Engine.@Nullable Current before) {
        @Nullable Object[] address = address(scope, row.key(), 0);
        if (before != null && Document.overrides(before.columns()) != null) {
            engine.session().update(table.unindex, address);
        }
        if (Document.overrides(row.columns()) != null) {
            index(engine, scope, table, row);
        }
    }

    private static void index(Engine engine, Scope scope, TableSql table, Row row) {
        record Dot(long origin, long sequence) {}
        Set<Dot> dots = new LinkedHashSet<>();
        for (Stamp stamp : Document.of(row).others()) {
            dots.add(new Dot(engine.id(stamp.origin()), stamp.sequence()));
        }
        for (Dot dot : dots) {
            @Nullable Object[] arguments = address(scope, row.key(), 2);
            arguments[arguments.length - 2] = dot.origin();
            arguments[arguments.length - 1] = dot.sequence();
            engine.session().update(table.index, arguments);
        }
    }

    /** Indexes rows that were stored while their table had another policy, or their column was not known. */
    static void reindex(Engine engine, TableSql table) {
        record Found(Scope scope, Row row) {}
        List<Found> found = new ArrayList<>();
        RowReader reader = new RowReader(engine.session());
        for (String scope : engine.session().query("SELECT scope FROM fazt_scope", row -> row.text(0))) {
            engine.session()
                    .each(
                            table.all,
                            row -> {
                                Row one = reader.row(table, row);
                                if (Document.overrides(one.columns()) != null) {
                                    found.add(new Found(new Scope(scope), one));
                                }
                            },
                            scope);
        }
        for (Found one : found) {
            engine.session()
                    .update(table.unindex, address(one.scope(), one.row().key(), 0));
            index(engine, one.scope(), table, one.row());
        }
    }

    private static @Nullable Object[] address(Scope scope, List<Object> key, int more) {
        @Nullable Object[] address = new @Nullable Object[1 + key.size() + more];
        address[0] = scope.id();
        for (int i = 0; i < key.size(); i++) {
            address[i + 1] = key.get(i);
        }
        return address;
    }

    /** Parked documents that something a vector lacks contributes to, beside what their own dots tell. */
    static final String PARKED = RowReader.PARKED + " AND instr(columns, X'"
            + java.util.HexFormat.of().formatHex(Document.FIELDS.getBytes(java.nio.charset.StandardCharsets.UTF_8))
            + "') > 0";
}
