package sh.fazt.bench;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkState;
import sh.fazt.sync.SyncService;

/** A cartridge that is kept in step over TLS on loopback, and nothing else of a node. */
final class BenchNode implements AutoCloseable {
    private static final long PATIENCE = TimeUnit.MINUTES.toNanos(10);

    final NodeKey key;
    final SqliteCartridge cartridge;
    final SyncService sync;
    /** How long it took to open the cartridge. */
    final double openedIn;

    private final GrpcLinks links;
    private final ScheduledThreadPoolExecutor swarm = new ScheduledThreadPoolExecutor(1);
    private final ThreadPoolExecutor io =
            new ThreadPoolExecutor(4, 4, 1, TimeUnit.SECONDS, new ArrayBlockingQueue<>(1000));

    BenchNode(Path file, SchemaPart schema) {
        this(NodeKey.generate(), file, schema);
    }

    BenchNode(NodeKey key, Path file, SchemaPart schema) {
        this.key = key;
        long begin = System.nanoTime();
        cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(schema));
        openedIn = (System.nanoTime() - begin) / 1e9;
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
        sync = new SyncService(cartridge.replica(), null, links, swarm, io, System::nanoTime);
        cartridge.listen(sync);
        links.start();
        swarm.scheduleWithFixedDelay(sync::tick, 250, 250, TimeUnit.MILLISECONDS);
    }

    /** Links two nodes; returns when they are. */
    static void link(BenchNode a, BenchNode b) {
        a.links.trust(Map.of(b.key.id(), List.of("127.0.0.1:" + b.links.port())));
        b.links.trust(Map.of(a.key.id(), List.of("127.0.0.1:" + a.links.port())));
        until("both are linked", () -> a.links.states().stream().anyMatch(LinkState::up));
    }

    /** Waits. @throws IllegalStateException when it does not come within ten minutes */
    static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(what + ": not within ten minutes");
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    /** One number from the file. */
    long count(String sql) {
        return cartridge.read(rows -> rows.first(sql, row -> row.integer(0))).orElseThrow();
    }

    @Override
    public void close() {
        links.close();
        swarm.shutdownNow();
        io.shutdownNow();
        cartridge.close();
    }
}
