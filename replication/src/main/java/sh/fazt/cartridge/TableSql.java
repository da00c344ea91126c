package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;

/**
 * A replicated table's statements. Columns are: scope, the key, the declared columns, then {@code _origin},
 * {@code _seq}, {@code _hlc}, {@code _deleted} and {@code _extra}: what a newer node sent in columns that
 * are not declared here yet, and a document's fields that never are. Immutable.
 */
final class TableSql {
    /**
     * A function that our connections have and no other program's: the triggers name it, so SQLite refuses
     * to prepare what would write a replicated table there. It is never called.
     */
    static final String GUARD = "fazt_writer";

    private static final Column FIELDS = new Column(Document.FIELDS, ReplicatedTable.Type.BYTES);
    private static final Column COUNTER_VALUE = new Column("value", ReplicatedTable.Type.INTEGER);

    final String name;
    final Policy policy;
    final List<Column> key;
    final List<Column> columns;
    final Map<String, Column> byName = new HashMap<>();
    /** Columns that refer to blobs. */
    final List<String> blobColumns = new ArrayList<>();

    final ReplicatedTable.@Nullable BlobRule blobRule;
    /** scope, key: origin, seq, hlc, deleted, extra, columns. */
    final String current;
    /** The same without the columns. */
    final String clock;
    /** scope, key. */
    final String remove;
    /** scope, key, columns, origin, seq, hlc, deleted, extra. */
    final String put;
    /** scope, key: takes a document's dots out of the index. */
    final String unindex;
    /** scope, key, origin, seq: puts one in. */
    final String index;
    /** scope, origin, after seq: origin, seq, hlc, deleted, extra, key, columns. */
    final String since;
    /** scope: the same of every row. */
    final String all;
    /** scope: the same and the row id, of rows that the scope's vector does not cover. */
    final String foreign;
    /** scope, origin, up to seq, up to hlc, most: row id, seq and hlc of tombstones. */
    final String gone;
    /** scope, origin, after seq: how many rows. */
    final String count;
    /** The same: how many the first thousand are, how many bytes, and the least clock. */
    final String weigh;
    /** scope, key: the sum of a counter. */
    final String sum;

    TableSql(ReplicatedTable table) {
        name = identifier(table.name());
        policy = table.policy();
        blobRule = table.blobs();
        key = table.key();
        columns = policy == Policy.COUNTER ? List.of(COUNTER_VALUE) : withFields(table);
        if (policy == Policy.COUNTER && !table.columns().isEmpty()) {
            throw new IllegalArgumentException("counter " + name + " has the one column \"value\" and no other");
        }
        for (Column column : columns) {
            byName.put(column == FIELDS ? column.name() : identifier(column.name()), column);
            if (column.type() == ReplicatedTable.Type.BLOB_REFERENCE) {
                blobColumns.add(column.name());
            }
        }
        StringBuilder where = new StringBuilder("scope = ?");
        for (Column column : key) {
            where.append(" AND ").append(identifier(column.name())).append(" = ?");
        }
        String clocks = "_origin, _seq, _hlc, _deleted, _extra";
        String own = names(columns);
        String one = " FROM " + name + " WHERE " + where + (policy == Policy.COUNTER ? " AND _origin = ?" : "");
        current = "SELECT " + clocks + comma(own) + one;
        clock = "SELECT _origin, _seq, _hlc, _deleted" + one;
        remove = "DELETE" + one;
        unindex = "DELETE FROM " + fields() + " WHERE " + where;
        index = "INSERT INTO " + fields() + " VALUES (?, ?" + ", ?".repeat(key.size()) + ", ?)";
        sum = "SELECT coalesce(sum(value), 0) FROM " + name + " WHERE " + where + " AND _deleted = 0";
        String beyond = " FROM " + name + " WHERE " + beyond();
        since = "SELECT " + clocks + ", " + names(key) + comma(own) + beyond + " ORDER BY _seq";
        all = "SELECT " + clocks + ", " + names(key) + comma(own) + " FROM " + name + " WHERE scope = ?";
        foreign = "SELECT " + clocks + ", " + names(key) + comma(own) + ", rowid FROM " + name + " AS t WHERE scope = ?"
                + " AND NOT EXISTS (SELECT 1 FROM fazt_vector v WHERE v.scope = t.scope AND v.origin = t._origin"
                + " AND v.seq >= t._seq)";
        gone = "SELECT rowid, _seq, _hlc" + (policy == Policy.DOCUMENT ? ", " + Document.FIELDS : "") + " FROM " + name
                + " WHERE _deleted = 1 AND scope = ? AND _origin = ? AND _seq <= ? AND _hlc <= ? LIMIT ?";
        count = "SELECT count(*)" + beyond;
        StringBuilder size = new StringBuilder("48 + coalesce(length(_extra), 0)");
        for (Column column : key) {
            size.append(" + length(CAST(").append(column.name()).append(" AS BLOB))");
        }
        for (Column column : columns) {
            size.append(" + coalesce(length(CAST(").append(column.name()).append(" AS BLOB)), 0)");
        }
        weigh = "SELECT count(*), coalesce(sum(size), 0), min(_hlc) FROM (SELECT " + size + " AS size, _hlc" + beyond
                + " ORDER BY _seq LIMIT 1000)";
        StringBuilder update = new StringBuilder();
        for (Column column : columns) {
            update.append(column.name())
                    .append(" = excluded.")
                    .append(column.name())
                    .append(", ");
        }
        put = "INSERT INTO " + name + " (scope, " + names(key) + comma(own) + ", " + clocks + ") VALUES (?"
                + ", ?".repeat(key.size() + columns.size() + 5) + ") ON CONFLICT (" + conflictKey()
                + ") DO UPDATE SET " + update
                + "_origin = excluded._origin, _seq = excluded._seq, _hlc = excluded._hlc,"
                + " _deleted = excluded._deleted, _extra = excluded._extra";
    }

    /** hash: scope, key of the rows that name a blob in a column. */
    String naming(String column) {
        return "SELECT scope, " + names(key) + " FROM " + name + " WHERE " + column + " = ?";
    }

    private static List<Column> withFields(ReplicatedTable table) {
        if (table.policy() != Policy.DOCUMENT) {
            return table.columns();
        }
        List<Column> columns = new ArrayList<>(table.columns());
        columns.add(FIELDS);
        return List.copyOf(columns);
    }

    /** scope, origin, after seq: rows that something later of the origin contributes to. */
    private String beyond() {
        if (policy != Policy.DOCUMENT) {
            return "scope = ? AND _origin = ? AND _seq > ?";
        }
        StringBuilder same = new StringBuilder("t.scope = f.scope");
        for (Column column : key) {
            same.append(" AND t.").append(column.name()).append(" = f.").append(column.name());
        }
        return "rowid IN (SELECT rowid FROM " + name + " WHERE scope = ?1 AND _origin = ?2 AND _seq > ?3"
                + " UNION SELECT t.rowid FROM " + fields() + " f JOIN " + name + " t ON " + same
                + " WHERE f.scope = ?1 AND f._origin = ?2 AND f._seq > ?3)";
    }

    /** The table of the dots that a document's overrides hold. */
    private String fields() {
        return name + "__fields";
    }

    private String conflictKey() {
        return "scope, " + names(key) + (policy == Policy.COUNTER ? ", _origin" : "");
    }

    /** Makes the table, or brings it up to its declaration; answers the names of columns that were added. */
    List<String> create(Session session) {
        StringBuilder table = new StringBuilder("CREATE TABLE IF NOT EXISTS " + name + " (scope TEXT NOT NULL");
        for (Column column : key) {
            table.append(", ")
                    .append(column.name())
                    .append(' ')
                    .append(type(column))
                    .append(" NOT NULL");
        }
        for (Column column : columns) {
            table.append(", ").append(column.name()).append(' ').append(type(column));
        }
        table.append(", _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, _hlc INTEGER NOT NULL,"
                + " _deleted INTEGER NOT NULL, _extra BLOB, PRIMARY KEY (" + conflictKey() + "))");
        session.script(table.toString());
        List<String> present = session.query("SELECT name FROM pragma_table_info('" + name + "')", row -> row.text(0));
        List<String> added = new ArrayList<>();
        for (Column column : columns) {
            if (!present.contains(column.name())) {
                session.script("ALTER TABLE " + name + " ADD COLUMN " + column.name() + " " + type(column));
                added.add(column.name());
            }
        }
        session.script("CREATE INDEX IF NOT EXISTS " + name + "__dots ON " + name + " (scope, _origin, _seq)");
        session.script("CREATE INDEX IF NOT EXISTS " + name + "__gone ON " + name
                + " (scope, _origin, _seq) WHERE _deleted = 1");
        String live = "CREATE VIEW " + name + "_live AS SELECT scope, " + names(key)
                + (policy == Policy.COUNTER
                        ? ", sum(value) AS value FROM " + name + " WHERE _deleted = 0 GROUP BY scope, " + names(key)
                        : comma(names(columns.stream()
                                        .filter(column -> column != FIELDS)
                                        .toList()))
                                + (policy == Policy.DOCUMENT ? ", _extra AS fields, _hlc AS written" : "")
                                + " FROM " + name + " WHERE _deleted = 0");
        if (policy == Policy.DOCUMENT) {
            createFields(session);
        }
        // A view that is made anew changes the schema, at every start and for every reader.
        if (!session.query("SELECT sql FROM sqlite_master WHERE name = ?", row -> row.text(0), name + "_live")
                .equals(List.of(live))) {
            session.script("DROP VIEW IF EXISTS " + name + "_live");
            session.script(live);
        }
        for (String event : List.of("INSERT", "UPDATE", "DELETE")) {
            // For rows of ours the first term decides, and nothing is called. A CHECK would be cheaper still, but
            // then no other program could check the file's integrity.
            session.script("CREATE TRIGGER IF NOT EXISTS " + name + "__guard_" + event.toLowerCase(Locale.ROOT)
                    + " BEFORE " + event + " ON " + name + " WHEN "
                    + (event.equals("DELETE") ? "OLD" : "NEW") + "._seq < 0 AND " + GUARD
                    + "() BEGIN SELECT RAISE(ABORT, 'never'); END");
        }
        return added;
    }

    private void createFields(Session session) {
        StringBuilder table = new StringBuilder("CREATE TABLE IF NOT EXISTS " + fields() + " (scope TEXT NOT NULL");
        StringBuilder gone = new StringBuilder("scope = OLD.scope");
        for (Column column : key) {
            table.append(", ")
                    .append(column.name())
                    .append(' ')
                    .append(type(column))
                    .append(" NOT NULL");
            gone.append(" AND ").append(column.name()).append(" = OLD.").append(column.name());
        }
        session.script(table + ", _origin INTEGER NOT NULL, _seq INTEGER NOT NULL, PRIMARY KEY (scope, " + names(key)
                + ", _origin, _seq)) WITHOUT ROWID");
        session.script("CREATE INDEX IF NOT EXISTS " + fields() + "_dots ON " + fields() + " (scope, _origin, _seq)");
        session.script("CREATE TRIGGER IF NOT EXISTS " + fields() + "_gone AFTER DELETE ON " + name
                + " BEGIN DELETE FROM " + fields() + " WHERE " + gone + "; END");
    }

    /** The values of the declared columns, in order, out of named ones. */
    @Nullable
    Object[] arguments(
            String scope,
            List<?> keyValues,
            Map<String, ? extends @Nullable Object> named,
            @Nullable Object... clocks) {
        @Nullable Object[] arguments = new @Nullable Object[1 + key.size() + columns.size() + clocks.length];
        int at = 0;
        arguments[at++] = scope;
        for (Object value : keyValues) {
            arguments[at++] = value;
        }
        for (Column column : columns) {
            arguments[at++] = named.get(column.name());
        }
        for (Object clock : clocks) {
            arguments[at++] = clock;
        }
        return arguments;
    }

    /** What a newer node sent in columns that are not declared here. */
    Map<String, @Nullable Object> unknown(Map<String, ? extends @Nullable Object> named) {
        if (byName.keySet().containsAll(named.keySet())) {
            return Map.of();
        }
        Map<String, @Nullable Object> unknown = new LinkedHashMap<>(named);
        unknown.keySet().removeAll(byName.keySet());
        return unknown;
    }

    void checkKey(List<?> keyValues) {
        if (keyValues.size() != key.size()) {
            throw new IllegalArgumentException(
                    "the key of " + name + " is " + names(key) + ", not " + keyValues.size() + " values");
        }
        keyValues.forEach(value -> Objects.requireNonNull(value, "a key of " + name + " is never null"));
    }

    void checkColumns(Map<String, ?> named) {
        Document.check(named.keySet());
        for (String column : named.keySet()) {
            if (policy != Policy.DOCUMENT && !byName.containsKey(column)) {
                throw new IllegalArgumentException(name + " has no column " + column);
            }
        }
    }

    private static String names(List<Column> columns) {
        StringBuilder names = new StringBuilder();
        for (Column column : columns) {
            names.append(names.length() == 0 ? "" : ", ").append(column.name());
        }
        return names.toString();
    }

    private static String comma(String names) {
        return names.isEmpty() ? "" : ", " + names;
    }

    private static String type(Column column) {
        return switch (column.type()) {
            case INTEGER -> "INTEGER";
            case REAL -> "REAL";
            case TEXT, BLOB_REFERENCE -> "TEXT";
            case BYTES -> "BLOB";
        };
    }

    private static String identifier(String name) {
        if (!name.matches("[a-z][a-z0-9_]*")) {
            throw new IllegalArgumentException("a table or column is named in a-z, 0-9 and _, not \"" + name + "\"");
        }
        return name;
    }
}
