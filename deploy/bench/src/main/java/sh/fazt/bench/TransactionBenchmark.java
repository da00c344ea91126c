package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.data.KeyValues;

/** B14: one transaction of many rows: whether a peer ever sees a part of it, and how long small writes wait meanwhile. */
public final class TransactionBenchmark {
    private static final Scope APP = new Scope("fazt_app_bench");
    private static final Scope OTHER = new Scope("fazt_app_other");
    private static final long EVERY_NANOS = 20_000_000;

    private TransactionBenchmark() {}

    /** Writes one row again and again, in another app, and keeps how long each took. */
    private static final class Small implements Runnable {
        private final BenchNode node;
        private final AtomicBoolean going;
        private final List<Double> millis = Collections.synchronizedList(new ArrayList<>());

        Small(BenchNode node, AtomicBoolean going) {
            this.node = node;
            this.going = going;
        }

        @Override
        public void run() {
            long next = System.nanoTime();
            while (going.get()) {
                long begin = System.nanoTime();
                node.cartridge
                        .write(OTHER, tx -> {
                            tx.put("kv", List.of("small"), Map.of("value", "1"));
                            return true;
                        })
                        .whenComplete((done, failed) -> millis.add((System.nanoTime() - begin) / 1e6));
                next += EVERY_NANOS;
                LockSupport.parkNanos(Math.max(0, next - System.nanoTime()));
            }
        }

        void print(String where) {
            List<Double> sorted = new ArrayList<>(millis);
            Collections.sort(sorted);
            System.out.printf(
                    Locale.ROOT,
                    "%-46s %10.0f %10d%n",
                    "small write meanwhile, " + where + ", p99, ms",
                    sorted.get(sorted.size() * 99 / 100),
                    100);
        }
    }

    public static void main(String[] args) throws Exception {
        int rows = args.length > 0 && args[0].equals("--full") ? 500_000 : 50_000;
        Path folder = Files.createTempDirectory("fazt-bench-");
        try (BenchNode a = new BenchNode(folder.resolve("a.db"), KeyValues.SCHEMA);
                BenchNode b = new BenchNode(folder.resolve("b.db"), KeyValues.SCHEMA)) {
            BenchNode.link(a, b);
            AtomicBoolean going = new AtomicBoolean(true);
            Small here = new Small(a, going);
            Small there = new Small(b, going);
            List<Thread> threads = List.of(new Thread(here, "small-a"), new Thread(there, "small-b"));
            threads.forEach(Thread::start);
            long begin = System.nanoTime();
            CompletionStage<Boolean> large = a.cartridge.write(APP, tx -> {
                for (int i = 0; i < rows; i++) {
                    tx.put("kv", List.of("row" + i), Map.of("value", "1"));
                }
                return true;
            });
            boolean[] partial = {false};
            BenchNode.until("the peer has the transaction", () -> {
                long seen = b.count("SELECT count(*) FROM kv_live WHERE scope = '" + APP.id() + "'");
                partial[0] |= seen != 0 && seen != rows;
                return seen == rows;
            });
            double seconds = (System.nanoTime() - begin) / 1e9;
            large.toCompletableFuture().get(1, TimeUnit.MINUTES);
            going.set(false);
            for (Thread thread : threads) {
                thread.join();
            }
            // Those that wait yet count as well.
            a.cartridge.writeLocal(tx -> true).toCompletableFuture().get(1, TimeUnit.MINUTES);
            b.cartridge.writeLocal(tx -> true).toCompletableFuture().get(1, TimeUnit.MINUTES);
            System.out.printf(
                    Locale.ROOT, "%-46s %10s %10s%n", "B14 one transaction of " + rows + " rows", "ours", "target");
            System.out.printf(Locale.ROOT, "%-46s %10s %10s%n", "a part of it seen by the peer", partial[0], false);
            System.out.printf(Locale.ROOT, "%-46s %10.1f %10s%n", "written and with the peer, s", seconds, "-");
            here.print("where it is written");
            there.print("at the peer");
        } finally {
            WritesBenchmark.delete(folder);
        }
    }
}
