package sh.fazt.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.sync.SyncService;

/** From the call that writes on one node to the commit on another, over TLS on loopback, at 500 writes/s. */
public final class PropagationBenchmark {
    private static final int WARM = 2_000;
    private static final int WRITES = 5_000;
    private static final long EVERY_NANOS = 2_000_000;
    private static final Scope APP = new Scope("fazt_app_bench");

    private PropagationBenchmark() {}

    private static final class Node implements AutoCloseable {
        final NodeKey key = NodeKey.generate();
        final SqliteCartridge cartridge;
        final GrpcLinks links;
        final ScheduledThreadPoolExecutor swarm = new ScheduledThreadPoolExecutor(1);
        final ThreadPoolExecutor io = new ThreadPoolExecutor(4, 4, 1, TimeUnit.SECONDS, new ArrayBlockingQueue<>(1000));

        Node(Path file) {
            cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(KeyValues.SCHEMA));
            cartridge.bind(key.id());
            links = new GrpcLinks(LinkConfig.of(
                            key,
                            () -> "bench",
                            Thread::new,
                            swarm,
                            io,
                            Clock.systemUTC(),
                            System::nanoTime,
                            new SecureRandom())
                    .withAddress("127.0.0.1", 0, List.of()));
            SyncService sync = new SyncService(cartridge.replica(), null, links, swarm, io, System::nanoTime);
            cartridge.listen(sync);
            links.start();
            swarm.scheduleWithFixedDelay(sync::tick, 250, 250, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() {
            links.close();
            swarm.shutdownNow();
            io.shutdownNow();
            cartridge.close();
        }
    }

    public static void main(String[] args) throws Exception {
        Path folder = Files.createTempDirectory("fazt-bench-");
        try (Node a = new Node(folder.resolve("a.db"));
                Node b = new Node(folder.resolve("b.db"))) {
            a.links.trust(Map.of(b.key.id(), List.of("127.0.0.1:" + b.links.port())));
            b.links.trust(Map.of(a.key.id(), List.of("127.0.0.1:" + a.links.port())));
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
            while (a.links.states().stream().noneMatch(state -> state.up())) {
                LockSupport.parkNanos(10_000_000);
            }
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
