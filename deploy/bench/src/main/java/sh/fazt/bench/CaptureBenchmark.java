package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.sqlite.SQLiteConfig;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** B10: what it costs to write with what replication needs, beside plain SQLite with the same rows and transactions. */
public final class CaptureBenchmark {
    private static final int ROWS = 20_000;
    private static final int BATCH = 1_000;
    private static final int WARM_UP = 2;
    private static final int ROUNDS = 5;
    private static final String VALUE = "\"" + "v".repeat(98) + "\"";
    private static final String CHANGED = "\"" + "w".repeat(98) + "\"";
    private static final Scope APP = new Scope("fazt_app_bench");

    private static final NodeId NODE = NodeKey.generate().id();

    private CaptureBenchmark() {}

    /**
     * Seconds for all rows inserted and changed one by one, and inserted, changed and deleted in batches; bytes of the
     * closed file with all rows, each written once.
     */
    private record Cost(
            double single, double changedSingle, double batched, double changed, double deleted, double bytes) {}

    /** One side: whichever rows are written or deleted, they are committed when a call returns. */
    private interface Store extends AutoCloseable {
        void insert(int from, int to) throws Exception;

        /** Another value for rows that are there. */
        void update(int from, int to) throws Exception;

        void delete(int from, int to) throws Exception;

        @Override
        void close() throws Exception;
    }

    private interface Opening {
        Store open(Path file) throws Exception;
    }

    private interface Part {
        void run(int from, int to) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        // In memory, so that a disk hides no cost on either side.
        Path memory = Path.of("/dev/shm");
        boolean shared = Files.isDirectory(memory) && Files.isWritable(memory);
        List<Cost> ours = new ArrayList<>();
        List<Cost> plain = new ArrayList<>();
        for (int round = 1 - WARM_UP; round <= ROUNDS; round++) {
            Path folder = shared
                    ? Files.createTempDirectory(memory, "fazt-bench-")
                    : Files.createTempDirectory("fazt-bench-");
            try {
                Cost cartridge = measure(folder.resolve("ours"), CartridgeStore::new);
                Cost sqlite = measure(folder.resolve("plain"), PlainStore::new);
                if (round > 0) {
                    ours.add(cartridge);
                    plain.add(sqlite);
                }
            } finally {
                WritesBenchmark.delete(folder);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%-46s %10s %10s %8s %8s%n",
                "B10 " + ROWS + " rows, FULL, " + (shared ? "tmpfs" : "disk") + ", median of " + ROUNDS,
                "ours",
                "SQLite",
                "ratio",
                "target");
        print("inserted one a transaction, us a row", ours, plain, cost -> cost.single() * 1e6 / ROWS, 2);
        print("inserted " + BATCH + " a transaction, us a row", ours, plain, cost -> cost.batched() * 1e6 / ROWS, 2.2);
        print("changed one a transaction, us a row", ours, plain, cost -> cost.changedSingle() * 1e6 / ROWS, 2);
        print("changed " + BATCH + " a transaction, us a row", ours, plain, cost -> cost.changed() * 1e6 / ROWS, 2.2);
        print("deleted " + BATCH + " a transaction, us a row", ours, plain, cost -> cost.deleted() * 1e6 / ROWS, 5);
        print("file, bytes a row", ours, plain, cost -> cost.bytes() / ROWS, 2.4);
    }

    private static void print(
            String label, List<Cost> ours, List<Cost> plain, ToDoubleFunction<Cost> what, double target) {
        double mine =
                WritesBenchmark.median(ours.stream().map(what::applyAsDouble).toList());
        double theirs =
                WritesBenchmark.median(plain.stream().map(what::applyAsDouble).toList());
        System.out.printf(Locale.ROOT, "%-46s %10.1f %10.1f %8.2f %8.1f%n", label, mine, theirs, mine / theirs, target);
    }

    private static Cost measure(Path name, Opening opening) throws Exception {
        double single;
        double changedSingle;
        try (Store store = opening.open(Path.of(name + "-single.db"))) {
            single = seconds(1, store::insert);
            changedSingle = seconds(1, store::update);
        }
        Path file = Path.of(name + "-batched.db");
        long empty;
        try (Store ignored = opening.open(file)) {
            // Only its tables are made: what a file has before the first row is no cost of a row.
        }
        empty = Files.size(file);
        double batched;
        try (Store store = opening.open(file)) {
            batched = seconds(BATCH, store::insert);
        }
        long bytes = Files.size(file) - empty;
        try (Store store = opening.open(file)) {
            double changed = seconds(BATCH, store::update);
            return new Cost(single, changedSingle, batched, changed, seconds(BATCH, store::delete), bytes);
        }
    }

    private static double seconds(int batch, Part part) throws Exception {
        long begin = System.nanoTime();
        for (int from = 0; from < ROWS; from += batch) {
            part.run(from, from + batch);
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    private static final class CartridgeStore implements Store {
        private final SqliteCartridge cartridge;

        CartridgeStore(Path file) {
            cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(KeyValues.SCHEMA));
            cartridge.bind(NODE);
        }

        @Override
        public void insert(int from, int to) throws Exception {
            put(from, to, VALUE);
        }

        @Override
        public void update(int from, int to) throws Exception {
            put(from, to, CHANGED);
        }

        private void put(int from, int to, String value) throws Exception {
            cartridge
                    .write(APP, tx -> {
                        for (int i = from; i < to; i++) {
                            tx.put("kv", List.of("key" + i), Map.of("value", value));
                        }
                        return true;
                    })
                    .toCompletableFuture()
                    .get();
        }

        @Override
        public void delete(int from, int to) throws Exception {
            cartridge
                    .write(APP, tx -> {
                        for (int i = from; i < to; i++) {
                            if (!tx.delete("kv", List.of("key" + i))) {
                                throw new IllegalStateException("key" + i + " was not there");
                            }
                        }
                        return true;
                    })
                    .toCompletableFuture()
                    .get();
        }

        @Override
        public void close() {
            cartridge.close();
        }
    }

    private static final class PlainStore implements Store {
        private final Connection connection;
        private final PreparedStatement put;
        private final PreparedStatement change;
        private final PreparedStatement drop;

        PlainStore(Path file) throws Exception {
            SQLiteConfig config = new SQLiteConfig();
            config.setJournalMode(SQLiteConfig.JournalMode.WAL);
            config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
            config.setGetGeneratedKeys(false);
            connection = DriverManager.getConnection("jdbc:sqlite:" + file, config.toProperties());
            try (var make = connection.createStatement()) {
                make.executeUpdate("CREATE TABLE IF NOT EXISTS kv (scope TEXT, name TEXT, value TEXT,"
                        + " expires_at INTEGER, PRIMARY KEY (scope, name))");
            }
            connection.setAutoCommit(false);
            put = connection.prepareStatement("INSERT INTO kv VALUES ('fazt_app_bench', ?, ?, NULL)"
                    + " ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value,"
                    + " expires_at = excluded.expires_at");
            change = connection.prepareStatement("UPDATE kv SET value = ? WHERE scope = 'fazt_app_bench' AND name = ?");
            drop = connection.prepareStatement("DELETE FROM kv WHERE scope = 'fazt_app_bench' AND name = ?");
        }

        @Override
        public void insert(int from, int to) throws Exception {
            for (int i = from; i < to; i++) {
                put.setString(1, "key" + i);
                put.setString(2, VALUE);
                put.executeUpdate();
            }
            connection.commit();
        }

        @Override
        public void update(int from, int to) throws Exception {
            for (int i = from; i < to; i++) {
                change.setString(1, CHANGED);
                change.setString(2, "key" + i);
                if (change.executeUpdate() != 1) {
                    throw new IllegalStateException("key" + i + " was not there");
                }
            }
            connection.commit();
        }

        @Override
        public void delete(int from, int to) throws Exception {
            for (int i = from; i < to; i++) {
                drop.setString(1, "key" + i);
                if (drop.executeUpdate() != 1) {
                    throw new IllegalStateException("key" + i + " was not there");
                }
            }
            connection.commit();
        }

        @Override
        public void close() throws Exception {
            put.close();
            change.close();
            drop.close();
            connection.close();
        }
    }
}
