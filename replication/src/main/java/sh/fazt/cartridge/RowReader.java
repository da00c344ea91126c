package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.identity.NodeId;

/** Stored rows as they travel. Confined to one snapshot of one connection. */
final class RowReader {
    /** scope: a parked row. */
    static final String PARKED =
            "SELECT tbl, row_key, counter, origin, seq, hlc, deleted, columns FROM fazt_parked WHERE scope = ?";

    private final Map<Long, Origin> origins = new HashMap<>();

    RowReader(Session session) {
        session.each(
                "SELECT id, node, epoch FROM fazt_origin",
                row -> origins.put(row.integer(0), new Origin(NodeId.of(row.bytes(1)), (int) row.integer(2))));
    }

    Origin origin(long id) {
        return Objects.requireNonNull(origins.get(id), "origin is not in the file");
    }

    boolean knows(long id) {
        return origins.containsKey(id);
    }

    /** A row of {@link TableSql#since} or {@link TableSql#all}. */
    Row row(TableSql table, Rows.ResultRow row) {
        return new Row(
                table.name,
                table.policy == Policy.COUNTER,
                key(table, row, 5),
                new Stamp(origin(row.integer(0)), row.integer(1), new Hlc(row.integer(2))),
                row.integer(3) != 0,
                columns(table, row));
    }

    /** @param at where its columns begin */
    static List<Object> key(TableSql table, Rows.ResultRow row, int at) {
        List<Object> key = new ArrayList<>();
        for (int i = 0; i < table.key.size(); i++) {
            key.add(Objects.requireNonNull(Session.value(row, at + i), "a key is never NULL"));
        }
        return key;
    }

    static Map<String, @Nullable Object> columns(TableSql table, Rows.ResultRow row) {
        Map<String, @Nullable Object> columns = new LinkedHashMap<>();
        if (row.integer(3) != 0 && table.policy != Policy.DOCUMENT) {
            return columns;
        }
        int at = 5 + table.key.size();
        for (ReplicatedTable.Column column : table.columns) {
            Object value = Session.value(row, at++);
            if (value != null) {
                columns.put(column.name(), value);
            }
        }
        byte[] extra = row.bytesOrNull(4);
        if (extra != null) {
            columns.putAll(RowCodec.columns(extra));
        }
        if (table.policy == Policy.DOCUMENT) {
            columns.putIfAbsent(Document.FIELDS, Document.NO_OVERRIDES);
        }
        return columns;
    }

    /** A row of {@link #PARKED}. */
    Row parked(Rows.ResultRow row) {
        return new Row(
                row.text(0),
                row.integer(2) != 0,
                RowCodec.key(row.bytes(1)),
                new Stamp(origin(row.integer(3)), row.integer(4), new Hlc(row.integer(5))),
                row.integer(6) != 0,
                RowCodec.columns(row.bytes(7)));
    }
}
