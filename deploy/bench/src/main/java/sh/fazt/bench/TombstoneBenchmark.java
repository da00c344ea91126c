package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.identity.NodeKey;

/**
 * B13: many rows deleted while one of three is away for 40 days: what the deletions leave behind, and what comes of the
 * one that returns. The clock is moved; cartridges exchange by pulls, as nodes do, without links between them.
 */
public final class TombstoneBenchmark {
    private static final Scope APP = new Scope("fazt_app_bench");
    private static final int BATCH = 10_000;
    private static final int OWN = 100;
    private static final int TURN = 1_000;

    private final AtomicLong millis =
            new AtomicLong(Instant.parse("2026-01-01T00:00:00Z").toEpochMilli());

    private TombstoneBenchmark() {}

    public static void main(String[] args) throws Exception {
        new TombstoneBenchmark().run(args.length > 0 && args[0].equals("--full") ? 1_000_000 : 50_000);
    }

    private SqliteCartridge open(Path file) {
        SqliteCartridge cartridge = SqliteCartridge.open(
                file,
                CartridgeOptions.standard().withWall(() -> Instant.ofEpochMilli(millis.get())),
                List.of(KeyValues.SCHEMA));
        cartridge.bind(NodeKey.generate().id());
        return cartridge;
    }

    private void run(int rows) throws Exception {
        Path folder = Files.createTempDirectory("fazt-bench-");
        try (SqliteCartridge a = open(folder.resolve("a.db"));
                SqliteCartridge b = open(folder.resolve("b.db"));
                SqliteCartridge away = open(folder.resolve("c.db"))) {
            write(a, "stays", 0, OWN);
            long before = used(a);
            write(a, "row", 0, rows);
            pull(a, b);
            pull(a, away);
            long full = used(a);
            write(away, "own", 0, OWN);
            for (int from = 0; from < rows; from += BATCH) {
                int first = from;
                a.write(APP, tx -> {
                            for (int i = first; i < first + BATCH; i++) {
                                tx.delete("kv", List.of("row" + i));
                            }
                            return true;
                        })
                        .toCompletableFuture()
                        .get();
            }
            pull(a, b);
            long deleted = used(a);
            millis.addAndGet(Duration.ofDays(40).toMillis());

            // The one that is away does not count any more: what the two others have seen is stable.
            VersionVector stable = a.replica().vector(APP).least(b.replica().vector(APP));
            long begin = System.nanoTime();
            collect(a, stable);
            double seconds = (System.nanoTime() - begin) / 1e9;
            collect(b, stable);
            long after = used(a);
            for (SqliteCartridge other : List.of(a, b)) {
                pull(other, away);
                pull(away, other);
            }
            pull(b, a);
            pull(a, away);

            System.out.printf(Locale.ROOT, "%-46s %10s %10s%n", "B13 " + rows + " rows deleted", "ours", "target");
            print("used with all rows, KB", full >> 10, "-");
            print("used with all their tombstones, KB", deleted >> 10, "-");
            print("used after one cycle, KB", after >> 10, "-");
            print("left of the tombstones, %", Math.round(100.0 * (after - before) / (deleted - before)), "5");
            print("that cycle, rows/s", Math.round(rows / seconds), "-");
            long back = 0;
            long kept = 0;
            for (SqliteCartridge one : List.of(a, b, away)) {
                back += count(one, "row");
                kept += count(one, "own");
            }
            print("rows that came back on any node", back, "0");
            print("rows that the returning one wrote, on all three", kept, Integer.toString(3 * OWN));
        } finally {
            WritesBenchmark.delete(folder);
        }
    }

    private static void print(String what, long ours, String target) {
        System.out.printf(Locale.ROOT, "%-46s %10d %10s%n", what, ours, target);
    }

    private static void write(SqliteCartridge cartridge, String prefix, int from, int to) throws Exception {
        for (int start = from; start < to; start += BATCH) {
            int first = start;
            cartridge
                    .write(APP, tx -> {
                        for (int i = first; i < Math.min(first + BATCH, to); i++) {
                            tx.put("kv", List.of(prefix + i), Map.of("value", "\"v\""));
                        }
                        return true;
                    })
                    .toCompletableFuture()
                    .get();
        }
    }

    private void collect(SqliteCartridge cartridge, VersionVector stable) throws Exception {
        Hlc until = Hlc.of(millis.get() - Duration.ofDays(7).toMillis(), 0);
        while (cartridge
                        .replica()
                        .collect(APP, stable, until, TURN)
                        .toCompletableFuture()
                        .get()
                > 0) {
            // Others would write in between.
        }
    }

    private static void pull(SqliteCartridge from, SqliteCartridge to) throws Exception {
        VersionVector since = to.replica().vector(APP);
        try (ReplicaStore.Spool spool = from.replica().open(APP, since)) {
            List<byte[]> parts = new ArrayList<>();
            for (int i = 0; i < spool.parts(); i++) {
                parts.add(spool.part(i));
            }
            to.replica()
                    .apply(APP, since, spool.vector(), parts, spool.floor())
                    .toCompletableFuture()
                    .get();
        }
    }

    /** Bytes of the file that hold something. */
    private static long used(SqliteCartridge cartridge) {
        SqliteCartridge.Size size = cartridge.size();
        return size.bytes() - size.free();
    }

    private static long count(SqliteCartridge cartridge, String prefix) {
        return cartridge
                .read(rows -> rows.first(
                        "SELECT count(*) FROM kv_live WHERE scope = ? AND name LIKE ?",
                        row -> row.integer(0),
                        APP.id(),
                        prefix + "%"))
                .orElse(0L);
    }
}
