package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;

/** The tables of a cartridge: its own, and what the rooms declared. Immutable. */
final class Schema {
    /** "fazt" in the file's header: what tells a cartridge from any other SQLite file. */
    static final int APPLICATION_ID = 0x66617a74;

    static final String CONFLICTS = "fazt_conflict";
    /** Conflicts that were dismissed or restored: rows that only appear. */
    static final String SETTLED = "fazt_conflict_settled";

    private static final List<Column> CONFLICT_KEY =
            List.of(new Column("loser", Type.TEXT), new Column("tbl", Type.TEXT), new Column("row_key", Type.BYTES));

    private static final SchemaPart OWN = new SchemaPart(
            "cartridge",
            List.of("""
                    CREATE TABLE fazt_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE fazt_origin (id INTEGER PRIMARY KEY, node BLOB NOT NULL, epoch INTEGER NOT NULL,
                        UNIQUE (node, epoch));
                    CREATE TABLE fazt_scope (scope TEXT PRIMARY KEY, digest INTEGER NOT NULL, hlc INTEGER NOT NULL)
                        WITHOUT ROWID;
                    CREATE TABLE fazt_vector (scope TEXT NOT NULL, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
                        PRIMARY KEY (scope, origin)) WITHOUT ROWID;
                    CREATE TABLE fazt_parked (scope TEXT NOT NULL, tbl TEXT NOT NULL, row_key BLOB NOT NULL,
                        counter INTEGER NOT NULL, share INTEGER NOT NULL, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
                        hlc INTEGER NOT NULL, deleted INTEGER NOT NULL, columns BLOB NOT NULL, reason TEXT NOT NULL,
                        PRIMARY KEY (scope, tbl, row_key, share));
                    CREATE INDEX fazt_parked_dots ON fazt_parked (scope, origin, seq);
                    CREATE TABLE fazt_blob (hash TEXT PRIMARY KEY, size INTEGER NOT NULL, complete INTEGER NOT NULL)
                        WITHOUT ROWID;
                    CREATE TABLE fazt_blob_chunk (hash TEXT NOT NULL, position INTEGER NOT NULL, chunk TEXT NOT NULL,
                        start INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (hash, position)) WITHOUT ROWID;
                    CREATE INDEX fazt_blob_chunk_uses ON fazt_blob_chunk (chunk);
                    CREATE TABLE fazt_chunk (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
                    CREATE TABLE fazt_wanted (hash TEXT PRIMARY KEY) WITHOUT ROWID;
                    """, """
                    CREATE TABLE fazt_floor (scope TEXT NOT NULL, origin INTEGER NOT NULL, seq INTEGER NOT NULL,
                        hlc INTEGER NOT NULL, PRIMARY KEY (scope, origin)) WITHOUT ROWID;
                    CREATE TABLE fazt_heard (node BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
                    """, """
                    CREATE TABLE fazt_wanted_by (hash TEXT NOT NULL, scope TEXT NOT NULL, size INTEGER NOT NULL,
                        eager INTEGER NOT NULL, PRIMARY KEY (hash, scope)) WITHOUT ROWID;
                    INSERT INTO fazt_wanted_by SELECT hash, '', -1, 0 FROM fazt_wanted;
                    DROP TABLE fazt_wanted;
                    ALTER TABLE fazt_wanted_by RENAME TO fazt_wanted;
                    """, """
                    CREATE TABLE fazt_unused (hash TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE INDEX fazt_unused_since ON fazt_unused (since);
                    """, """
                    UPDATE fazt_scope SET digest = 0;
                    """, """
                    CREATE TABLE fazt_damaged (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
                    CREATE TABLE fazt_scrub (chunk INTEGER NOT NULL);
                    INSERT INTO fazt_scrub VALUES (0);
                    """, """
                    CREATE TABLE fazt_doubt (scope TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE fazt_doubt_share (scope TEXT NOT NULL, tbl TEXT NOT NULL, row_key BLOB NOT NULL,
                        seq INTEGER NOT NULL, hlc INTEGER NOT NULL, value INTEGER NOT NULL,
                        PRIMARY KEY (scope, tbl, row_key)) WITHOUT ROWID;
                    """),
            List.of(
                    new ReplicatedTable(SETTLED, Policy.IMMUTABLE, CONFLICT_KEY, List.of()),
                    new ReplicatedTable(
                            CONFLICTS,
                            Policy.IMMUTABLE,
                            CONFLICT_KEY,
                            List.of(
                                    new Column("winner", Type.TEXT),
                                    new Column("loser_hlc", Type.INTEGER),
                                    new Column("loser_deleted", Type.INTEGER),
                                    new Column("loser_columns", Type.BYTES)))));

    /** Below this level digests are over tombstones too, first of any kind, then of documents. */
    private static final int COUNTS_NO_TOMBSTONES = 5;

    private final List<SchemaPart> parts;
    final Map<String, TableSql> tables = new HashMap<>();

    Schema(List<SchemaPart> rooms) {
        parts = new ArrayList<>(List.of(OWN));
        parts.addAll(rooms);
        for (SchemaPart part : parts) {
            for (ReplicatedTable table : part.replicated()) {
                if (tables.put(table.name(), new TableSql(table)) != null) {
                    throw new IllegalArgumentException("two rooms declare the table " + table.name());
                }
            }
        }
    }

    /**
     * Brings the file up to the declarations, in one transaction; refuses a file that is ahead of them. Answers the
     * tables that hold documents only now.
     */
    List<TableSql> migrate(Session session, String file) {
        List<TableSql> documents = new ArrayList<>();
        session.script("BEGIN IMMEDIATE");
        try {
            session.script("PRAGMA application_id = " + APPLICATION_ID);
            session.script("CREATE TABLE IF NOT EXISTS fazt_migration (room TEXT PRIMARY KEY, level INTEGER NOT NULL)");
            boolean countsTombstones = false;
            for (SchemaPart part : parts) {
                long level = session.first(
                                "SELECT level FROM fazt_migration WHERE room = ?", row -> row.integer(0), part.room())
                        .orElse(0L);
                if (level > part.migrations().size()) {
                    throw new CartridgeException(
                            CartridgeException.Reason.NEWER_VERSION,
                            "the cartridge " + file + " was written by a newer fazt (" + part.room() + " is at level "
                                    + level + ", this one knows "
                                    + part.migrations().size()
                                    + "): run that one, or upgrade this one");
                }
                countsTombstones |= part == OWN && level > 0 && level < COUNTS_NO_TOMBSTONES;
                for (int i = (int) level; i < part.migrations().size(); i++) {
                    session.script(part.migrations().get(i));
                }
                session.update(
                        "INSERT INTO fazt_migration VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET level = excluded.level",
                        part.room(),
                        part.migrations().size());
            }
            for (TableSql table : tables.values()) {
                List<String> added = table.create(session);
                if (!added.isEmpty()) {
                    unfold(session, table);
                }
                if (added.contains(Document.FIELDS)) {
                    documents.add(table);
                }
            }
            if (countsTombstones) {
                countAnew(session);
            }
            session.script("COMMIT");
            return documents;
        } catch (RuntimeException e) {
            session.script("ROLLBACK");
            throw e;
        }
    }

    /** Digests are over what is not deleted, since one replica may have removed a tombstone that another has yet. */
    private void countAnew(Session session) {
        for (String scope : session.query("SELECT scope FROM fazt_scope", row -> row.text(0))) {
            session.update(
                    "UPDATE fazt_scope SET digest = ? WHERE scope = ?",
                    Scans.read(this, session, new Scope(scope), null, row -> {}).found(),
                    scope);
        }
    }

    /** Columns that newer nodes sent before this one knew them, kept in {@code _extra}. Rewrites no clock. */
    private static void unfold(Session session, TableSql table) {
        record Folded(long rowid, byte[] extra) {}
        List<Folded> rows = session.query(
                "SELECT rowid, _extra FROM " + table.name + " WHERE _extra IS NOT NULL",
                row -> new Folded(row.integer(0), row.bytes(1)));
        for (Folded row : rows) {
            Map<String, @Nullable Object> extra = RowCodec.columns(row.extra());
            for (Column column : table.columns) {
                if (extra.containsKey(column.name())) {
                    session.update(
                            "UPDATE " + table.name + " SET " + column.name() + " = ? WHERE rowid = ?",
                            extra.remove(column.name()),
                            row.rowid());
                }
            }
            session.update(
                    "UPDATE " + table.name + " SET _extra = ? WHERE rowid = ?",
                    extra.isEmpty() ? null : RowCodec.columns(extra),
                    row.rowid());
        }
    }
}
