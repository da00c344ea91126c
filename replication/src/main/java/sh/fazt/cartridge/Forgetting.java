package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import sh.fazt.cartridge.change.Scope;

/**
 * Takes a scope out of the file: rows, vector, and the blobs that nothing else refers to. Confined to the
 * {@code writer} thread, inside its transaction.
 */
record Forgetting(Session session, Schema schema) {
    /** Answers which tables changed. */
    List<CommitListener.Change> run(Scope scope) {
        Set<String> referred = new HashSet<>();
        List<CommitListener.Change> changes = new ArrayList<>();
        for (TableSql table : schema.tables.values()) {
            for (String column : table.blobColumns) {
                session.each(
                        "SELECT DISTINCT " + column + " FROM " + table.name + " WHERE scope = ? AND " + column
                                + " IS NOT NULL",
                        row -> referred.add(row.text(0)),
                        scope.id());
            }
            if (session.update("DELETE FROM " + table.name + " WHERE scope = ?", scope.id()) > 0) {
                changes.add(new CommitListener.Change(table.name, List.of()));
            }
        }
        session.update("DELETE FROM fazt_parked WHERE scope = ?", scope.id());
        session.update("DELETE FROM fazt_vector WHERE scope = ?", scope.id());
        session.update("DELETE FROM fazt_floor WHERE scope = ?", scope.id());
        session.update("DELETE FROM fazt_scope WHERE scope = ?", scope.id());
        session.update("DELETE FROM fazt_wanted WHERE scope = ?", scope.id());
        removeUnused(referred);
        return changes;
    }

    private void removeUnused(Set<String> blobs) {
        for (TableSql table : schema.tables.values()) {
            for (String column : table.blobColumns) {
                if (!blobs.isEmpty()) {
                    session.each(
                            "SELECT DISTINCT " + column + " FROM " + table.name + " WHERE " + column + " IS NOT NULL",
                            row -> blobs.remove(row.text(0)));
                }
            }
        }
        for (String blob : blobs) {
            List<String> chunks = session.query(
                    "SELECT DISTINCT chunk FROM fazt_blob_chunk WHERE hash = ?", row -> row.text(0), blob);
            session.update("DELETE FROM fazt_blob_chunk WHERE hash = ?", blob);
            session.update("DELETE FROM fazt_blob WHERE hash = ?", blob);
            session.update("DELETE FROM fazt_wanted WHERE hash = ?", blob);
            for (String chunk : chunks) {
                session.update(
                        "DELETE FROM fazt_chunk WHERE hash = ?"
                                + " AND NOT EXISTS (SELECT 1 FROM fazt_blob_chunk WHERE chunk = ?)",
                        chunk,
                        chunk);
            }
        }
    }
}
