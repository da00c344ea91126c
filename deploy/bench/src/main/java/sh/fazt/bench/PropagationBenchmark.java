package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.data.KeyValues;

/** From the call that writes on one node to the commit on another, over TLS on loopback, at 500 writes/s. */
public final class PropagationBenchmark {
    private static final int WARM = 2_000;
    private static final int WRITES = 5_000;
    private static final long EVERY_NANOS = 2_000_000;
    private static final Scope APP = new Scope("fazt_app_bench");

    private PropagationBenchmark() {}

    public static void main(String[] args) throws Exception {
        Path folder = Files.createTempDirectory("fazt-bench-");
        try (BenchNode a = new BenchNode(folder.resolve("a.db"), KeyValues.SCHEMA);
                BenchNode b = new BenchNode(folder.resolve("b.db"), KeyValues.SCHEMA)) {
            Map<Object, Long> written = new ConcurrentHashMap<>();
            double[] millis = new double[WARM + WRITES];
            java.util.concurrent.CountDownLatch arrived = new java.util.concurrent.CountDownLatch(WARM + WRITES);
            b.cartridge.listen(commit -> {
                long now = System.nanoTime();
                commit.changed().forEach(change -> {
                    Object key = change.key().get(0);
                    millis[Integer.parseInt(key.toString())] = (now - Objects.requireNonNull(written.get(key))) / 1e6;
                    arrived.countDown();
                });
            });
            BenchNode.link(a, b);
            long next = System.nanoTime();
            for (int i = 0; i < WARM + WRITES; i++) {
                String key = Integer.toString(i);
                written.put(key, System.nanoTime());
                a.cartridge.write(APP, tx -> {
                    tx.put("kv", List.of(key), Map.of("value", "\"x\""));
                    return true;
                });
                next += EVERY_NANOS;
                LockSupport.parkNanos(Math.max(0, next - System.nanoTime()));
            }
            if (!arrived.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException(arrived.getCount() + " writes did not arrive");
            }
            double[] measured = java.util.Arrays.copyOfRange(millis, WARM, millis.length);
            java.util.Arrays.sort(measured);
            System.out.printf(
                    Locale.ROOT, "%-44s %10s %10s%n", "propagation at 500 writes/s, loopback", "p50 ms", "p99 ms");
            System.out.printf(
                    Locale.ROOT,
                    "%-44s %10.2f %10.2f%n",
                    "write on one node to commit on the other",
                    measured[WRITES / 2],
                    measured[WRITES * 99 / 100]);
        } finally {
            WritesBenchmark.delete(folder);
        }
    }
}
