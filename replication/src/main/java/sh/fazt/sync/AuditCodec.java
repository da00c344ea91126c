package sh.fazt.sync;

import com.google.protobuf.UnsafeByteOperations;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import sh.fazt.cartridge.change.Fingerprint;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.ReplicaStore.Scan;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.protocol.sync.v1.AuditReply;
import sh.fazt.protocol.sync.v1.AuditRequest;
import sh.fazt.protocol.sync.v1.AuditTable;

/** What a replica says of its rows in an audit, to a peer or to itself; every answer is bounded. Blocking. */
final class AuditCodec {
    /** Ranges of a table: a million rows are a thousand each. */
    static final int RANGES = 1024;

    private static final int RANGE_SHIFT = 54;
    /** Keys in one answer: 256 KiB of hashes. */
    private static final int MOST_KEYS = 16_384;
    /** Rows that may be asked for at once, and about how many bytes of them are answered. */
    static final int MOST_ROWS = 256;

    private static final int MOST_BYTES = 1 << 20;

    private AuditCodec() {}

    static int range(long key) {
        return (int) (key >>> RANGE_SHIFT);
    }

    /** Answers one question from the replica. */
    static AuditReply answer(ReplicaStore store, AuditRequest request) {
        Scope scope = new Scope(request.getScope());
        AuditReply.Builder reply = AuditReply.newBuilder();
        Scan scan = switch (request.getWhatCase()) {
            case TABLES -> tables(store, scope, reply);
            case RANGES -> ranges(store, scope, request.getRanges().getTable(), reply);
            case LIST -> list(store, scope, request, reply);
            case ROWS -> rows(store, scope, request, reply);
            default -> throw new IllegalArgumentException("an audit that asks for nothing");
        };
        return reply.addAllVector(SyncCodec.seen(scan.vector())).build();
    }

    /** Tombstones are not compared: one replica may have removed what the other still has. */
    private static Consumer<Row> live(Consumer<Row> sink) {
        return row -> {
            if (!row.deleted()) {
                sink.accept(row);
            }
        };
    }

    /** How each table sums up. */
    static Scan tables(ReplicaStore store, Scope scope, AuditReply.Builder reply) {
        Map<String, long[]> tables = new TreeMap<>();
        Scan scan = store.scan(scope, null, live(row -> {
            long[] sum = tables.computeIfAbsent(row.table(), name -> new long[2]);
            sum[0]++;
            sum[1] += Fingerprint.row(row);
        }));
        tables.forEach((name, sum) -> reply.addTables(
                AuditTable.newBuilder().setName(name).setRows(sum[0]).setSum(sum[1])));
        return scan;
    }

    private static Scan ranges(ReplicaStore store, Scope scope, String table, AuditReply.Builder reply) {
        long[] sums = new long[RANGES];
        Scan scan = store.scan(scope, table, live(row -> sums[range(Fingerprint.key(row))] += Fingerprint.row(row)));
        for (long sum : sums) {
            reply.addSums(sum);
        }
        return scan;
    }

    private static Scan list(ReplicaStore store, Scope scope, AuditRequest request, AuditReply.Builder reply) {
        Set<Integer> wanted = new HashSet<>(request.getList().getRangesList());
        long after = request.getList().getAfter();
        TreeMap<Long, Long> keys = new TreeMap<>(Long::compareUnsigned);
        boolean[] more = new boolean[1];
        Consumer<Row> sink = row -> {
            long key = Fingerprint.key(row);
            if (wanted.contains(range(key)) && (after == 0 || Long.compareUnsigned(key, after) > 0)) {
                keys.put(key, Fingerprint.row(row));
                if (keys.size() > MOST_KEYS) {
                    keys.pollLastEntry();
                    more[0] = true;
                }
            }
        };
        Scan scan = store.scan(scope, request.getList().getTable(), live(sink));
        keys.forEach((key, content) -> reply.addKeys(key).addContents(content));
        reply.setMore(more[0]);
        return scan;
    }

    private static Scan rows(ReplicaStore store, Scope scope, AuditRequest request, AuditReply.Builder reply) {
        List<Long> keys = request.getRows().getKeysList();
        if (keys.size() > MOST_ROWS) {
            throw new IllegalArgumentException("an audit asks for " + keys.size() + " rows at once");
        }
        Set<Long> wanted = new HashSet<>(keys);
        RowCodec.Writer writer = new RowCodec.Writer();
        Scan scan = store.scan(scope, request.getRows().getTable(), row -> {
            if (wanted.contains(Fingerprint.key(row))) {
                if (writer.size() < MOST_BYTES) {
                    writer.row(row);
                } else {
                    reply.setMore(true);
                }
            }
        });
        reply.setRows(UnsafeByteOperations.unsafeWrap(writer.take()));
        return scan;
    }
}
