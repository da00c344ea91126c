package sh.fazt.cartridge;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.identity.NodeId;

/**
 * What lost when two nodes wrote the same. A record is an immutable row; that it is settled is another one with the
 * same key, which only ever appears: so a peer that notices the same conflict late can't bring it back. Thread-safe.
 */
public final class Conflicts {
    private static final String COLUMNS =
            "SELECT c.scope, c.tbl, c.row_key, c.winner, c.loser, c.loser_columns, c.loser_deleted, c.loser_hlc";

    private static final String SETTLED = """
             EXISTS (SELECT 1 FROM fazt_conflict_settled_live s WHERE s.scope = c.scope AND s.loser = c.loser
                 AND s.tbl = c.tbl AND s.row_key = c.row_key)
            """;

    private static final String OPEN = " FROM fazt_conflict_live c WHERE (? IS NULL OR c.scope = ?) AND NOT" + SETTLED;

    private final Cartridge cartridge;
    private final Schema schema;

    Conflicts(Cartridge cartridge, Schema schema) {
        this.cartridge = cartridge;
        this.schema = schema;
    }

    /** Some of the open conflicts, newest first, and how many there are in all. */
    public record Page(List<Conflict> conflicts, long total) {}

    /**
     * A version of a row.
     *
     * @param by {@code node/epoch:sequence}
     */
    public record Version(String by, Instant at, boolean deleted, Map<String, @Nullable Object> values) {}

    /**
     * A conflict and what its row says now.
     *
     * @param settled whether it was dismissed or restored, here or elsewhere
     * @param present empty when the row is not there at all, or its table is not known here
     */
    public record Shown(Conflict conflict, boolean settled, Optional<Version> present) {}

    /**
     * What a restore did.
     *
     * @param written     false when the row said the same already
     * @param overwritten the record that keeps what the row said before
     */
    public record Restored(boolean written, Optional<Conflict> overwritten) {}

    /** The open conflicts of one scope or all. Blocking. */
    public Page page(Optional<Scope> scope, int offset, int most) {
        String id = scope.map(Scope::id).orElse(null);
        return cartridge.read(rows -> new Page(
                rows.query(
                        COLUMNS + OPEN + " ORDER BY c.loser_hlc DESC, c.loser, c.tbl, c.row_key LIMIT ? OFFSET ?",
                        Conflicts::conflict,
                        id,
                        id,
                        most,
                        offset),
                count(rows, id)));
    }

    /** How many are open. Blocking. */
    public long count() {
        return cartridge.read(rows -> count(rows, null));
    }

    private static long count(Rows rows, @Nullable String scope) {
        return rows.first("SELECT count(*)" + OPEN, row -> row.integer(0), scope, scope)
                .orElse(0L);
    }

    /** Every id, of settled ones too. Blocking. */
    public List<String> ids() {
        return cartridge.read(rows -> rows.query(
                COLUMNS + " FROM fazt_conflict_live c", row -> conflict(row).id()));
    }

    /** Finds one, settled or not, by its id. Blocking. */
    public Optional<Shown> find(String id) {
        // Ids are not in the file: whoever asks for one reads some thousand rows, once, instead of every writer
        // keeping an index.
        return cartridge.read(rows -> rows
                .query(COLUMNS + "," + SETTLED + " FROM fazt_conflict_live c", row -> {
                    Conflict conflict = conflict(row);
                    return conflict.id().equals(id)
                            ? Optional.of(Map.entry(conflict, row.integer(8) != 0))
                            : Optional.<Map.Entry<Conflict, Boolean>>empty();
                })
                .stream()
                .flatMap(Optional::stream)
                .findFirst()
                .map(found -> new Shown(found.getKey(), found.getValue(), present(rows, found.getKey()))));
    }

    /** Whether this node knows the conflict's table, and so can restore it. */
    public boolean restorable(Conflict conflict) {
        TableSql table = schema.tables.get(conflict.rowTable());
        return table != null
                && (table.policy == Policy.DOCUMENT
                        || table.policy == Policy.REGISTER && conflict.field().isEmpty())
                && table.key.size() == conflict.key().size();
    }

    /**
     * Writes the loser back as an ordinary new write and settles the conflict, in one transaction. What the row said
     * before is kept as a conflict of its own. Only for what is {@link #restorable}.
     */
    public CompletionStage<Restored> restore(Conflict conflict) {
        return cartridge.write(conflict.scope(), write -> {
            Tx tx = (Tx) write;
            if (conflict.field().isPresent()) {
                return restoreField(tx, conflict, conflict.field().get());
            }
            Engine.Current before = tx.current(conflict.table(), conflict.key());
            boolean written = before == null
                    ? !conflict.deleted()
                    : before.deleted() != conflict.deleted()
                            || !Engine.same(Document.values(before.columns()), Document.values(conflict.values()));
            Optional<Conflict> overwritten = Optional.empty();
            if (written) {
                Stamp stamp = tx.restore(conflict.table(), conflict.key(), conflict.deleted(), conflict.values());
                if (before != null) {
                    Engine.Loser loser = new Engine.Loser(
                            conflict.table(),
                            conflict.key(),
                            before.stamp(),
                            before.deleted(),
                            before.deleted() ? Map.of() : Document.values(before.columns()),
                            stamp);
                    overwritten = Optional.of(overwrite(tx, loser));
                }
            }
            settle(tx, conflict);
            return new Restored(written, overwritten);
        });
    }

    /** Only the field is written; with it the document comes back if it was deleted. */
    private static Restored restoreField(Tx tx, Conflict conflict, String field) {
        Engine.Current before = tx.current(conflict.rowTable(), conflict.key());
        Object value = conflict.values().get(field);
        Object present = before == null ? null : before.columns().get(field);
        boolean written = before == null || before.deleted() || !Objects.deepEquals(value, present);
        Optional<Conflict> overwritten = Optional.empty();
        if (written) {
            Stamp stamp = tx.restoreField(conflict.rowTable(), conflict.key(), field, value);
            Stamp lost = before == null ? null : Documents.of(before).stamp(field);
            if (before != null && before.deleted()) {
                overwritten = Optional.of(overwrite(
                        tx,
                        new Engine.Loser(conflict.rowTable(), conflict.key(), before.stamp(), true, Map.of(), stamp)));
            } else if (lost != null) {
                overwritten = Optional.of(overwrite(
                        tx,
                        new Engine.Loser(
                                conflict.table(),
                                conflict.key(),
                                lost,
                                present == null,
                                present == null ? Map.of() : Map.of(field, present),
                                stamp)));
            }
        }
        settle(tx, conflict);
        return new Restored(written, overwritten);
    }

    private static Conflict overwrite(Tx tx, Engine.Loser loser) {
        record(tx, loser);
        return new Conflict(
                tx.scope(),
                loser.table(),
                loser.key(),
                loser.winner().toString(),
                loser.stamp().toString(),
                loser.columns(),
                loser.deleted(),
                Instant.ofEpochMilli(loser.stamp().hlc().unixMillis()));
    }

    /** Takes the conflict off every node's list; answers false where that was done before. */
    public CompletionStage<Boolean> dismiss(Conflict conflict) {
        return cartridge.write(conflict.scope(), tx -> settle((Tx) tx, conflict));
    }

    private static boolean settle(Tx tx, Conflict conflict) {
        List<Object> key = List.of(conflict.loser(), conflict.table(), RowCodec.key(conflict.key()));
        if (tx.current(Schema.SETTLED, key) != null) {
            return false;
        }
        tx.put(Schema.SETTLED, key, Map.of());
        return true;
    }

    /** Records a version that lost, once; again where a fence has taken the record of an evicted node. */
    static void record(Tx tx, Engine.Loser loser) {
        List<Object> key = List.of(loser.stamp().toString(), loser.table(), RowCodec.key(loser.key()));
        Engine.Current known = tx.current(Schema.CONFLICTS, key);
        if (known == null || known.deleted()) {
            tx.put(
                    Schema.CONFLICTS,
                    key,
                    Map.of(
                            "winner", loser.winner().toString(),
                            "loser_hlc", loser.stamp().hlc().value(),
                            "loser_deleted", loser.deleted(),
                            "loser_columns", RowCodec.columns(Document.values(loser.columns()))));
        }
    }

    private Optional<Version> present(Rows rows, Conflict conflict) {
        TableSql table = schema.tables.get(conflict.rowTable());
        if (table == null || !restorable(conflict)) {
            return Optional.empty();
        }
        List<Object> address = new ArrayList<>(List.of(conflict.scope().id()));
        address.addAll(conflict.key());
        return rows.first(
                table.current,
                row -> {
                    Map<String, @Nullable Object> values = new LinkedHashMap<>();
                    boolean deleted = row.integer(3) != 0;
                    if (!deleted || table.policy == Policy.DOCUMENT) {
                        int at = 5;
                        for (Column column : table.columns) {
                            Object value = Session.value(row, at++);
                            if (value != null) {
                                values.put(column.name(), value);
                            }
                        }
                        byte[] extra = row.bytesOrNull(4);
                        if (extra != null) {
                            values.putAll(RowCodec.columns(extra));
                        }
                    }
                    Origin origin = rows.first(
                                    "SELECT node, epoch FROM fazt_origin WHERE id = ?",
                                    found -> new Origin(NodeId.of(found.bytes(0)), (int) found.integer(1)),
                                    row.integer(0))
                            .orElseThrow();
                    Stamp own = new Stamp(origin, row.integer(1), new Hlc(row.integer(2)));
                    return conflict.field()
                            .map(field -> field(Document.of(own, deleted, values), field))
                            .orElseGet(() -> version(own, deleted, deleted ? Map.of() : Document.values(values)));
                },
                address.toArray());
    }

    /** What a document says in one field, by whom: by whoever deleted it, if it is. */
    private static Version field(Document document, String name) {
        Stamp stamp = document.stamp(name);
        Object value = document.value(name);
        return document.deleted() || stamp == null
                ? version(document.own(), document.deleted(), Map.of())
                : version(stamp, false, value == null ? Map.of() : Map.of(name, value));
    }

    private static Version version(Stamp stamp, boolean deleted, Map<String, @Nullable Object> values) {
        return new Version(stamp.toString(), Instant.ofEpochMilli(stamp.hlc().unixMillis()), deleted, values);
    }

    private static Conflict conflict(Rows.ResultRow row) {
        return new Conflict(
                new Scope(row.text(0)),
                row.text(1),
                RowCodec.key(row.bytes(2)),
                row.text(3),
                row.text(4),
                RowCodec.columns(row.bytes(5)),
                row.integer(6) != 0,
                Instant.ofEpochMilli(new Hlc(row.integer(7)).unixMillis()));
    }
}
