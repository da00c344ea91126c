package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Change;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Fingerprint;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/**
 * Removes tombstones, and merges with replicas that have. Registers only: rows of other tables stay. In the open
 * transaction; confined to the {@code writer} thread but for {@link #read}.
 */
record Floors(Engine engine, Schema schema, Scope scope) {
    /** The floor of a scope. Never above its vector, which an eviction may have cut. */
    static Floor read(Session session, Scope scope, LongFunction<Origin> origins) {
        Map<Origin, Long> below = new HashMap<>();
        long[] hlc = new long[1];
        session.each(
                "SELECT f.origin, min(f.seq, v.seq), f.hlc FROM fazt_floor f JOIN fazt_vector v"
                        + " ON v.scope = f.scope AND v.origin = f.origin WHERE f.scope = ?",
                row -> {
                    below.put(origins.apply(row.integer(0)), row.integer(1));
                    hlc[0] = Math.max(hlc[0], row.integer(2));
                },
                scope.id());
        return below.isEmpty() ? Floor.NONE : new Floor(VersionVector.of(below), new Hlc(hlc[0]));
    }

    Floor read() {
        return read(engine.session(), scope, engine::origin);
    }

    /** See {@link sh.fazt.cartridge.change.ReplicaStore#collect}. */
    int collect(VersionVector stable, Hlc until, int most) {
        record Gone(long id, long seq, long hlc) {}
        int removed = 0;
        for (TableSql table : schema.tables.values()) {
            int left = table.policy == Policy.REGISTER ? most : 0;
            for (Map.Entry<Origin, Long> entry : stable.entries().entrySet()) {
                if (left == 0) {
                    break;
                }
                long origin = engine.id(entry.getKey());
                List<Gone> all = engine.session()
                        .query(
                                table.gone,
                                row -> new Gone(row.integer(0), row.integer(1), row.integer(2)),
                                scope.id(),
                                origin,
                                entry.getValue(),
                                until.value(),
                                left);
                for (Gone one : all) {
                    engine.session().update("DELETE FROM " + table.name + " WHERE rowid = ?", one.id());
                    raise(origin, one.seq(), one.hlc());
                }
                left -= all.size();
                removed += all.size();
            }
        }
        return removed;
    }

    private void raise(long origin, long seq, long hlc) {
        engine.session()
                .update(
                        "INSERT INTO fazt_floor VALUES (?, ?, ?, ?) ON CONFLICT (scope, origin) DO UPDATE SET"
                                + " seq = max(seq, excluded.seq), hlc = max(hlc, excluded.hlc)",
                        scope.id(),
                        origin,
                        seq,
                        hlc);
    }

    /** Where rows are, 8 bytes each, as there may be millions: of two that are taken for one, one stays too long. */
    static final class Places {
        private long[] hashes = new long[64];
        private int count;

        void add(Row row) {
            if (count == hashes.length) {
                hashes = Arrays.copyOf(hashes, 2 * count);
            }
            hashes[count++] = hash(row);
        }

        /** Once all are added. */
        private void sort() {
            Arrays.sort(hashes, 0, count);
        }

        private boolean contains(Row row) {
            return Arrays.binarySearch(hashes, 0, count, hash(row)) >= 0;
        }

        private static long hash(Row row) {
            return 31 * Fingerprint.key(row) + row.table().hashCode();
        }
    }

    /**
     * The second half of a merge with all rows of a sender. Answers what has to be written anew.
     *
     * @param there   where its rows are
     * @param sender  its vector
     * @param changed is told what goes
     */
    List<Row> meet(Places there, VersionVector sender, Floor floor, List<Change> changed) {
        there.sort();
        RowReader reader = new RowReader(engine.session());
        List<Row> gone = new ArrayList<>();
        List<Row> anew = new ArrayList<>();
        for (TableSql table : schema.tables.values()) {
            if (table.policy == Policy.REGISTER) {
                engine.session()
                        .each(
                                table.all,
                                stored -> {
                                    Row row = reader.row(table, stored);
                                    boolean seen = sender.includes(
                                            row.stamp().origin(), row.stamp().sequence());
                                    if (seen && !there.contains(row)) {
                                        gone.add(row);
                                    } else if (!seen
                                            && !row.deleted()
                                            && row.stamp().hlc().compareTo(floor.hlc()) <= 0) {
                                        anew.add(row);
                                    }
                                },
                                scope.id());
            }
        }
        gone.forEach(row -> {
            engine.remove(scope, engine.table(row.table()), row);
            changed.add(new Change(row.table(), row.key()));
        });
        engine.session().query(RowReader.PARKED, reader::parked, scope.id()).stream()
                .filter(row -> !row.counter()
                        && sender.includes(row.stamp().origin(), row.stamp().sequence())
                        && !there.contains(row))
                .forEach(row -> engine.unkeep(scope, row));
        floor.below()
                .entries()
                .forEach((origin, seq) ->
                        raise(engine.id(origin), seq, floor.hlc().value()));
        return anew;
    }

    /** Whether a row that was taken from a sender has to be written anew, as a removed tombstone may have been later. */
    static boolean doubted(Floor floor, VersionVector sender, Row row, Engine.@Nullable Current before) {
        return !row.counter()
                && !row.deleted()
                && (before == null || before.deleted())
                && floor.doubts(sender, row.stamp().hlc());
    }
}
