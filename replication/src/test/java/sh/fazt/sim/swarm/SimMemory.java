package sh.fazt.sim.swarm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Merge;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.sim.MemorySpool;

/**
 * A replica of one scope in memory, small enough to be seen to be right: registers, counters and conflict records as
 * the cartridge keeps them. It can have some of the planted bugs; {@link PlantedReplica} has the others. Confined to
 * one thread.
 */
class SimMemory implements ReplicaStore, SimReplica {
    private static final Scope SCOPE = new Scope("fazt_app_sim");
    private static final String REGISTER = "reg";
    private static final String LATE_REGISTER = "late";
    private static final String COUNTER = "sum";
    private static final String CONFLICT = "fazt_conflict";

    private final @Nullable Plant plant;
    private final HybridClock clock;
    private Origin origin;
    private Map<String, Row> rows = new TreeMap<>();
    private long digest;
    private int level;
    private VersionVector vector = VersionVector.EMPTY;
    private Hlc highest = Hlc.ZERO;
    /** The last that was opened; a cartridge leaves it to chance that no two copies of it open the same. */
    private final AtomicInteger epochs;

    private int dropped;
    private List<CommitListener.Commit> commits = new ArrayList<>();
    private Copy kept;
    /** How far the live origin is beyond doubt; null when nothing is in doubt. */
    private @Nullable Long beyondDoubt;
    /** Shares that were added to in doubt, as they were before. */
    private Map<String, Row> sharesBefore = new TreeMap<>();

    SimMemory(Origin origin, HybridClock clock, @Nullable Plant plant, int level) {
        this(origin, clock, plant, level, new AtomicInteger(origin.epoch()));
    }

    private SimMemory(Origin origin, HybridClock clock, @Nullable Plant plant, int level, AtomicInteger epochs) {
        this.level = level;
        this.origin = origin;
        this.epochs = epochs;
        this.clock = clock;
        this.plant = plant;
        this.kept = keep();
    }

    /** Another process on the copy that was kept, to which nothing tells that it is one. */
    SimMemory twin(HybridClock itsClock, @Nullable Plant bug) {
        SimMemory made = new SimMemory(kept.origin(), itsClock, bug, level, epochs);
        made.reset(kept);
        made.doubt();
        return made;
    }

    /** An old copy of the file: what {@link #restore} puts back. */
    record Copy(Map<String, Row> rows, VersionVector vector, Origin origin) {}

    /** Not made in doubt. */
    Copy keep() {
        return new Copy(new TreeMap<>(rows), vector, origin);
    }

    /** The run marker tells that this is not the file that was last run here: a new epoch. */
    void restore(Copy copy) {
        reset(copy);
        if (plant != Plant.REUSED_SEQUENCE) {
            origin = next(origin);
        }
        certain();
    }

    /** Everything is as it was, the epoch too. */
    final void reset(Copy copy) {
        rows = new TreeMap<>(copy.rows());
        digest = rows.values().stream().mapToLong(Row::digest).sum();
        vector = copy.vector();
        highest = rows.values().stream()
                .map(row -> row.stamp().hlc())
                .max(Hlc::compareTo)
                .orElse(Hlc.ZERO);
    }

    @Override
    public Scope scope() {
        return SCOPE;
    }

    @Override
    public ReplicaStore store() {
        return this;
    }

    @Override
    public List<CommitListener.Commit> commits() {
        List<CommitListener.Commit> since = commits;
        commits = new ArrayList<>();
        return since;
    }

    @Override
    public long rowCount() {
        // Parked ones are not counted, as in the cartridge.
        return rows.values().stream()
                .filter(row -> level > 1 || !row.table().equals(LATE_REGISTER))
                .filter(row -> !row.table().equals(CONFLICT) || !row.deleted())
                .count();
    }

    @Override
    public void crash(int newLevel) {
        level = newLevel;
        doubt();
    }

    /** A process goes on with an origin that may have gone on elsewhere. */
    private void doubt() {
        if (beyondDoubt == null && plant != Plant.REUSED_SEQUENCE && plant != Plant.UNDOUBTED) {
            beyondDoubt = vector.get(origin);
        }
    }

    private void certain() {
        beyondDoubt = null;
        sharesBefore = new TreeMap<>();
    }

    @Override
    public HybridClock clock() {
        return clock;
    }

    /** Keeps them for ever. */
    @Override
    public void tidy(SimulatedNode node) {}

    @Override
    public long tombstones() {
        return rows.values().stream()
                .filter(row -> row.deleted() && isRegister(row))
                .count();
    }

    @Override
    public void copy() {
        kept = keep();
    }

    Copy kept() {
        return kept;
    }

    /** What a clone begins with, under its own identity. */
    void begin(Copy copy) {
        reset(copy);
    }

    @Override
    public void restore() {
        restore(kept);
    }

    @Override
    public void setBack() {
        reset(kept);
        origin = kept.origin();
        certain();
        doubt();
    }

    /** What is remembered of the rows is what the rows say. */
    @Override
    public List<String> damage() {
        return digest == rows.values().stream().mapToLong(Row::digest).sum()
                ? List.of()
                : List.of("the digest is not that of the rows");
    }

    @Override
    public void close() {}

    @Override
    public Changeset transact(Map<String, @Nullable String> puts, Map<String, Long> adds) {
        Stamp stamp = next();
        List<Row> written = new ArrayList<>();
        puts.forEach((name, value) -> {
            Map<String, @Nullable Object> columns = new TreeMap<>();
            if (value != null) {
                columns.put("value", value);
                if (level > 1) {
                    columns.put(NOTE, "~" + value);
                }
            }
            written.add(new Row(table(name), false, List.of(name), stamp, value == null, columns));
        });
        adds.forEach((name, by) -> {
            Row own = rows.get(cell(COUNTER, List.of(name), origin));
            long before = own == null ? 0 : value(own);
            if (own != null && beyondDoubt != null && own.stamp().sequence() <= beyondDoubt) {
                sharesBefore.put(cell(own), own);
            }
            written.add(new Row(COUNTER, true, List.of(name), stamp, false, Map.of("value", before + by)));
        });
        return commit(stamp, written);
    }

    @Override
    public CompletionStage<Applied> cut(
            Scope scope, Function<VersionVector, Optional<VersionVector>> fence, List<Row> instead) {
        VersionVector upTo = fence.apply(vector).orElse(null);
        if (upTo == null) {
            return CompletableFuture.completedFuture(Applied.NEEDS_PULL);
        }
        if (upTo.equals(vector)) {
            return CompletableFuture.completedFuture(Applied.KNOWN);
        }
        Map<String, Row> there = new TreeMap<>();
        instead.forEach(row -> there.put(cell(row), row));
        List<Row> late = rows.values().stream()
                .filter(row -> !upTo.includes(row.stamp().origin(), row.stamp().sequence()))
                .toList();
        vector = upTo;
        Stamp stamp = next();
        List<Row> written = new ArrayList<>();
        for (Row row : late) {
            Row other = there.get(cell(row));
            if (other == null
                    && row.table().equals(CONFLICT)
                    && Stamp.isSeen((String) row.key().get(0), upTo)) {
                other = row;
            }
            if (!row.counter()) {
                written.add(
                        other == null || other.deleted()
                                ? new Row(row.table(), false, row.key(), stamp, true, Map.of())
                                : new Row(row.table(), false, row.key(), stamp, false, other.columns()));
            } else if (other == null) {
                digest -= row.digest();
                rows.remove(cell(row));
            } else {
                put(other);
            }
        }
        if (written.isEmpty()) {
            tell(new CommitListener.Commit(SCOPE, null, true, List.of()));
        } else {
            commit(stamp, written);
        }
        return CompletableFuture.completedFuture(Applied.DONE);
    }

    private static String table(String name) {
        return name.startsWith(LATE) ? LATE_REGISTER : REGISTER;
    }

    private Stamp next() {
        highest = clock.after(highest);
        return new Stamp(origin, vector.get(origin) + 1, highest);
    }

    private Changeset commit(Stamp stamp, List<Row> written) {
        VersionVector deps = vector;
        RowCodec.Writer writer = new RowCodec.Writer(stamp);
        written.forEach(row -> {
            put(row);
            writer.row(row);
        });
        Dot dot = new Dot(SCOPE, stamp.origin(), stamp.sequence());
        vector = vector.with(stamp.origin(), stamp.sequence());
        Changeset changeset = new Changeset(dot, stamp.hlc(), deps, writer.take());
        tell(new CommitListener.Commit(SCOPE, changeset, true, List.of()));
        return changeset;
    }

    private void put(Row row) {
        Row before = rows.put(cell(row), row);
        digest += row.digest() - (before == null ? 0 : before.digest());
    }

    private void tell(CommitListener.Commit commit) {
        commits.add(commit);
    }

    @Override
    public @Nullable String value(String name) {
        Row row = rows.get(cell(table(name), List.of(name), origin));
        return row == null ? null : (String) row.columns().get("value");
    }

    /** Rows of a table that this level lacks are kept and passed on like all others, and not shown. */
    @Override
    public View view() {
        Map<String, Version> registers = new TreeMap<>();
        Map<String, Long> sums = new TreeMap<>();
        for (Row row : rows.values()) {
            String name = (String) row.key().get(0);
            Map<String, @Nullable Object> columns = row.columns();
            if (row.counter()) {
                sums.merge(name, value(row), Long::sum);
            } else if (row.table().equals(REGISTER) || row.table().equals(LATE_REGISTER) && level > 1) {
                String note = level > 1 ? (String) columns.get(NOTE) : null;
                registers.put(name, new Version((String) columns.get("value"), note, row.stamp()));
            }
        }
        return new View(registers, sums, vector);
    }

    @Override
    public Set<String> losers() {
        Set<String> losers = new TreeSet<>();
        rows.values().stream()
                .filter(row -> row.table().equals(CONFLICT) && !row.deleted())
                .forEach(row -> losers.add(row.key().get(0) + " " + row.key().get(1)));
        return losers;
    }

    private static long value(Row share) {
        return (Long) Objects.requireNonNull(share.columns().get("value"));
    }

    private static String cell(Row row) {
        return cell(row.table(), row.key(), row.stamp().origin());
    }

    private static String cell(String table, List<?> key, Origin share) {
        return table + key + (table.equals(COUNTER) ? share : "");
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public Map<Scope, VersionVector> vectors() {
        return vector.isEmpty() ? Map.of() : Map.of(SCOPE, vector);
    }

    @Override
    public VersionVector vector(Scope scope) {
        return scope.equals(SCOPE) ? vector : VersionVector.EMPTY;
    }

    @Override
    public long digest(Scope scope) {
        return digest;
    }

    @Override
    public CompletionStage<Applied> apply(Changeset changeset) {
        Origin from = changeset.dot().origin();
        long sequence = changeset.dot().sequence();
        if (vector.includes(from, sequence)) {
            return CompletableFuture.completedFuture(Applied.KNOWN);
        }
        boolean next = vector.get(from) == sequence - 1 && vector.covers(changeset.deps());
        if (!next && plant != Plant.SKIPPED_VECTOR_CHECK) {
            return CompletableFuture.completedFuture(Applied.NEEDS_PULL);
        }
        List<Row> arrived = changeset.contents().rows();
        if (plant == Plant.DROPPED_CHANGESET && ++dropped % 3 == 0) {
            arrived = List.of();
        }
        List<Row> losers = merge(changeset.deps().with(from, sequence), arrived);
        vector = vector.with(from, sequence);
        tell(new CommitListener.Commit(SCOPE, changeset, false, List.of()));
        record(losers);
        return CompletableFuture.completedFuture(Applied.DONE);
    }

    @Override
    public CompletionStage<Applied> apply(Scope scope, VersionVector since, VersionVector sender, List<byte[]> parts) {
        if (!vector.covers(since)) {
            return CompletableFuture.completedFuture(Applied.NEEDS_PULL);
        }
        if (vector.covers(sender)) {
            return CompletableFuture.completedFuture(Applied.KNOWN);
        }
        List<Row> arrived = new ArrayList<>();
        parts.forEach(part -> arrived.addAll(RowCodec.read(part).rows()));
        List<Row> losers = merge(sender, arrived);
        vector = vector.merge(sender);
        tell(new CommitListener.Commit(SCOPE, null, false, List.of()));
        record(losers);
        return CompletableFuture.completedFuture(Applied.DONE);
    }

    private List<Row> merge(VersionVector sender, List<Row> arrived) {
        List<Row> losers = new ArrayList<>();
        VersionVector receiver = vector;
        for (Row row : arrived) {
            highest = row.stamp().hlc().compareTo(highest) > 0 ? row.stamp().hlc() : highest;
            Row current = rows.get(cell(row));
            Merge.Outcome outcome =
                    Merge.decide(receiver, sender, current == null ? null : current.stamp(), row.stamp());
            boolean takes = outcome.takes();
            if (outcome.concurrent() && isRegister(row) && current != null) {
                if (plant == Plant.TIE_BROKEN_BY_VALUE) {
                    takes = String.valueOf(row.columns()).compareTo(String.valueOf(current.columns())) > 0;
                }
                if (!current.deleted() || !row.deleted()) {
                    losers.add(takes ? current : row);
                }
            }
            if (takes) {
                put(row);
            }
        }
        return losers;
    }

    private static boolean isRegister(Row row) {
        return row.table().equals(REGISTER) || row.table().equals(LATE_REGISTER);
    }

    private void record(List<Row> losers) {
        List<Row> records = new ArrayList<>();
        Stamp stamp = losers.isEmpty() || plant == Plant.SILENT_LOSER ? null : next();
        if (stamp == null) {
            return;
        }
        for (Row loser : losers) {
            Row record = new Row(
                    CONFLICT,
                    false,
                    List.of(loser.stamp().toString(), loser.key().get(0)),
                    stamp,
                    false,
                    loser.columns());
            Row known = rows.get(cell(record));
            if (known == null || known.deleted()) {
                records.add(record);
            }
        }
        if (!records.isEmpty()) {
            commit(stamp, records);
        }
    }

    @Override
    public Spool open(Scope scope, VersionVector since) {
        VersionVector now = vector;
        List<byte[]> parts = new ArrayList<>();
        RowCodec.Writer writer = new RowCodec.Writer();
        for (Row row : rows.values()) {
            if (!since.includes(row.stamp().origin(), row.stamp().sequence())) {
                writer.row(row);
                // Small parts, so that a pull has several.
                if (writer.size() > 400) {
                    parts.add(writer.take());
                    writer = new RowCodec.Writer();
                }
            }
        }
        if (!writer.isEmpty()) {
            parts.add(writer.take());
        }
        return new MemorySpool(now, parts);
    }

    @Override
    public Scratch scratch(long bytes) {
        return MemorySpool.scratch();
    }

    @Override
    public Scan scan(Scope scope, @Nullable String table, Consumer<Row> consumer) {
        long found = 0;
        long foreign = 0;
        for (Row row : rows.values()) {
            if (table == null || table.equals(row.table())) {
                found += row.digest();
                if (vector.includes(row.stamp().origin(), row.stamp().sequence())) {
                    consumer.accept(row);
                } else {
                    foreign++;
                }
            }
        }
        return new Scan(vector, digest, found, foreign);
    }

    /** Nothing here differs from what was written, so no audit has anything to put right. */
    @Override
    public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
        throw new Violation(Violation.Checker.COMPLETENESS, "an audit wants to put right " + repair);
    }

    @Override
    public Weight weigh(Scope scope, VersionVector since) {
        List<Row> lacking = rows.values().stream()
                .filter(row -> !since.includes(row.stamp().origin(), row.stamp().sequence()))
                .toList();
        Hlc oldest = lacking.stream()
                .map(row -> row.stamp().hlc())
                .min(Hlc::compareTo)
                .orElse(Hlc.ZERO);
        return new Weight(lacking.size(), 100L * lacking.size(), oldest);
    }

    @Override
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        if (!vector.equals(at)) {
            return CompletableFuture.completedFuture(false);
        }
        reset(new Copy(Map.of(), VersionVector.EMPTY, origin));
        origin = next(origin);
        return CompletableFuture.completedFuture(true);
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        if (plant == Plant.STUBBORN_TWIN) {
            certain();
        } else if (plant != Plant.REUSED_SEQUENCE) {
            Origin before = origin;
            origin = next(origin);
            if (beyondDoubt != null) {
                rename(before, beyondDoubt);
            }
            certain();
        }
        return CompletableFuture.completedFuture(origin);
    }

    private Origin next(Origin before) {
        return new Origin(before.node(), epochs.incrementAndGet());
    }

    /** What was in doubt was written under the new origin, as if it had been there from the start. */
    private void rename(Origin before, long upTo) {
        long inDoubt = vector.get(before) - upTo;
        if (inDoubt <= 0) {
            return;
        }
        for (Row row : List.copyOf(rows.values())) {
            if (!row.stamp().origin().equals(before) || row.stamp().sequence() <= upTo) {
                continue;
            }
            digest -= row.digest();
            rows.remove(cell(row));
            Map<String, @Nullable Object> columns = row.columns();
            if (row.counter()) {
                Row share = sharesBefore.get(cell(row));
                if (share != null) {
                    put(share);
                    columns = Map.of("value", value(row) - value(share));
                }
                if (plant == Plant.LOST_SHARE) {
                    columns = Map.of("value", 0L);
                }
            }
            Stamp stamp =
                    new Stamp(origin, row.stamp().sequence() - upTo, row.stamp().hlc());
            put(new Row(row.table(), row.counter(), row.key(), stamp, row.deleted(), columns));
        }
        vector = vector.with(before, upTo).with(origin, inDoubt);
        tell(new CommitListener.Commit(SCOPE, null, true, List.of()));
    }

    @Override
    public boolean inDoubt() {
        return beyondDoubt != null;
    }

    @Override
    public VersionVector certain(Scope scope) {
        return beyondDoubt != null && vector(scope).get(origin) > beyondDoubt
                ? vector.with(origin, beyondDoubt)
                : vector(scope);
    }

    @Override
    public CompletionStage<Boolean> settle() {
        certain();
        return CompletableFuture.completedFuture(true);
    }
}
