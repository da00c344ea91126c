package sh.fazt.bench;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.sqlite.SQLiteConfig;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.identity.NodeKey;

/** Durable key-value writes: the cartridge with 64 outstanding beside plain SQLite with the same batches. */
public final class WritesBenchmark {
    private static final int WRITES = 100_000;
    private static final int OUTSTANDING = 64;
    private static final int WARM_UP = 3;
    private static final int ROUNDS = 5;
    private static final String VALUE = "\"" + "v".repeat(254) + "\"";

    private WritesBenchmark() {}

    public static void main(String[] args) throws Exception {
        List<Cost> ours = new ArrayList<>();
        List<Cost> plain = new ArrayList<>();
        for (int round = 1 - WARM_UP; round <= ROUNDS; round++) {
            Path folder = Files.createTempDirectory("fazt-bench-");
            try {
                Cost cartridge = measure(() -> cartridge(folder.resolve("ours.db")));
                Cost sqlite = measure(() -> sqlite(folder.resolve("plain.db")));
                // Before that the compiler takes more than the writes do.
                if (round > 0) {
                    ours.add(cartridge);
                    plain.add(sqlite);
                }
            } finally {
                delete(folder);
            }
        }
        double them = median(plain.stream().map(Cost::rate).toList());
        System.out.printf(
                Locale.ROOT,
                "%-44s %12s %8s %14s%n",
                "256-byte writes, synchronous=FULL",
                "writes/s",
                "ratio",
                "CPU us/write");
        print("plain SQLite, " + OUTSTANDING + " per transaction", plain, them);
        print("cartridge, " + OUTSTANDING + " outstanding", ours, them);
    }

    private static void print(String label, List<Cost> costs, double beside) {
        double rate = median(costs.stream().map(Cost::rate).toList());
        double cpu = median(costs.stream().map(Cost::cpuMicros).toList());
        System.out.printf(Locale.ROOT, "%-44s %12.0f %8.2f %14.1f%n", label, rate, rate / beside, cpu);
    }

    /** What a write took: how many fit in a second, and how much CPU of this process each cost. */
    private record Cost(double rate, double cpuMicros) {}

    private interface Work {
        void run() throws Exception;
    }

    private static Cost measure(Work work) throws Exception {
        var process = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = process.getProcessCpuTime();
        long begin = System.nanoTime();
        work.run();
        double seconds = (System.nanoTime() - begin) / 1e9;
        return new Cost(WRITES / seconds, (process.getProcessCpuTime() - cpu) / 1e3 / WRITES);
    }

    private static void cartridge(Path file) throws Exception {
        try (SqliteCartridge cartridge =
                SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(KeyValues.SCHEMA))) {
            cartridge.bind(NodeKey.generate().id());
            Clock clock = Clock.systemUTC();
            Scope app = new Scope("fazt_app_bench");
            Semaphore window = new Semaphore(OUTSTANDING);
            AtomicInteger failed = new AtomicInteger();
            for (int i = 0; i < WRITES; i++) {
                int number = i;
                window.acquire();
                cartridge
                        .write(app, tx -> {
                            tx.put(
                                    "kv",
                                    List.of("key" + number % 10_000),
                                    java.util.Map.of("value", VALUE, "expires_at", clock.millis() + 3_600_000));
                            return true;
                        })
                        .whenComplete((done, error) -> {
                            if (error != null) {
                                failed.incrementAndGet();
                            }
                            window.release();
                        });
            }
            window.acquire(OUTSTANDING);
            if (failed.get() > 0) {
                throw new IllegalStateException(failed + " writes failed");
            }
        }
    }

    private static void sqlite(Path file) throws Exception {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setGetGeneratedKeys(false);
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file, config.toProperties())) {
            try (var make = connection.createStatement()) {
                make.executeUpdate("CREATE TABLE kv (scope TEXT, name TEXT, value TEXT, expires_at INTEGER,"
                        + " PRIMARY KEY (scope, name))");
            }
            connection.setAutoCommit(false);
            try (var put = connection.prepareStatement("INSERT INTO kv VALUES ('fazt_app_bench', ?, ?, ?)"
                    + " ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value,"
                    + " expires_at = excluded.expires_at")) {
                for (int i = 0; i < WRITES; i++) {
                    put.setString(1, "key" + i % 10_000);
                    put.setString(2, VALUE);
                    put.setLong(3, System.nanoTime());
                    put.executeUpdate();
                    if (i % OUTSTANDING == OUTSTANDING - 1) {
                        connection.commit();
                    }
                }
            }
            connection.commit();
        }
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    static void delete(Path folder) throws Exception {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
