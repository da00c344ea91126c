package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.testkit.Await;

/** A member that lies, over real links: what it costs the others, and that it is named. */
@Timeout(60)
class HostilePeerIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Scope SCOPE = new Scope("fazt_app_000000000001");
    private static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(new ReplicatedTable(
                    "pair",
                    ReplicatedTable.Policy.REGISTER,
                    List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                    List.of(new ReplicatedTable.Column("value", ReplicatedTable.Type.TEXT)))));

    private static final Origin NOBODY = new Origin(NodeId.of(new byte[32]), 1);

    @TempDir
    Path folder;

    private Side victim;
    private Side honest;
    private Wire liar;
    /** How often the liar was asked for rows. */
    private final AtomicInteger pulls = new AtomicInteger();

    /** A key with links. */
    private static class Wire implements AutoCloseable {
        final NodeKey key = NodeKey.generate();
        final ExecutorService io = Executors.newFixedThreadPool(8);
        final GrpcLinks links = new GrpcLinks(LinkConfig.of(
                        key,
                        () -> "swarm-of-tests",
                        task -> {
                            Thread thread = new Thread(task, "hostile-link");
                            thread.setDaemon(true);
                            return thread;
                        },
                        io,
                        io,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", 0, List.of()));

        void trust(Wire... others) {
            Map<NodeId, List<String>> trusted = new HashMap<>();
            for (Wire other : others) {
                trusted.put(other.key.id(), List.of("127.0.0.1:" + other.links.port()));
            }
            links.trust(trusted);
        }

        boolean linked(int peers) {
            return links.states().stream().filter(LinkState::up).count() == peers;
        }

        @Override
        public void close() {
            links.close();
            io.shutdownNow();
        }
    }

    /** An honest node: a cartridge that is kept in step. */
    private static final class Side extends Wire {
        final Queue<String> named = new ConcurrentLinkedQueue<>();
        final AtomicInteger epochs = new AtomicInteger();
        final SqliteCartridge cartridge;
        final SyncService sync;
        final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

        Side(Path file) {
            cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(ROOM));
            cartridge.bind(key.id());
            sync = new SyncService(
                    new FencedReplica(cartridge.replica(), System::nanoTime),
                    null,
                    links,
                    thread,
                    io,
                    System::nanoTime,
                    InstantSource.system(),
                    (kind, about, what, why) -> {
                        if (kind.equals("epoch")) {
                            epochs.incrementAndGet();
                        }
                        named.add(kind + " " + about + ": " + what);
                    },
                    SyncService.AUDIT_EVERY,
                    Holders.EVERYBODY,
                    () -> false);
            cartridge.listen(sync);
            links.start();
            thread.scheduleWithFixedDelay(sync::tick, 100, 100, TimeUnit.MILLISECONDS);
        }

        void set(String key) {
            cartridge
                    .write(SCOPE, tx -> {
                        tx.put("pair", List.of(key), Map.of("value", "v"));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        }

        long pairs() {
            return cartridge
                    .read(rows -> rows.query("SELECT count(*) FROM pair_live", row -> row.integer(0)))
                    .get(0);
        }

        long offences(Wire peer) {
            return sync.counters(peer.key.id()).offences();
        }

        boolean names(Wire peer, Offence offence) {
            return named.stream()
                    .anyMatch(text -> text.startsWith("offence " + peer.key.id()) && text.contains(offence.text()));
        }

        @Override
        public void close() {
            thread.shutdownNow();
            super.close();
            cartridge.close();
        }
    }

    private interface OnMessage {
        void accept(byte[] message);
    }

    @BeforeEach
    void start() {
        victim = new Side(folder.resolve("victim"));
        honest = new Side(folder.resolve("honest"));
        liar = new Wire();
    }

    @AfterEach
    void stop() {
        liar.close();
        honest.close();
        victim.close();
    }

    private void link(OnMessage told, byte[] pulled) {
        liar.links.handle(Channel.VECTORS, handler(told, pulled));
        liar.links.handle(Channel.CHANGES, handler(any -> {}, pulled));
        liar.links.handle(Channel.PULL, handler(any -> {}, pulled));
        liar.links.start();
        liar.trust(victim);
        honest.trust(victim);
        victim.trust(honest, liar);
        Await.until("all are linked", SOON, () -> victim.linked(2));
    }

    private Links.Handler handler(OnMessage told, byte[] pulled) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                told.accept(message);
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                pulls.incrementAndGet();
                return CompletableFuture.completedFuture(pulled);
            }
        };
    }

    private void tell(VersionVector vector) {
        say(SyncCodec.vectors(
                Map.of(SCOPE, vector), true, new MemoryReplica(NOBODY, new HybridClock(Clock.systemUTC()), Set.of())));
    }

    private void say(byte[] message) {
        liar.links.send(victim.key.id(), Channel.VECTORS, message, Duration.ofSeconds(5));
    }

    private static byte[] reply(VersionVector vector) {
        return PullReply.newBuilder()
                .setSpool(1)
                .addAllVector(SyncCodec.seen(vector))
                .build()
                .toByteArray();
    }

    @Test
    void whoeverClaimsWhatItCannotSendAndTalksNonsenseIsNamedAndTheOthersGoOn() {
        Origin its = new Origin(liar.key.id(), 1);
        link(any -> {}, reply(VersionVector.EMPTY.with(its, 1)));
        AtomicInteger claims = new AtomicInteger(100);
        AtomicInteger written = new AtomicInteger();
        Await.until("it is named for its claims", SOON, () -> {
            for (int i = 0; i < 50; i++) {
                tell(VersionVector.EMPTY.with(its, claims.incrementAndGet()));
            }
            (written.get() % 2 == 0 ? honest : victim).set("k" + written.incrementAndGet());
            return victim.names(liar, Offence.CLAIMS_WITHOUT_ROWS);
        });
        assertThat(pulls.get()).as("it is not asked again and again").isLessThan(claims.get() / 20);
        long before = victim.offences(liar);
        say(new byte[] {-1, -1, -1});
        Await.until("nonsense counts", SOON, () -> victim.offences(liar) > before);
        Await.until(
                "the others are in step",
                SOON,
                () -> victim.pairs() == written.get() && honest.pairs() == written.get());
        assertThat(victim.offences(honest)).isZero();
        assertThat(honest.named).noneMatch(text -> text.startsWith("offence"));
        assertThat(victim.epochs).hasValue(0);
    }

    @Test
    void whoeverKnowsMoreOfUsThanWeWroteMakesOneEpochAndNoMore() {
        Map<Origin, Long> heard = new ConcurrentHashMap<>();
        link(
                message -> SyncCodec.vectors(message)
                        .vectors()
                        .values()
                        .forEach(vector -> vector.entries().forEach((origin, sequence) -> {
                            if (origin.node().equals(victim.key.id())) {
                                heard.put(origin, sequence);
                            }
                        })),
                reply(VersionVector.EMPTY));
        AtomicInteger written = new AtomicInteger();
        Await.until("it is named for its forgery", SOON, () -> {
            victim.set("k" + written.incrementAndGet());
            VersionVector future = VersionVector.EMPTY;
            for (Map.Entry<Origin, Long> entry : heard.entrySet()) {
                future = future.with(entry.getKey(), entry.getValue() + 1000);
            }
            tell(future);
            return victim.names(liar, Offence.FORGES_OURS);
        });
        assertThat(victim.epochs).as("an old copy would need one").hasValue(1);
        Await.until("the others are in step", SOON, () -> honest.pairs() == written.get());
        assertThat(honest.offences(victim)).isZero();
        assertThat(victim.offences(honest)).isZero();
    }
}
