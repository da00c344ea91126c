package sh.fazt.sync;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Document;
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
 * A replica of one scope in memory, small enough to be seen to be right: registers, counters and conflict records
 * as the cartridge keeps them. It can be told to have a bug, for the checkers to find. Confined to one thread.
 */
final class MemoryReplica implements ReplicaStore, ReplicaUnderTest {
    /** What can be wrong with a replica. */
    enum Bug {
        /** Says that it applied a changeset and did not. */
        DROPPED_CHANGESET,
        /** Applies whatever comes, cause or not. */
        SKIPPED_VECTOR_CHECK,
        /** Of two concurrent versions takes the greater value. */
        TIE_BROKEN_BY_VALUE,
        /** Goes on under its old epoch after an old copy was put back. */
        REUSED_SEQUENCE,
        /** Forgets that a field of a document was written by another than the document. */
        OVERRIDE_DROPPED,
        /** Answers a pull by what wrote a document last, whoever wrote its fields. */
        OVERRIDE_NOT_INDEXED,
        /** Forgets losers. */
        SILENT_LOSER,
        /** Loses a row now and then, and does not notice. */
        LOST_ROW,
        /** Has a row say something else now and then, under its old stamp. */
        CHANGED_ROW,
        /** Applies what it has of a pull, all of it or not. */
        TORN_PULL
    }

    static final Scope SCOPE = new Scope("fazt_app_sim");
    private static final String REGISTER = "reg";
    private static final String COUNTER = "sum";
    private static final String DOCUMENTS = "doc";
    private static final String CONFLICT = "fazt_conflict";

    private Set<Bug> bugs;
    private final HybridClock clock;
    private final List<CommitListener> listeners = new ArrayList<>();
    private Origin origin;
    private Map<String, Row> rows = new TreeMap<>();
    /** Of the rows; kept, since it goes with every message. */
    private long digest;

    private int changes;
    private VersionVector vector = VersionVector.EMPTY;
    private Hlc highest = Hlc.ZERO;
    private int highestEpoch;
    private int dropped;
    private List<Changeset> recorded = new ArrayList<>();
    private Copy kept;
    /** Where pulls are staged. */
    Supplier<Scratch> scratch = MemorySpool::scratch;

    MemoryReplica(Origin origin, HybridClock clock, Set<Bug> bugs) {
        this.origin = origin;
        this.highestEpoch = origin.epoch();
        this.clock = clock;
        this.bugs = bugs;
        this.kept = keep();
    }

    /** An old copy of the file: what {@link #restore} puts back. */
    record Copy(Map<String, Row> rows, VersionVector vector, Origin origin) {}

    Copy keep() {
        return new Copy(new TreeMap<>(rows), vector, origin);
    }

    /** The run marker tells that this is not the file that was last run here: a new epoch. */
    void restore(Copy copy) {
        begin(copy.rows());
        vector = copy.vector();
        highest = rows.values().stream()
                .map(row -> row.stamp().hlc())
                .max(Hlc::compareTo)
                .orElse(Hlc.ZERO);
        if (!bugs.contains(Bug.REUSED_SEQUENCE)) {
            origin = new Origin(origin.node(), ++highestEpoch);
        }
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
    public List<Changeset> recorded() {
        List<Changeset> since = recorded;
        recorded = new ArrayList<>();
        return since;
    }

    @Override
    public long rowCount() {
        return rows.size();
    }

    /** Everything here is durable at once. */
    @Override
    public void restart() {}

    @Override
    public void copy() {
        kept = keep();
    }

    @Override
    public void restore() {
        restore(kept);
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

    void listen(CommitListener listener) {
        listeners.add(listener);
    }

    /** Is without bugs from now on; what they did is still there. */
    void mend() {
        bugs = Set.of();
    }

    /** Forgets who listened: the process is gone. */
    void deafen() {
        listeners.clear();
    }

    @Override
    public Changeset write(@Nullable String value, List<String> names) {
        Stamp stamp = next();
        List<Row> written = new ArrayList<>();
        for (String name : names) {
            written.add(new Row(
                    REGISTER,
                    false,
                    List.of(name),
                    stamp,
                    value == null,
                    value == null ? Map.of() : Map.of("value", value)));
        }
        return commit(stamp, written);
    }

    @Override
    public Changeset add(String name, long by) {
        Stamp stamp = next();
        Row own = rows.get(cell(COUNTER, List.of(name), origin));
        long before =
                own == null ? 0 : (Long) Objects.requireNonNull(own.columns().get("value"));
        return commit(
                stamp, List.of(new Row(COUNTER, true, List.of(name), stamp, false, Map.of("value", before + by))));
    }

    @Override
    public Changeset edit(Map<String, @Nullable String> changes) {
        Row before = rows.get(cell(DOCUMENTS, List.of(DOCUMENT), origin));
        Stamp stamp = next();
        return commit(
                stamp,
                before == null
                        ? Document.create(stamp, changes)
                        : Document.of(before).update(stamp, changes));
    }

    @Override
    public Changeset replace(Map<String, String> values) {
        Row before = rows.get(cell(DOCUMENTS, List.of(DOCUMENT), origin));
        Stamp stamp = next();
        return commit(
                stamp,
                before == null
                        ? Document.create(stamp, values)
                        : Document.of(before).update(stamp, Document.of(before).changesTo(values)));
    }

    @Override
    public Changeset deleteDocument() {
        Row before = Objects.requireNonNull(rows.get(cell(DOCUMENTS, List.of(DOCUMENT), origin)));
        Stamp stamp = next();
        return commit(stamp, Document.of(before).delete(stamp));
    }

    private Changeset commit(Stamp stamp, Document document) {
        return commit(stamp, List.of(document.row(DOCUMENTS, List.of(DOCUMENT))));
    }

    @Override
    public @Nullable Map<String, String> document() {
        Row row = rows.get(cell(DOCUMENTS, List.of(DOCUMENT), origin));
        if (row == null || row.deleted()) {
            return null;
        }
        Map<String, String> said = new TreeMap<>();
        Document.values(row.columns()).forEach((field, value) -> said.put(field, String.valueOf(value)));
        return said;
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

    private void begin(Map<String, Row> from) {
        rows = new TreeMap<>(from);
        digest = rows.values().stream().mapToLong(Row::digest).sum();
        changes++;
    }

    /** Answers what was there before. */
    private @Nullable Row put(Row row) {
        Row before = rows.put(cell(row), row);
        digest += row.digest() - (before == null ? 0 : before.digest());
        changes++;
        return before;
    }

    private void remove(Row row) {
        rows.remove(cell(row));
        digest -= row.digest();
        changes++;
    }

    /** Grows whenever a row changes. */
    int changes() {
        return changes;
    }

    private void tell(CommitListener.Commit commit) {
        List.copyOf(listeners).forEach(listener -> listener.committed(commit));
    }

    @Override
    public @Nullable String value(String name) {
        Row row = rows.get(cell(REGISTER, List.of(name), origin));
        return row == null ? null : (String) row.columns().get("value");
    }

    @Override
    public @Nullable Stamp stamp(String name) {
        if (name.startsWith(DOCUMENT + "/")) {
            Row row = rows.get(cell(DOCUMENTS, List.of(DOCUMENT), origin));
            return row == null ? null : Document.of(row).stamp(name.substring(DOCUMENT.length() + 1));
        }
        Row row = rows.get(cell(REGISTER, List.of(name), origin));
        return row == null ? null : row.stamp();
    }

    @Override
    public long sum(String name) {
        return rows.values().stream()
                .filter(row -> row.counter() && row.key().equals(List.of(name)))
                .mapToLong(row -> (Long) row.columns().get("value"))
                .sum();
    }

    @Override
    public Set<String> losers() {
        Set<String> losers = new TreeSet<>();
        rows.values().stream()
                .filter(row -> row.table().equals(CONFLICT))
                .forEach(row -> losers.add(row.key().get(0) + " " + row.key().get(1)));
        return losers;
    }

    /** The rows, in a form that can be compared: bytes as text. */
    Map<String, Row> rows() {
        Map<String, Row> comparable = new TreeMap<>(rows);
        comparable.replaceAll((cell, row) -> {
            Map<String, @Nullable Object> columns = new TreeMap<>(row.columns());
            columns.replaceAll((name, value) ->
                    value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : value);
            return new Row(row.table(), row.counter(), row.key(), row.stamp(), row.deleted(), columns);
        });
        return comparable;
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
        if (!next && !bugs.contains(Bug.SKIPPED_VECTOR_CHECK)) {
            return CompletableFuture.completedFuture(Applied.NEEDS_PULL);
        }
        List<Row> arrived = changeset.contents().rows();
        if (bugs.contains(Bug.DROPPED_CHANGESET) && ++dropped % 3 == 0) {
            arrived = List.of();
        }
        List<Row> losers = merge(changeset.deps().with(from, sequence), arrived);
        vector = vector.with(from, sequence);
        damageARow();
        tell(new CommitListener.Commit(SCOPE, changeset, false, List.of()));
        record(losers);
        return CompletableFuture.completedFuture(Applied.DONE);
    }

    private void damageARow() {
        boolean loses = bugs.contains(Bug.LOST_ROW);
        if ((loses || bugs.contains(Bug.CHANGED_ROW)) && ++dropped % 3 == 0) {
            rows.values().stream()
                    // Of the pair nothing shall be seen by half: that is another checker's.
                    .filter(row -> row.table().equals(REGISTER)
                            && !row.deleted()
                            && row.key().get(0).toString().length() <= 2)
                    .findFirst()
                    .ifPresent(row -> {
                        remove(row);
                        if (!loses) {
                            put(new Row(REGISTER, false, row.key(), row.stamp(), false, Map.of("value", "rotten")));
                        }
                    });
        }
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
        parts.stream()
                .limit(bugs.contains(Bug.TORN_PULL) ? Math.max(1, parts.size() - 1) : parts.size())
                .forEach(part -> arrived.addAll(RowCodec.read(part).rows()));
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
            if (row.table().equals(DOCUMENTS)) {
                losers.addAll(mergeDocument(sender, current, row));
                continue;
            }
            Merge.Outcome outcome =
                    Merge.decide(receiver, sender, current == null ? null : current.stamp(), row.stamp());
            boolean takes = outcome.takes();
            if (outcome.concurrent() && row.table().equals(REGISTER) && current != null) {
                if (bugs.contains(Bug.TIE_BROKEN_BY_VALUE)) {
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

    /** Answers what lost as rows whose key names the field. */
    private List<Row> mergeDocument(VersionVector sender, @Nullable Row current, Row row) {
        Document in = Document.of(
                row.stamp(),
                row.deleted(),
                bugs.contains(Bug.OVERRIDE_DROPPED) ? Document.values(row.columns()) : row.columns());
        if (current == null) {
            if (Document.lacks(vector, row)) {
                put(in.row(row.table(), row.key()));
            }
            return List.of();
        }
        Document.Merged merged = Document.merge(vector, sender, Document.of(current), in);
        put(merged.document().row(row.table(), row.key()));
        return merged.losers().stream()
                .map(loser -> new Row(
                        DOCUMENTS,
                        false,
                        List.of(loser.field() == null ? DOCUMENT : DOCUMENT + "/" + loser.field()),
                        loser.stamp(),
                        loser.value() == null,
                        loser.value() == null ? Map.of() : Map.of("value", loser.value())))
                .toList();
    }

    private void record(List<Row> losers) {
        List<Row> records = new ArrayList<>();
        Stamp stamp = losers.isEmpty() || bugs.contains(Bug.SILENT_LOSER) ? null : next();
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
            if (!rows.containsKey(cell(record))) {
                records.add(record);
            }
        }
        if (!records.isEmpty()) {
            recorded.add(commit(stamp, records));
        }
    }

    @Override
    public Spool open(Scope scope, VersionVector since) {
        VersionVector now = vector;
        List<byte[]> parts = new ArrayList<>();
        RowCodec.Writer writer = new RowCodec.Writer();
        for (Row row : rows.values()) {
            boolean unindexed = bugs.contains(Bug.OVERRIDE_NOT_INDEXED)
                    && since.includes(row.stamp().origin(), row.stamp().sequence());
            if (Document.lacks(since, row) && !unindexed) {
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
        return scratch.get();
    }

    @Override
    public Scan scan(Scope scope, @Nullable String table, Consumer<Row> sink) {
        rows.values().stream()
                .filter(row -> table == null || row.table().equals(table))
                .forEach(sink);
        return new Scan(vector, digest(scope), digest(scope), 0);
    }

    @Override
    public Weight weigh(Scope scope, VersionVector since) {
        List<Row> lacking = rows.values().stream()
                .filter(row -> !since.includes(row.stamp().origin(), row.stamp().sequence()))
                .toList();
        return new Weight(
                lacking.size(),
                lacking.size() * 100L,
                lacking.stream()
                        .map(row -> row.stamp().hlc())
                        .min(Hlc::compareTo)
                        .orElse(Hlc.ZERO));
    }

    @Override
    public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
        if (!vector.equals(repair.at())) {
            return CompletableFuture.completedFuture(false);
        }
        List<Row> losers = new ArrayList<>(repair.lost());
        for (Row row : repair.take()) {
            Row before = put(row);
            if (before != null && !before.counter()) {
                losers.add(before);
            }
        }
        tell(new CommitListener.Commit(SCOPE, null, false, List.of()));
        if (!repair.anew().isEmpty()) {
            Stamp stamp = next();
            recorded.add(commit(
                    stamp, repair.anew().stream().map(row -> anew(row, stamp)).toList()));
        }
        record(losers);
        return CompletableFuture.completedFuture(true);
    }

    @Override
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        if (!vector.equals(at)) {
            return CompletableFuture.completedFuture(false);
        }
        begin(Map.of());
        vector = VersionVector.EMPTY;
        highest = Hlc.ZERO;
        origin = new Origin(origin.node(), ++highestEpoch);
        tell(new CommitListener.Commit(SCOPE, null, true, List.of()));
        return CompletableFuture.completedFuture(true);
    }

    /** A document is written whole. */
    private static Row anew(Row row, Stamp stamp) {
        return row.table().equals(DOCUMENTS)
                ? Document.of(stamp, row.deleted(), Document.values(row.columns()))
                        .row(row.table(), row.key())
                : new Row(row.table(), row.counter(), row.key(), stamp, row.deleted(), row.columns());
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        if (!bugs.contains(Bug.REUSED_SEQUENCE)) {
            origin = new Origin(origin.node(), ++highestEpoch);
        }
        return CompletableFuture.completedFuture(origin);
    }
}
