package sh.fazt.sync;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Fingerprint;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.AuditList;
import sh.fazt.protocol.sync.v1.AuditRanges;
import sh.fazt.protocol.sync.v1.AuditReply;
import sh.fazt.protocol.sync.v1.AuditRequest;
import sh.fazt.protocol.sync.v1.AuditRows;
import sh.fazt.protocol.sync.v1.AuditTable;
import sh.fazt.protocol.sync.v1.AuditTables;

/**
 * One comparison of one scope with one peer: tables, then ranges, then keys, then rows. Both sides answer every
 * question; an answer of another vector ends it, for then the two may differ. Each node repairs itself only, by
 * rules that give both the same outcome, and tells the other to look. One step at a time, on {@code io}.
 */
final class Audit {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    /** Rows that one audit looks at; the next one goes on. */
    private static final int MOST_DIFFERENCES = 2_000;

    private final ReplicaStore store;
    private final Links links;
    private final Executor io;
    private final NodeId peer;
    private final Scope scope;
    private final boolean repair;

    private VersionVector at = VersionVector.EMPTY;
    private long found;
    private Floor floor = Floor.NONE;
    private String damaged = "";
    private final List<AuditResult.Difference> differences = new ArrayList<>();
    private final List<Row> take = new ArrayList<>();
    private final List<Row> anew = new ArrayList<>();
    private final List<Row> lost = new ArrayList<>();
    private boolean theirs;
    private boolean more;

    /** The two have not seen the same: there is nothing to compare. */
    private static final class MovedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        MovedException() {
            super("the vectors differ", null, false, false);
        }
    }

    private record Both(AuditReply here, AuditReply there) {}

    Audit(ReplicaStore store, Links links, Executor io, NodeId peer, Scope scope, boolean repair) {
        this.store = store;
        this.links = links;
        this.io = io;
        this.peer = peer;
        this.scope = scope;
        this.repair = repair;
    }

    /** Never fails. */
    CompletionStage<AuditResult> run() {
        return CompletableFuture.supplyAsync(this::look, io)
                .thenCompose(here -> ask(request().setTables(AuditTables.getDefaultInstance()))
                        .thenApply(there -> new Both(here, there)))
                .thenCompose(both -> {
                    check(both);
                    return tables(new ArrayDeque<>(unequal(both)));
                })
                .thenCompose(done -> finish())
                .exceptionally(this::failed);
    }

    /** Sums up what is stored here, and compares it with what was kept count of. */
    private AuditReply look() {
        AuditReply.Builder reply = AuditReply.newBuilder();
        ReplicaStore.Scan scan = AuditCodec.tables(store, scope, reply);
        at = scan.vector();
        found = scan.found();
        floor = store.floor(scope);
        if (!scan.sound()) {
            damaged = scan.foreign() > 0
                    ? scan.foreign() + " rows were not written by this node: another program wrote the cartridge"
                    : "the stored rows are not those that were written: the file is damaged, or another program"
                            + " wrote it";
        }
        return reply.addAllVector(SyncCodec.seen(at)).build();
    }

    private AuditRequest.Builder request() {
        return AuditRequest.newBuilder().setScope(scope.id());
    }

    private CompletionStage<AuditReply> ask(AuditRequest.Builder request) {
        return links.ask(peer, Channel.AUDIT, request.build().toByteArray(), PATIENCE)
                .thenApply(bytes -> {
                    try {
                        return AuditReply.parseFrom(bytes);
                    } catch (InvalidProtocolBufferException e) {
                        throw new IllegalArgumentException("a damaged answer to an audit", e);
                    }
                });
    }

    private CompletionStage<Both> both(AuditRequest.Builder request) {
        AuditRequest question = request.build();
        return ask(request)
                .thenApplyAsync(
                        there -> {
                            Both both = new Both(AuditCodec.answer(store, question), there);
                            check(both);
                            return both;
                        },
                        io);
    }

    private void check(Both both) {
        if (!SyncCodec.vector(both.here().getVectorList()).equals(at)
                || !SyncCodec.vector(both.there().getVectorList()).equals(at)) {
            throw new MovedException();
        }
    }

    private static Set<String> unequal(Both both) {
        Map<String, AuditTable> here = new HashMap<>();
        both.here().getTablesList().forEach(table -> here.put(table.getName(), table));
        Set<String> unequal = new HashSet<>();
        for (AuditTable table : both.there().getTablesList()) {
            if (!table.equals(here.remove(table.getName()))) {
                unequal.add(table.getName());
            }
        }
        unequal.addAll(here.keySet());
        return unequal;
    }

    private CompletionStage<Boolean> tables(Deque<String> left) {
        String table = left.poll();
        if (table == null) {
            return CompletableFuture.completedFuture(true);
        }
        return both(request().setRanges(AuditRanges.newBuilder().setTable(table)))
                .thenCompose(both -> {
                    List<Long> here = both.here().getSumsList();
                    List<Long> there = both.there().getSumsList();
                    if (there.size() != here.size()) {
                        throw new IllegalArgumentException(there.size() + " ranges came, not " + here.size());
                    }
                    AuditList.Builder unequal = AuditList.newBuilder().setTable(table);
                    for (int i = 0; i < here.size(); i++) {
                        if (!here.get(i).equals(there.get(i))) {
                            unequal.addRanges(i);
                        }
                    }
                    return list(table, unequal);
                })
                .thenCompose(done -> tables(left));
    }

    private CompletionStage<Boolean> list(String table, AuditList.Builder ranges) {
        return both(request().setList(ranges)).thenCompose(both -> {
            Map<Long, Long> here = new LinkedHashMap<>();
            Map<Long, Long> there = new LinkedHashMap<>();
            long last = end(both);
            read(both.here(), last, here);
            read(both.there(), last, there);
            Set<Long> unequal = new HashSet<>(there.keySet());
            unequal.removeIf(key -> Objects.equals(there.get(key), here.get(key)));
            here.keySet().forEach(key -> {
                if (!there.containsKey(key)) {
                    unequal.add(key);
                }
            });
            boolean goOn = both.here().getMore() || both.there().getMore();
            return rows(table, new ArrayDeque<>(unequal))
                    .thenCompose(done -> goOn && !more
                            ? list(table, ranges.setAfter(last))
                            : CompletableFuture.completedFuture(true));
        });
    }

    /** How far both have answered. */
    private static long end(Both both) {
        long end = -1;
        for (AuditReply reply : List.of(both.here(), both.there())) {
            if (reply.getMore() && reply.getKeysCount() > 0) {
                long last = reply.getKeys(reply.getKeysCount() - 1);
                end = Long.compareUnsigned(last, end) < 0 ? last : end;
            }
        }
        return end;
    }

    private static void read(AuditReply reply, long last, Map<Long, Long> into) {
        if (reply.getKeysCount() != reply.getContentsCount()) {
            throw new IllegalArgumentException("a damaged answer to an audit");
        }
        for (int i = 0; i < reply.getKeysCount(); i++) {
            if (Long.compareUnsigned(reply.getKeys(i), last) <= 0) {
                into.put(reply.getKeys(i), reply.getContents(i));
            }
        }
    }

    private CompletionStage<Boolean> rows(String table, Deque<Long> left) {
        if (left.isEmpty() || more) {
            return CompletableFuture.completedFuture(true);
        }
        if (differences.size() >= MOST_DIFFERENCES) {
            more = true;
            return CompletableFuture.completedFuture(true);
        }
        Set<Long> keys = new HashSet<>();
        while (keys.size() < AuditCodec.MOST_ROWS && !left.isEmpty()) {
            keys.add(left.poll());
        }
        return both(request().setRows(AuditRows.newBuilder().setTable(table).addAllKeys(keys)))
                .thenCompose(both -> {
                    Map<Long, Row> here = rows(both.here(), table, keys);
                    Map<Long, Row> there = rows(both.there(), table, keys);
                    for (long key : keys) {
                        Row mine = here.get(key);
                        Row other = there.get(key);
                        if (mine == null && both.here().getMore()
                                || other == null && both.there().getMore()) {
                            // It did not fit into the answer. The next one has room for it, if only one.
                            if (keys.size() > 1) {
                                left.add(key);
                            }
                        } else {
                            differ(table, mine, other);
                        }
                    }
                    return rows(table, left);
                });
    }

    private static Map<Long, Row> rows(AuditReply reply, String table, Set<Long> asked) {
        Map<Long, Row> rows = new HashMap<>();
        for (Row row : RowCodec.read(reply.getRows().toByteArray()).rows()) {
            long key = Fingerprint.key(row);
            if (row.table().equals(table) && asked.contains(key)) {
                rows.put(key, row);
            }
        }
        return rows;
    }

    private void differ(String table, @Nullable Row mine, @Nullable Row other) {
        if (other != null && !at.includes(other.stamp().origin(), other.stamp().sequence())) {
            // No honest peer has it: what its vector does not cover is never sent.
            return;
        }
        if (mine == null && other == null) {
            return;
        }
        List<Object> key = Objects.requireNonNull(mine != null ? mine : other).key();
        differences.add(new AuditResult.Difference(table, key, judge(mine, other)));
    }

    /** What is wrong, and what this node does about it. */
    private String judge(@Nullable Row mine, @Nullable Row other) {
        if (other == null) {
            theirs = true;
            return "is missing there";
        }
        if (mine == null) {
            if (damaged.isEmpty() && other.stamp().hlc().compareTo(floor.hlc()) <= 0) {
                return "is missing here and may have been deleted: it is not taken from there";
            }
            take.add(other);
            return "is missing here";
        }
        int order = other.stamp().compareTo(mine.stamp());
        if (order != 0) {
            if (order > 0) {
                take.add(other);
                return "is an older version here, " + mine.stamp() + " for " + other.stamp();
            }
            theirs = true;
            return "is an older version there, " + other.stamp() + " for " + mine.stamp();
        }
        if (mine.counter()) {
            if (value(other) > value(mine)) {
                take.add(other);
                return "counts less here, " + value(mine) + " for " + value(other);
            }
            theirs = true;
            return "counts less there, " + value(other) + " for " + value(mine);
        }
        if (wins(mine, other)) {
            anew.add(mine);
            lost.add(other);
            return "says something else there under one stamp, " + mine.stamp() + ": what is here stays";
        }
        theirs = true;
        return "says something else here under one stamp, " + mine.stamp() + ": what is there stays";
    }

    private static long value(Row row) {
        return row.columns().get("value") instanceof Long value ? value : 0;
    }

    /** The writer's own copy, else the greater hash: the same answer on both sides. */
    private boolean wins(Row mine, Row other) {
        NodeId writer = mine.stamp().origin().node();
        if (writer.equals(store.origin().node())) {
            return true;
        }
        return !writer.equals(peer) && Long.compareUnsigned(Fingerprint.row(mine), Fingerprint.row(other)) > 0;
    }

    private CompletionStage<AuditResult> finish() {
        if (!repair) {
            return CompletableFuture.completedFuture(result(false));
        }
        CompletionStage<Boolean> here = take.isEmpty() && anew.isEmpty() && damaged.isEmpty()
                ? CompletableFuture.completedFuture(false)
                : store.repair(scope, new ReplicaStore.Repair(at, found, take, anew, lost));
        return here.thenCompose(repaired -> theirs
                ? ask(request().setDiffers(true)).handle((told, failed) -> result(repaired))
                : CompletableFuture.completedFuture(result(repaired)));
    }

    private AuditResult result(boolean repaired) {
        return new AuditResult(
                peer,
                scope,
                differences.isEmpty() ? AuditResult.State.EQUAL : AuditResult.State.DIFFERENT,
                differences,
                more,
                damaged,
                repaired,
                "");
    }

    private AuditResult failed(Throwable failure) {
        Throwable why = failure.getCause() == null ? failure : failure.getCause();
        if (why instanceof MovedException) {
            return new AuditResult(
                    peer, scope, AuditResult.State.BEHIND, List.of(), false, damaged, false, "has not seen the same");
        }
        return new AuditResult(
                peer,
                scope,
                AuditResult.State.UNREACHABLE,
                List.of(),
                false,
                damaged,
                false,
                String.valueOf(why.getMessage()));
    }
}
