package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.testkit.Await;

/** A member that lies, over real links: what it costs the others, and that it is named. */
@Timeout(120)
class HostilePeerIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Scope SCOPE = Side.SCOPE;
    private static final Origin NOBODY = new Origin(NodeId.of(new byte[32]), 1);

    @TempDir
    Path folder;

    private Side victim;
    private Side honest;
    private Wire liar;
    /** How often the liar was asked for rows. */
    private final AtomicInteger pulls = new AtomicInteger();
    /** What the liar answers. */
    private final AtomicReference<byte[]> pulled = new AtomicReference<>();

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

    private void link(OnMessage told, byte[] first) {
        pulled.set(first);
        liar.links.handle(Channel.VECTORS, handler(told));
        liar.links.handle(Channel.CHANGES, handler(any -> {}));
        liar.links.handle(Channel.PULL, handler(any -> {}));
        liar.links.start();
        liar.trust(victim);
        honest.trust(victim);
        victim.trust(honest, liar);
        Await.until("all are linked", SOON, () -> victim.linked(2));
    }

    private Links.Handler handler(OnMessage told) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                told.accept(message);
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                pulls.incrementAndGet();
                return CompletableFuture.completedFuture(pulled.get());
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
    void whoeverAnswersAPullWithOtherThanItAnnouncedIsNamedAndNothingIsKept() {
        Origin its = new Origin(liar.key.id(), 1);
        VersionVector vector = VersionVector.EMPTY.with(its, 1);
        PullReply.Builder first = PullReply.newBuilder()
                .setSpool(1)
                .setParts(2)
                .addAllVector(SyncCodec.seen(vector))
                .setDigest(ByteString.copyFrom(new byte[32]))
                .setBytes(9)
                .setSize(8)
                .setPart(ByteString.copyFromUtf8("abc"));
        link(any -> {}, first.build().toByteArray());
        AtomicInteger kinds = new AtomicInteger();
        for (PullReply.Builder lie : List.of(
                first.clone().setOffset(3),
                first.clone().setSize(10),
                first.clone().setBytes(-1),
                first.clone().setSize(1L << 40),
                // What it says first is well; asked for the rest it begins anew, and then goes on as it likes.
                first.clone(),
                first.clone().setPart(ByteString.EMPTY))) {
            pulled.set(lie.build().toByteArray());
            long before = victim.offences(liar);
            AtomicInteger claims = new AtomicInteger();
            Await.until("it is named for lie " + kinds.incrementAndGet(), SOON, () -> {
                tell(VersionVector.EMPTY.with(its, 1 + claims.getAndIncrement() % 100));
                return victim.offences(liar) > before;
            });
        }
        assertThat(victim.names(liar, Offence.MALFORMED)).isTrue();
        assertThat(victim.pairs()).isZero();
        honest.set("k");
        Await.until("the others go on", SOON, () -> victim.pairs() == 1);
        assertThat(victim.offences(honest)).isZero();
    }

    @Test
    void whoeverClaimsMoreOfUsThanWeWroteMakesFewEpochsAndStopsNothing() {
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
        int written = 0;
        long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
        while (System.nanoTime() < end) {
            victim.set("k" + ++written);
            VersionVector future = VersionVector.EMPTY;
            for (Map.Entry<Origin, Long> entry : heard.entrySet()) {
                future = future.with(entry.getKey(), entry.getValue() + 1000);
            }
            tell(future);
            LockSupport.parkNanos(20_000_000);
        }
        assertThat(victim.named).anyMatch(text -> text.startsWith("claim " + liar.key.id()));
        assertThat(victim.epochs).as("one after 0, 1 and 3 seconds").hasValueBetween(1, 4);
        int all = written;
        Await.until("the others are in step", SOON, () -> honest.pairs() == all);
        assertThat(honest.offences(victim)).isZero();
        assertThat(victim.offences(honest)).isZero();
    }
}
