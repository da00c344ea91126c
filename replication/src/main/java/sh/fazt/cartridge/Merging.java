package sh.fazt.cartridge;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Change;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/**
 * Merges what a peer sent, part by part, so that no more of a pull is in memory than the part that is being merged. What
 * comes of it is written by this node in transactions of its own: conflicts, and rows anew. All within one transaction of
 * the file; confined to the {@code writer} thread.
 *
 * @param origin what this node writes as; null before it is bound, when nobody records conflicts
 * @param events is told what was committed
 */
record Merging(
        Engine engine, Schema schema, Scope scope, @Nullable Origin origin, List<Commit> events) {
    /** Above so many changed rows only their tables are told. */
    private static final int MOST_CHANGES = 10_000;
    /** Losers are recorded once there are so many bytes of them, or so many. */
    private static final int MOST_LOST = 1 << 20;

    private static final int MOST_LOSERS = 1_000;

    /**
     * Takes over rows.
     *
     * @param sender    what their sender had seen
     * @param parts     one is in memory at a time
     * @param after     the vector once they are here
     * @param changeset what to push on; null of a pull
     * @param floor     of the sender; {@link Floor#NONE} unless these are all its rows
     */
    void run(
            VersionVector sender,
            Iterable<RowCodec.Contents> parts,
            VersionVector after,
            @Nullable Changeset changeset,
            Floor floor) {
        Floors floors = new Floors(engine, schema, scope);
        Floor own = floors.read();
        VersionVector receiver = engine.state(scope).vector();
        // What this node records on the way has seen what it records.
        engine.state(scope, engine.state(scope).with(after));
        Engine.Merged merged = new Engine.Merged(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        Floors.Places there = new Floors.Places();
        List<Commit> recorded = new ArrayList<>();
        for (RowCodec.Contents contents : parts) {
            engine.merge(scope, receiver, sender, own, contents, merged);
            if (!floor.isNone()) {
                contents.rows().forEach(there::add);
            }
            if (merged.losers().size() >= MOST_LOSERS || weight(merged.losers()) >= MOST_LOST) {
                // Too much to be pushed: peers hear of it by the vector.
                record(merged.losers(), recorded, false);
                merged.losers().clear();
            }
            brief(merged.changed());
        }
        if (!floor.isNone()) {
            merged.anew().addAll(floors.meet(there, sender, floor, merged.changed()));
        }
        events.add(new Commit(scope, changeset, false, merged.changed()));
        events.addAll(recorded);
        record(merged.losers(), events, true);
        writeAnew(merged.anew());
    }

    private static long weight(List<Engine.Loser> losers) {
        return losers.stream().mapToLong(loser -> Tx.weight(loser.columns())).sum();
    }

    /** A tables' name alone, with an empty key, stands for any of its rows. */
    private static void brief(List<Change> changed) {
        if (changed.size() > MOST_CHANGES) {
            Set<String> tables = new LinkedHashSet<>();
            changed.forEach(change -> tables.add(change.table()));
            changed.clear();
            tables.forEach(table -> changed.add(new Change(table, List.of())));
        }
    }

    /** Writes rows anew, under a stamp of this node. */
    void writeAnew(List<Row> rows) {
        Tx tx = Tx.own(engine, scope, origin);
        Repairs.writeAnew(engine, scope, rows, tx);
        tell(tx, events, true);
    }

    /** Conflicts are rows like any other: written once per loser, by whoever notices. */
    void record(List<Engine.Loser> losers) {
        record(losers, events, true);
    }

    private void record(List<Engine.Loser> losers, List<Commit> told, boolean pushes) {
        if (!losers.isEmpty() && origin != null) {
            Tx tx = Tx.own(engine, scope, origin);
            losers.forEach(loser -> Conflicts.record(tx, loser));
            tell(tx, told, pushes);
        }
    }

    private void tell(Tx tx, List<Commit> told, boolean pushes) {
        Changeset changeset = tx.changeset();
        if (changeset != null) {
            told.add(new Commit(scope, pushes ? changeset : null, true, tx.changes()));
        }
    }
}
