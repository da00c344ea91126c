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
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Fingerprint;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/**
 * Removes tombstones, and merges with replicas that have. Of registers and documents: rows of other tables stay. In the
 * open transaction; confined to the {@code writer} thread but for {@link #read}.
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
        record Gone(long id, List<Stamp> stamps) {}
        int removed = 0;
        for (TableSql table : schema.tables.values()) {
            int left = collects(table) ? most : 0;
            for (Map.Entry<Origin, Long> entry : stable.entries().entrySet()) {
                if (left == 0) {
                    break;
                }
                List<Gone> all = engine.session()
                        .query(
                                table.gone,
                                row -> new Gone(row.integer(0), stamps(table, entry.getKey(), row)),
                                scope.id(),
                                engine.id(entry.getKey()),
                                entry.getValue(),
                                until.value(),
                                left);
                for (Gone one : all) {
                    // What wrote a document's fields counts as well as what deleted it.
                    if (one.stamps().stream().allMatch(stamp -> stable.includes(stamp.origin(), stamp.sequence()))) {
                        engine.session().update("DELETE FROM " + table.name + " WHERE rowid = ?", one.id());
                        one.stamps()
                                .forEach(stamp -> raise(
                                        engine.id(stamp.origin()),
                                        stamp.sequence(),
                                        stamp.hlc().value()));
                        removed++;
                    }
                }
                left -= all.size();
            }
        }
        return removed;
    }

    private static boolean collects(TableSql table) {
        return table.policy == Policy.REGISTER || table.policy == Policy.DOCUMENT;
    }

    private static List<Stamp> stamps(TableSql table, Origin origin, Rows.ResultRow row) {
        Stamp own = new Stamp(origin, row.integer(1), new Hlc(row.integer(2)));
        List<Stamp> stamps = new ArrayList<>(List.of(own));
        byte[] fields = table.policy == Policy.DOCUMENT ? row.bytesOrNull(3) : null;
        if (fields != null) {
            stamps.addAll(
                    Document.of(own, true, Map.of(Document.FIELDS, fields)).others());
        }
        return stamps;
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
            if (collects(table)) {
                engine.session()
                        .each(
                                table.all,
                                stored -> {
                                    Row row = reader.row(table, stored);
                                    boolean seen = hasSeen(sender, row);
                                    if (seen && !there.contains(row)) {
                                        gone.add(row);
                                    } else if (!seen && (isDocument(row) || !row.deleted() && isOld(floor, row))) {
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
                .filter(row -> !row.counter() && hasSeen(sender, row) && !there.contains(row))
                .forEach(row -> engine.unkeep(scope, row));
        floor.below()
                .entries()
                .forEach((origin, seq) ->
                        raise(engine.id(origin), seq, floor.hlc().value()));
        return anew;
    }

    private static boolean hasSeen(VersionVector sender, Row row) {
        return row.stamps().stream().allMatch(stamp -> sender.includes(stamp.origin(), stamp.sequence()));
    }

    /**
     * In a document whose writer did not know of a tombstone that was removed, that may have had a say whatever the
     * clocks: it kept fields, and whoever has it yet merges them with those of the document, be that deleted or not.
     */
    private static boolean isDocument(Row row) {
        return Document.is(row.columns());
    }

    private static boolean isOld(Floor floor, Row row) {
        return row.stamp().hlc().compareTo(floor.hlc()) <= 0;
    }

    /** Whether a row that was taken from a sender has to be written anew, as a removed tombstone may have been later. */
    static boolean doubted(Floor floor, VersionVector sender, Row row, Engine.@Nullable Current before) {
        return floor.lacks(sender)
                && (isDocument(row)
                        || !row.counter()
                                && !row.deleted()
                                && (before == null || before.deleted())
                                && isOld(floor, row));
    }

    /** Whether what was pushed has to be pulled instead: what its rows are by now counts. */
    boolean doubts(VersionVector sender, Changeset changeset) {
        Floor floor = read();
        return floor.lacks(sender)
                && changeset.contents().rows().stream().anyMatch(row -> isDocument(row) || isOld(floor, row));
    }
}
