package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.List;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore.Weight;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/** Counts what a peer lacks, for the owner: exact in rows, about right in bytes. */
final class Weights {
    private Weights() {}

    static Weight of(Schema schema, Session session, Scope scope, VersionVector since) {
        record Lacking(long id, long after) {}
        RowReader reader = new RowReader(session);
        List<Lacking> lacking = new ArrayList<>();
        session.each(
                "SELECT origin, seq FROM fazt_vector WHERE scope = ?",
                row -> {
                    Origin origin = reader.origin(row.integer(0));
                    if (!since.includes(origin, row.integer(1))) {
                        lacking.add(new Lacking(row.integer(0), since.get(origin)));
                    }
                },
                scope.id());
        long[] sum = {0, 0};
        Hlc[] oldest = {Hlc.ZERO};
        for (Lacking one : lacking) {
            for (TableSql table : schema.tables.values()) {
                long rows = session.first(table.count, row -> row.integer(0), scope.id(), one.id(), one.after())
                        .orElse(0L);
                if (rows > 0) {
                    session.each(
                            table.weigh,
                            row -> {
                                sum[1] += row.integer(1) * rows / Math.max(1, row.integer(0));
                                Hlc first = new Hlc(row.integer(2));
                                oldest[0] = sum[0] == 0 || first.compareTo(oldest[0]) < 0 ? first : oldest[0];
                            },
                            scope.id(),
                            one.id(),
                            one.after());
                    sum[0] += rows;
                }
            }
        }
        return new Weight(sum[0], sum[1], oldest[0]);
    }
}
