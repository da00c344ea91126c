package sh.fazt.cartridge;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/** Reads all that is stored of a scope, for audits. Confined to one read. */
final class Scans {
    private final RowReader reader;
    private final VersionVector vector;
    private final Consumer<Row> sink;
    private long found;
    private long foreign;

    private Scans(RowReader reader, VersionVector vector, Consumer<Row> sink) {
        this.reader = reader;
        this.vector = vector;
        this.sink = sink;
    }

    static ReplicaStore.Scan read(
            Schema schema, Session session, Scope scope, @Nullable String only, Consumer<Row> sink) {
        RowReader reader = new RowReader(session);
        Map<Origin, Long> vector = new HashMap<>();
        session.each(
                "SELECT origin, seq FROM fazt_vector WHERE scope = ?",
                row -> vector.put(reader.origin(row.integer(0)), row.integer(1)),
                scope.id());
        Scans scan = new Scans(reader, VersionVector.of(vector), sink);
        for (TableSql table : schema.tables.values()) {
            if (only == null || only.equals(table.name)) {
                session.each(table.all, row -> scan.stored(table, row), scope.id());
            }
        }
        session.each(
                RowReader.PARKED,
                row -> {
                    if (only == null || only.equals(row.text(0))) {
                        scan.add(reader.knows(row.integer(3)) ? reader.parked(row) : null);
                    }
                },
                scope.id());
        long kept = session.first("SELECT digest FROM fazt_scope WHERE scope = ?", row -> row.integer(0), scope.id())
                .orElse(0L);
        return new ReplicaStore.Scan(scan.vector, kept, scan.found, scan.foreign);
    }

    private void stored(TableSql table, Rows.ResultRow row) {
        add(reader.knows(row.integer(0)) ? reader.row(table, row) : null);
    }

    private void add(@Nullable Row row) {
        if (row == null || !vector.includes(row.stamp().origin(), row.stamp().sequence())) {
            foreign++;
            return;
        }
        found += row.digest();
        sink.accept(row);
    }
}
