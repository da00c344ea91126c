package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.LinkException.Reason;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.CutProxy;

/** What real links do when the network or a peer misbehaves. */
final class GrpcLinksIT {
    private static final Duration SOON = Duration.ofSeconds(10);

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T keep(T one) {
        open.add(one);
        return one;
    }

    private TestNode node() {
        return keep(new TestNode());
    }

    private CutProxy cable(TestNode to) {
        return keep(CutProxy.to(to.links.port()));
    }

    private static void until(String what, BooleanSupplier condition) {
        Await.until(what, SOON, condition::getAsBoolean);
    }

    private static void linked(TestNode a, TestNode b) {
        until("both see the link", () -> a.isUp() && b.isUp());
    }

    @RepeatedTest(8)
    void whenBothDialOneConnectionRemains() {
        TestNode a = node().start();
        TestNode b = node().start();
        CutProxy toA = cable(a);
        CutProxy toB = cable(b);
        a.trust(b, toB.address());
        b.trust(a, toA.address());
        linked(a, b);
        until("one connection", () -> toA.open() + toB.open() == 1);
        assertThat(a.state().dialled()).isNotEqualTo(b.state().dialled());
        assertThat(a.links.counters().linksUp()).isEqualTo(1);
        assertThat(b.links.counters().linksUp()).isEqualTo(1);
        assertThat(a.links.counters().linksDown() + b.links.counters().linksDown())
                .isZero();
    }

    @Test
    void aLinkNeedsTheAgreedSchemaLevelAtBothEnds() {
        TestNode a = node().start();
        TestNode b = node().start();
        a.trust(b, b.address());
        b.trust(a);
        linked(a, b);
        a.links.schemaLevels(2, 2);
        String updateB = "update fazt on node " + b.id().shortText();
        until("both ends know that b has none", () -> saysOnBothEnds(a, b, updateB));
        b.links.schemaLevels(2, 2);
        a.links.redial();
        linked(a, b);
        a.links.schemaLevels(2, 3);
        String updateA = "update fazt on node " + a.id().shortText();
        until("both ends know that a's is too old", () -> saysOnBothEnds(a, b, updateA));
    }

    private static boolean saysOnBothEnds(TestNode a, TestNode b, String end) {
        return !a.isUp()
                && !b.isUp()
                && String.valueOf(a.state().lastError()).endsWith(end)
                && String.valueOf(b.state().lastError()).endsWith(end);
    }

    @Test
    void aSlowReceiverStopsItsSenderAndNobodyElse() throws Exception {
        TestNode a = node();
        TestNode b = node();
        CountDownLatch release = new CountDownLatch(1);
        RecordingHandler blobs = new RecordingHandler();
        b.links.handle(Channel.BLOBS, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                try {
                    assertThat(release.await(30, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                blobs.message(from, message);
            }

            @Override
            public CompletableFuture<byte[]> request(NodeId from, byte[] request) {
                return CompletableFuture.completedFuture(request);
            }
        });
        b.links.handle(Channel.SWARM, new RecordingHandler());
        b.links.handle(Channel.RAFT, new RecordingHandler());
        a.start();
        b.start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        List<CompletableFuture<Void>> sends = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            byte[] message = ByteBuffer.allocate(256 << 10).putInt(i).array();
            sends.add(a.links
                    .send(b.id(), Channel.BLOBS, message, Duration.ofSeconds(20))
                    .toCompletableFuture());
        }
        long taken = settled(sends);
        // What the receiver holds, two windows and gRPC's own buffers; far less than the 10 MiB that are sent.
        assertThat(taken).isBetween(4L, 24L);
        CompletableFuture<Void> late = a.links
                .send(b.id(), Channel.BLOBS, new byte[10], Duration.ofMillis(300))
                .toCompletableFuture();
        for (int i = 0; i < 50; i++) {
            long start = System.nanoTime();
            assertThat(a.ask(b, i % 2 == 0 ? Channel.SWARM : Channel.RAFT, new byte[] {(byte) i})
                            .toCompletableFuture()
                            .get(5, TimeUnit.SECONDS))
                    .containsExactly(i);
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(1));
        }
        until("the late send gives up", late::isDone);
        assertThat(late).isCompletedExceptionally();
        assertThatThrownBy(late::join)
                .cause()
                .hasMessageContaining("no room on the BULK lane")
                .extracting(e -> ((LinkException) e).reason())
                .isEqualTo(Reason.UNREACHABLE);
        assertThat(a.isUp()).isTrue();
        release.countDown();
        until("everything arrived", () -> blobs.messages().size() == sends.size());
        for (int i = 0; i < sends.size(); i++) {
            assertThat(ByteBuffer.wrap(blobs.messages().get(i)).getInt()).isEqualTo(i);
        }
    }

    /** How many sends are done once no more become so for a while. */
    private static long settled(List<CompletableFuture<Void>> sends) {
        long[] seen = {-1, System.nanoTime()};
        until("the sends stall", () -> {
            long done = sends.stream().filter(CompletableFuture::isDone).count();
            if (done != seen[0]) {
                seen[0] = done;
                seen[1] = System.nanoTime();
            }
            return System.nanoTime() - seen[1] > TimeUnit.MILLISECONDS.toNanos(700);
        });
        return seen[0];
    }

    @ParameterizedTest
    @EnumSource(CutProxy.Way.class)
    void aCutOfOneWayIsNoticedByBothInAboutThreeSeconds(CutProxy.Way way) {
        TestNode a = node().start();
        TestNode b = node().start();
        CutProxy cable = cable(b);
        b.trust(a);
        a.trust(b, cable.address());
        linked(a, b);
        long start = System.nanoTime();
        cable.cut(way);
        until("both notice", () -> !a.isUp() && !b.isUp());
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        assertThat(took).isBetween(Duration.ofMillis(1500), Duration.ofMillis(6500));
        cable.heal();
        linked(a, b);
    }

    @Test
    void aResetIsNoticedAtOnceAndLinkedAgainSoon() {
        TestNode a = node().start();
        TestNode b = node().start();
        CutProxy cable = cable(b);
        b.trust(a);
        a.trust(b, cable.address());
        linked(a, b);
        long start = System.nanoTime();
        cable.reset();
        until(
                "a second link",
                () -> a.links.counters().linksUp() == 2 && b.links.counters().linksUp() == 2 && a.isUp() && b.isUp());
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    }

    @Test
    void whoeverIsNoLongerNamedLosesItsLinkAtOnceAndIsTold() {
        TestNode a = node().start();
        TestNode b = node().start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        b.links.trust(Map.of());
        until("a is told", () -> !a.isUp() && a.state().lastError() != null);
        assertThat(b.links.states()).isEmpty();
        a.links.redial();
        until("a is refused", () -> String.valueOf(a.state().lastError()).contains("is no member of the swarm"));
        assertThat(b.links.counters().refused()).isPositive();
        b.trust(a);
        a.links.redial();
        linked(a, b);
    }

    @Test
    void anotherKeyAtAnAddressIsNamed() {
        TestNode a = node().start();
        TestNode b = node().start();
        NodeId expected = NodeKey.generate().id();
        a.links.trust(Map.of(expected, List.of(b.address())));
        until("a failed dial", () -> a.state().lastError() != null);
        assertThat(a.state().lastError())
                .contains(b.address())
                .contains("another node answers there")
                .contains(expected.shortText())
                .contains(b.id().shortText());
    }

    @Test
    void nobodyListeningIsNamed() {
        TestNode a = node().start();
        TestNode gone = new TestNode().start();
        String address = gone.address();
        gone.close();
        a.links.trust(Map.of(gone.id(), List.of(address)));
        until("a failed dial", () -> a.state().lastError() != null);
        assertThat(a.state().lastError()).contains(address).containsIgnoringCase("connection refused");
    }

    @Test
    void theSecondAddressIsTriedWhenTheFirstIsDead() {
        TestNode a = node().start();
        TestNode b = node().start();
        b.trust(a);
        a.trust(b, "127.0.0.1:1", b.address());
        linked(a, b);
        assertThat(a.state().address()).isEqualTo(b.address());
    }

    @Test
    void anotherSwarmIsRefusedByName() {
        TestNode a = node().start();
        TestNode b = keep(new TestNode(NodeKey.generate(), "another-swarm", config -> config))
                .start();
        b.trust(a);
        a.trust(b, b.address());
        until("a refusal", () -> a.state().lastError() != null);
        assertThat(a.state().lastError()).contains("another-swarm").contains(TestNode.SWARM);
        assertThat(a.isUp() || b.isUp()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPeerThatSpeaksAnotherProtocolIsNamedOnBothSidesUntilItIsUpdated(boolean newerDials) {
        NodeKey key = NodeKey.generate();
        TestNode old = node().start();
        TestNode newer = new TestNode(key, TestNode.SWARM, config -> config, new Protocols(3, 4)).start();
        if (newerDials) {
            old.trust(newer);
            newer.trust(old, old.address());
        } else {
            newer.trust(old);
            old.trust(newer, newer.address());
        }
        until(
                "both know why",
                () -> old.state().otherProtocol() != null && newer.state().otherProtocol() != null);
        String spoken = String.valueOf(Protocols.SPOKEN);
        assertThat(old.state().otherProtocol())
                .isEqualTo("it speaks peer protocol 3 to 4, this node " + spoken + ": update fazt on this node");
        assertThat(newer.state().otherProtocol())
                .isEqualTo("it speaks peer protocol " + spoken + ", this node 3 to 4: update fazt on that node");
        assertThat(old.state().lastError()).contains("speaks peer protocol 3 to 4");
        assertThat(newer.state().lastError()).contains("update fazt on");
        newer.close();
        TestNode same =
                keep(new TestNode(key, TestNode.SWARM, config -> config)).start();
        same.trust(old, old.address());
        linked(old, same);
        assertThat(old.state().otherProtocol()).isNull();
    }

    @Test
    void ofAStrangerThatSpeaksAnotherProtocolNothingIsKept() {
        TestNode a = node().start();
        TestNode stranger = keep(new TestNode(
                        NodeKey.generate(), TestNode.SWARM, config -> config, new Protocols(3, 4)))
                .start();
        stranger.trust(a, a.address());
        until(
                "it is refused",
                () -> a.links.counters().refused() > 0 && stranger.state().lastError() != null);
        assertThat(stranger.state().lastError()).contains("is no member of the swarm");
        assertThat(a.links.peers()).isEmpty();
    }

    @Test
    void aSecondProcessWithOneKeyStopsWithBothAddresses() {
        NodeKey shared = NodeKey.generate();
        TestNode witness = node().start();
        TestNode first =
                keep(new TestNode(shared, TestNode.SWARM, config -> config)).start();
        witness.trust(first);
        first.trust(witness, witness.address());
        linked(first, witness);
        // Later by more than the first one's hello was under way, which is how exact it can be.
        TestNode second =
                keep(new TestNode(shared, TestNode.SWARM, config -> config)).start();
        second.trust(witness, witness.address());
        until("the second is told", () -> !second.copies.isEmpty());
        assertThat(second.copies.get(0))
                .contains("runs twice")
                .contains(witness.state().address())
                .contains("fazt swarm clone");
        assertThat(first.copies).isEmpty();
        assertThat(first.isUp()).isTrue();
        assertThat(second.isUp()).isFalse();
    }

    @Test
    void theProcessThatWasStartedLaterStopsThoughItWasLinkedFirst() {
        NodeKey shared = NodeKey.generate();
        TestNode older =
                keep(new TestNode(shared, TestNode.SWARM, config -> config)).start();
        // Longer than a hello is under way, which is how exact it can be.
        LockSupport.parkNanos(2_000_000_000);
        TestNode witness = node().start();
        TestNode younger =
                keep(new TestNode(shared, TestNode.SWARM, config -> config)).start();
        witness.trust(younger);
        younger.trust(witness, witness.address());
        linked(younger, witness);
        older.trust(witness, witness.address());
        until("the younger is told", () -> !younger.copies.isEmpty());
        assertThat(younger.copies.get(0)).contains("runs twice", "started later", "fazt swarm clone");
        linked(older, witness);
        assertThat(older.copies).isEmpty();
        until("the younger is cut off", () -> !younger.isUp());
    }

    @Test
    void aRestartedPeerIsLinkedAgainWithItsNewBoot() {
        NodeKey key = NodeKey.generate();
        TestNode witness = node().start();
        TestNode first = new TestNode(key, TestNode.SWARM, config -> config).start();
        witness.trust(first);
        first.trust(witness, witness.address());
        linked(first, witness);
        first.close();
        TestNode again =
                keep(new TestNode(key, TestNode.SWARM, config -> config)).start();
        again.trust(witness, witness.address());
        linked(again, witness);
        assertThat(again.copies).isEmpty();
    }

    @Test
    void aSilentOldLinkGivesWayToARestartedPeer() {
        NodeKey key = NodeKey.generate();
        TestNode witness = node().start();
        CutProxy cable = cable(witness);
        TestNode first =
                keep(new TestNode(key, TestNode.SWARM, config -> config)).start();
        witness.trust(first);
        first.trust(witness, cable.address());
        linked(first, witness);
        cable.cut();
        TestNode again =
                keep(new TestNode(key, TestNode.SWARM, config -> config)).start();
        again.trust(witness, witness.address());
        linked(again, witness);
        assertThat(again.copies).isEmpty();
        until(
                "the witness talks to the new one",
                () -> !witness.state().address().isEmpty() && again.isUp());
    }

    @Test
    void thePeersClockIsMeasured() {
        TestNode a = node().start();
        InstantSource ahead = InstantSource.offset(Clock.systemUTC(), Duration.ofSeconds(30));
        TestNode b = keep(new TestNode(NodeKey.generate(), TestNode.SWARM, config -> TestNode.at(config, ahead)))
                .start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        until("a round trip", () -> a.state().roundTrip() != null && b.state().roundTrip() != null);
        assertThat(a.state().clockOffsetMillis()).isBetween(29_000L, 31_000L);
        assertThat(b.state().clockOffsetMillis()).isBetween(-31_000L, -29_000L);
        assertThat(ClockOffsets.correctionMillis(a.links.states())).isBetween(29_000L, 31_000L);
        assertThat(ClockOffsets.correctionMillis(b.links.states())).isZero();
    }

    @Test
    void aFloodOfRequestsIsAnsweredBusyNotKept() {
        TestNode a = node();
        TestNode b = node();
        b.links.handle(Channel.SWARM, new RecordingHandler().answering(request -> new CompletableFuture<>()));
        a.start();
        b.start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        List<CompletableFuture<byte[]>> asks = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            asks.add(a.links
                    .ask(b.id(), Channel.SWARM, new byte[1], Duration.ofSeconds(20))
                    .toCompletableFuture());
        }
        until(
                "44 are turned away",
                () -> asks.stream().filter(CompletableFuture::isDone).count() == 44);
        CompletableFuture<byte[]> refused =
                asks.stream().filter(CompletableFuture::isDone).findFirst().orElseThrow();
        assertThatThrownBy(refused::join)
                .cause()
                .hasMessageContaining("busy")
                .extracting(e -> ((LinkException) e).reason())
                .isEqualTo(Reason.UNREACHABLE);
        assertThat(a.isUp()).isTrue();
        until("it is named", () -> b.named(a.id(), Fault.FLOOD) == 1);
        assertThat(b.state().floods()).isEqualTo(44);
        assertThat(b.state().faults()).as("it is against no rule").isZero();
    }

    @Test
    void whoeverKeepsALaneFullForLongIsNamed() throws Exception {
        AtomicLong ahead = new AtomicLong();
        TestNode a = node();
        TestNode b = keep(new TestNode(
                NodeKey.generate(),
                TestNode.SWARM,
                config -> TestNode.by(config, () -> System.nanoTime() + ahead.get())));
        Semaphore handle = new Semaphore(0);
        b.links.handle(Channel.CHANGES, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                handle.acquireUninterruptibly();
            }

            @Override
            public CompletableFuture<byte[]> request(NodeId from, byte[] request) {
                return CompletableFuture.completedFuture(request);
            }
        });
        a.start();
        b.start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        for (int i = 0; i < 20; i++) {
            a.links.send(b.id(), Channel.CHANGES, new byte[256 << 10], Duration.ofSeconds(60));
        }
        // Five are more than the lane holds; with the sixth here and the first handled it still is full.
        until("the lane is full", () -> b.state().receivedBytes() >= 6 * (256 << 10));
        assertThat(b.news).noneMatch(text -> text.startsWith("FLOOD"));
        ahead.set(TimeUnit.SECONDS.toNanos(31));
        handle.release();
        until("it is named", () -> b.named(a.id(), Fault.FLOOD) == 1);
        handle.release(100);
        assertThat(b.state().faults()).isZero();
    }

    @Test
    void aFullExecutorDelaysMessagesAndLosesNone() {
        AtomicBoolean full = new AtomicBoolean();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        open.add(threads::shutdownNow);
        Executor sometimes = task -> {
            if (full.get()) {
                throw new RejectedExecutionException("full");
            }
            threads.execute(task);
        };
        TestNode a = node();
        TestNode b = keep(new TestNode(NodeKey.generate(), TestNode.SWARM, config -> TestNode.on(config, sometimes)));
        RecordingHandler changes = new RecordingHandler();
        b.links.handle(Channel.CHANGES, changes);
        a.start();
        b.start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        full.set(true);
        for (int i = 0; i < 100; i++) {
            a.links.send(b.id(), Channel.CHANGES, new byte[] {(byte) i}, SOON);
        }
        CompletableFuture<byte[]> ask =
                a.ask(b, Channel.CHANGES, new byte[] {7}).toCompletableFuture();
        until("the first have come", () -> b.state().receivedBytes() > 0);
        assertThat(changes.messages()).isEmpty();
        full.set(false);
        until("all messages", () -> changes.messages().size() == 100);
        for (int i = 0; i < 100; i++) {
            assertThat(changes.messages().get(i)).containsExactly(i);
        }
        assertThat(ask).succeedsWithin(SOON).isEqualTo(new byte[] {7});
    }

    @Test
    void aPortThatIsTakenIsNamed() {
        TestNode a = node().start();
        TestNode b = keep(new TestNode(
                NodeKey.generate(),
                TestNode.SWARM,
                config -> config.withAddress("127.0.0.1", a.links.port(), List.of())));
        assertThatThrownBy(b::start)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("127.0.0.1:" + a.links.port())
                .hasMessageContaining("another");
    }

    @Test
    void aHandlerIsNamedBeforeTheStart() {
        TestNode a = node().start();
        assertThatThrownBy(() -> a.links.handle(Channel.SWARM, new RecordingHandler()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("before the start");
    }

    @Test
    void nothingOfThemRemainsAfterTheClose() {
        TestNode a = new TestNode().start();
        TestNode b = new TestNode().start();
        b.trust(a);
        a.trust(b, b.address());
        linked(a, b);
        assertThat(a.hasThreads()).isTrue();
        a.close();
        b.close();
        until("no thread of a and b", () -> !a.hasThreads() && !b.hasThreads());
        a.close();
    }
}
