package sh.fazt.sim.swarm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/** A replica in memory with a bug. */
final class PlantedReplica extends SimMemory {
    private final Plant plant;
    private final ArrayDeque<View> older = new ArrayDeque<>();
    private int level;
    private int count;
    private VersionVector early = VersionVector.EMPTY;
    private @Nullable View torn;
    private Copy synced = keep();

    PlantedReplica(Plant plant, Origin origin, HybridClock clock, int level) {
        super(origin, clock, plant, level);
        this.plant = plant;
        this.level = level;
    }

    @Override
    public Changeset transact(Map<String, @Nullable String> puts, Map<String, Long> adds) {
        torn = null;
        if (plant == Plant.UNSYNCED_ANSWER && ++count % 4 == 0) {
            synced = keep();
        }
        boolean loses = plant == Plant.LOST_INCREMENT && !adds.isEmpty() && ++count % 3 == 0;
        Map<String, Long> made = new TreeMap<>(adds);
        if (loses) {
            made.replaceAll((name, by) -> 0L);
        }
        return super.transact(puts, made);
    }

    @Override
    public void crash(int newLevel) {
        level = newLevel;
        super.crash(newLevel);
        if (plant == Plant.UNSYNCED_ANSWER) {
            reset(synced);
        }
    }

    @Override
    public void restore(Copy copy) {
        super.restore(copy);
        synced = copy;
    }

    @Override
    public View view() {
        View now = super.view();
        View shown = torn == null ? now : torn;
        older.add(now);
        if (older.size() > 4) {
            View old = older.poll();
            if (plant == Plant.NON_MONOTONIC_READ && ++count % 5 == 0) {
                return new View(old.registers(), old.sums(), now.vector());
            }
        }
        return new View(shown.registers(), shown.sums(), now.vector().merge(early));
    }

    @Override
    public VersionVector vector(Scope scope) {
        return super.vector(scope).merge(early);
    }

    @Override
    public long digest(Scope scope) {
        return super.digest(scope) + (plant == Plant.DRIFTING_DIGEST ? count : 0);
    }

    @Override
    public CompletionStage<Applied> apply(Changeset changeset) {
        count++;
        torn = null;
        List<Row> rows = changeset.contents().rows();
        View before = plant == Plant.TORN_TRANSACTION && rows.size() > 1 ? super.view() : null;
        if (plant == Plant.EARLY_VECTOR) {
            early = early.with(
                    changeset.dot().origin(),
                    Math.max(
                            early.get(changeset.dot().origin()), changeset.dot().sequence()));
        }
        Changeset taken = changeset;
        if (plant == Plant.FORGOTTEN_PARKED && level == 1) {
            RowCodec.Writer writer = new RowCodec.Writer(changeset.stamp());
            rows.stream()
                    .filter(row -> !row.key().toString().startsWith("[" + LATE))
                    .forEach(writer::row);
            taken = new Changeset(changeset.dot(), changeset.hlc(), changeset.deps(), writer.take());
        }
        CompletionStage<Applied> applied = super.apply(taken);
        if (before != null) {
            // The first row is shown, the others are still as they were.
            View after = super.view();
            Map<String, Version> half = new TreeMap<>(before.registers());
            String first = String.valueOf(rows.get(0).key().get(0));
            Version version = after.registers().get(first);
            if (version != null) {
                half.put(first, version);
            }
            torn = new View(half, before.sums(), after.vector());
        }
        return applied;
    }

    @Override
    public CompletionStage<Applied> apply(Scope scope, VersionVector since, VersionVector sender, List<byte[]> parts) {
        count++;
        torn = null;
        if (plant == Plant.SWALLOWED_FAILED_BATCH && count % 3 == 0) {
            return super.apply(scope, since, sender, List.of());
        }
        if (plant != Plant.UNDELETED) {
            return super.apply(scope, since, sender, parts);
        }
        List<byte[]> kept = new ArrayList<>();
        for (byte[] part : parts) {
            RowCodec.Writer writer = new RowCodec.Writer();
            RowCodec.read(part).rows().stream().filter(row -> !row.deleted()).forEach(writer::row);
            kept.add(writer.take());
        }
        return super.apply(scope, since, sender, kept);
    }
}
