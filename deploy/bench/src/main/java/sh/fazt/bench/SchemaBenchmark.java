package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeKey;

/** B12: a release that adds a column to a table of many rows: how much longer a start takes, and what travels. */
public final class SchemaBenchmark {
    private static final Scope APP = new Scope("fazt_app_bench");
    private static final int BATCH = 10_000;

    private SchemaBenchmark() {}

    private static SchemaPart release(String... columns) {
        return new SchemaPart(
                "bench",
                List.of(),
                List.of(new ReplicatedTable(
                        "item",
                        Policy.REGISTER,
                        List.of(new Column("name", Type.TEXT)),
                        Stream.of(columns)
                                .map(name -> new Column(name, Type.TEXT))
                                .toList())));
    }

    public static void main(String[] args) throws Exception {
        int rows = args.length > 0 && args[0].equals("--full") ? 1_000_000 : 100_000;
        SchemaPart before = release("value");
        SchemaPart after = release("value", "note");
        NodeKey a = NodeKey.generate();
        NodeKey b = NodeKey.generate();
        Path folder = Files.createTempDirectory("fazt-bench-");
        try {
            try (BenchNode one = new BenchNode(a, folder.resolve("a.db"), before);
                    BenchNode other = new BenchNode(b, folder.resolve("b.db"), before)) {
                BenchNode.link(one, other);
                for (int from = 0; from < rows; from += BATCH) {
                    int first = from;
                    one.cartridge
                            .write(APP, tx -> {
                                for (int i = first; i < first + BATCH; i++) {
                                    tx.put("item", List.of("item" + i), Map.of("value", "v"));
                                }
                                return true;
                            })
                            .toCompletableFuture()
                            .get(10, TimeUnit.MINUTES);
                }
                BenchNode.until(
                        "the other has all rows",
                        () -> other.cartridge
                                .replica()
                                .vector(APP)
                                .equals(one.cartridge.replica().vector(APP)));
            }
            double plain;
            try (BenchNode again = new BenchNode(a, folder.resolve("a.db"), before)) {
                plain = again.openedIn;
            }
            try (BenchNode one = new BenchNode(a, folder.resolve("a.db"), after);
                    BenchNode other = new BenchNode(b, folder.resolve("b.db"), after)) {
                BenchNode.link(one, other);
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(5));
                System.out.printf(
                        Locale.ROOT, "%-46s %10s %10s%n", "B12 a column more, " + rows + " rows", "ours", "target");
                System.out.printf(Locale.ROOT, "%-46s %10.3f %10.1f%n", "longer to open, s", one.openedIn - plain, 0.2);
                System.out.printf(
                        Locale.ROOT,
                        "%-46s %10d %10d%n",
                        "changes pushed and scopes pulled, 5 s",
                        one.sync.counters(b.id()).received()
                                + other.sync.counters(a.id()).received()
                                + one.sync.counters(b.id()).pulls()
                                + other.sync.counters(a.id()).pulls(),
                        0);
            }
        } finally {
            WritesBenchmark.delete(folder);
        }
    }
}
