package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.testkit.Await;

/** What a relay can see, what it can't do, and what a peer on the relay lane can't do either. */
final class RelayTrustIT {
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T keep(T one) {
        open.add(0, one);
        return one;
    }

    private TestNode node() {
        return keep(new TestNode());
    }

    private TestNode node(NodeKey key) {
        return keep(new TestNode(key, TestNode.SWARM, config -> config));
    }

    private static void until(String what, BooleanSupplier condition) {
        Await.until(what, Duration.ofSeconds(10), condition::getAsBoolean);
    }

    private static void trust(TestNode at, NodeId... members) {
        Map<NodeId, List<String>> undiallable = new HashMap<>();
        for (NodeId member : members) {
            undiallable.put(member, List.of());
        }
        at.links.trust(undiallable);
    }

    private static LinkState state(TestNode at, NodeId of) {
        return at.links.states().stream()
                .filter(state -> state.peer().equals(of))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aRelaySeesNothingOfWhatPasses() throws Exception {
        String marker = "a-known-plaintext-marker";
        byte[] secret = marker.repeat(50).getBytes(StandardCharsets.US_ASCII);
        TestNode a = node();
        TestNode b = node();
        NodeKey key = NodeKey.generate();
        RecordingHandler handler = new RecordingHandler();
        b.links.handle(Channel.SWARM, handler);
        a.start();
        b.start();
        trust(a, b.id(), key.id());
        trust(b, a.id(), key.id());
        RawRelay relay = keep(new RawRelay(key, a, key, b));
        relay.left().claims(b.id());
        until(
                "a link through it",
                () -> state(a, b.id()).up() && state(b, a.id()).up());
        assertThat(state(a, b.id()).via()).isEqualTo(key.id());
        for (int i = 0; i < 20; i++) {
            assertThat(a.ask(b, Channel.SWARM, secret).toCompletableFuture())
                    .succeedsWithin(Duration.ofSeconds(5))
                    .isEqualTo(secret);
        }
        String passed = relay.seen.toString(StandardCharsets.ISO_8859_1);
        assertThat(passed.length()).isGreaterThan(40 * secret.length);
        assertThat(passed).doesNotContain(marker).doesNotContain(marker.substring(0, 8));
        // Even the hellos are inside.
        assertThat(passed).doesNotContain(TestNode.SWARM);
    }

    @Test
    void aRelayThatAnswersWithItsOwnKeyIsRefused() {
        NodeKey key = NodeKey.generate();
        NodeKey helper = NodeKey.generate();
        TestNode a = node();
        TestNode impostor = node(key);
        NodeId wanted = NodeKey.generate().id();
        a.start();
        impostor.start();
        trust(a, wanted, key.id());
        trust(impostor, a.id(), helper.id());
        RawRelay relay = keep(new RawRelay(key, a, helper, impostor));
        relay.left().claims(wanted);
        until("a failed dial", () -> state(a, wanted).lastError() != null);
        until("its reason", () -> String.valueOf(state(a, wanted).lastError()).contains("another node answers there"));
        assertThat(state(a, wanted).lastError())
                .contains(wanted.shortText())
                .contains(key.id().shortText());
        assertThat(state(a, wanted).up()).isFalse();
    }

    @Test
    void aStrangerInsideARelayedStreamIsRefused() {
        // The relay says that the stream is of a member, and another key is inside.
        NodeKey key = NodeKey.generate();
        TestNode stranger = node();
        TestNode b = node();
        NodeId member = NodeKey.generate().id();
        stranger.start();
        b.start();
        trust(stranger, b.id(), key.id());
        trust(b, member, key.id());
        RawRelay relay = keep(new RawRelay(key, stranger, key, b));
        relay.left().claims(b.id());
        until("a failed dial", () -> state(stranger, b.id()).lastError() != null);
        assertThat(state(b, member).up()).isFalse();
        assertThat(b.links.states()).hasSize(2);
    }

    // ---- on the relay lane ----

    private static Frame data(long id, int bytes) {
        return Wire.frame(Wire.RELAY_DATA, id, ByteString.copyFrom(new byte[bytes]));
    }

    @Test
    void aFloodIsEndedAndNamedAndTheOthersGoOn() {
        NodeKey one = NodeKey.generate();
        NodeKey other = NodeKey.generate();
        TestNode relay = node();
        TestNode good = node();
        relay.links.handle(Channel.SWARM, new RecordingHandler());
        relay.start();
        good.start();
        trust(relay, one.id(), other.id(), good.id());
        good.links.trust(Map.of(relay.id(), List.of(relay.address())));
        RawRelay raw = keep(new RawRelay(one, relay, other, relay));
        RawPeer.Stream[] lanes = raw.left().lanes;
        RawPeer.Stream lane = lanes[Channel.Lane.RELAY.number()];
        long id = raw.left().begin(Wire.RELAY_OPEN, other.id());
        // The other end takes nothing; a window and a little more is too much.
        for (int i = 0; i < 5; i++) {
            lane.send(data(id, 60_000));
        }
        until("the stream ends", () -> lane.kinds().contains(Wire.RELAY_END));
        assertThat(state(relay, one.id()).faults()).isPositive();
        until("it is named", () -> relay.named(one.id(), Fault.BEYOND_CREDIT) == 1);
        assertThat(state(relay, one.id()).up()).isTrue();
        assertThat(state(relay, other.id()).faults()).isZero();
        assertThat(good.ask(relay, Channel.SWARM, new byte[] {4}).toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(5))
                .isEqualTo(new byte[] {4});
    }

    @Test
    void aRelayedStreamGoesOnInOrderWhenTheLinkUnderItMoves() {
        NodeKey one = NodeKey.generate();
        NodeKey other = NodeKey.generate();
        TestNode relay = node().start();
        trust(relay, one.id(), other.id());
        RawRelay.Side near = keep(new RawRelay.Side(one, relay));
        RawRelay.Side far = keep(new RawRelay.Side(other, relay));
        List<Frame> came = new CopyOnWriteArrayList<>();
        far.relay().also = came::add;
        long id = near.begin(Wire.RELAY_OPEN, other.id());
        until("it comes", () -> !came.isEmpty());
        long farId = came.get(0).getId();
        far.relay().send(Wire.frame(Wire.RELAY_ACCEPT, farId, ByteString.EMPTY));
        until("it is accepted", () -> near.relay().kinds().contains(Wire.RELAY_ACCEPT));
        near.relay().send(data(id, 1));

        RawPeer second = keep(new RawPeer(one, relay.address(), relay.id()));
        RawPeer.Stream[] next = new RawPeer.Stream[near.lanes.length];
        for (int lane = 0; lane < next.length; lane++) {
            next[lane] = second.open();
            next[lane].hello(second.hello(lane).setWay(1).setReplaces(true));
            RawPeer.Stream opened = next[lane];
            until("a hello back", () -> opened.kinds().contains(Wire.HELLO));
        }
        RawPeer.Stream nextRelay = next[Channel.Lane.RELAY.number()];
        nextRelay.send(data(id, 3));
        for (RawPeer.Stream old : near.lanes) {
            until("the relay leaves the old link", () -> old.kinds().contains(Wire.MOVED));
        }
        near.relay().send(data(id, 2));
        for (RawPeer.Stream old : near.lanes) {
            old.send(Wire.frame(Wire.MOVED, 0, ByteString.EMPTY));
        }
        until("all of it", () -> came.size() == 4);
        assertThat(came.stream().skip(1).map(frame -> frame.getBody().size())).containsExactly(1, 2, 3);
        far.relay().send(data(farId, 4));
        until("the answer comes on the new link", () -> nextRelay.kinds().contains(Wire.RELAY_DATA));
        until("both are done with the old one", () -> near.lanes[0].goodbye().getCode() == Wire.REPLACED);
        assertThat(state(relay, one.id()).up()).isTrue();
        assertThat(state(relay, one.id()).faults()).isZero();
        assertThat(relay.news).noneMatch(line -> line.startsWith("down"));
    }

    @Test
    void aStreamThatIsNotItsOwnIsCountedAndReachesNobody() {
        NodeKey one = NodeKey.generate();
        NodeKey other = NodeKey.generate();
        TestNode relay = node().start();
        trust(relay, one.id(), other.id());
        RawRelay raw = keep(new RawRelay(one, relay, other, relay));
        RawPeer.Stream lane = raw.left().relay();
        lane.send(data(4711, 100));
        lane.send(data(4712, 100));
        lane.send(Wire.frame(Wire.RELAY_END, 99, ByteString.EMPTY));
        lane.send(Wire.frame(Wire.RELAY_OPEN, 7, ByteString.copyFromUtf8("no note at all")));
        until("they are counted", () -> state(relay, one.id()).faults() >= 4);
        until("it is named", () -> relay.named(one.id(), Fault.MALFORMED) == 1);
        assertThat(state(relay, other.id()).faults()).isZero();
        assertThat(raw.seen.size()).isZero();
    }

    @Test
    void garbageInARelayedStreamEndsItAlone() {
        NodeKey one = NodeKey.generate();
        NodeKey unused = NodeKey.generate();
        TestNode b = node().start();
        NodeId member = NodeKey.generate().id();
        trust(b, one.id(), unused.id(), member);
        RawRelay raw = keep(new RawRelay(one, b, unused, b));
        RawPeer.Stream lane = raw.left().relay();
        long id = raw.left().begin(Wire.RELAY_COMING, member);
        until("it is accepted", () -> lane.kinds().contains(Wire.RELAY_ACCEPT));
        lane.send(Wire.frame(Wire.RELAY_DATA, id, ByteString.copyFromUtf8("GET / HTTP/1.1\r\n\r\n")));
        until("it ends", () -> lane.kinds().contains(Wire.RELAY_END));
        assertThat(state(b, one.id()).up()).isTrue();
    }

    @Test
    void streamsBeyondTheLimitAreRefusedWithAReason() {
        NodeKey one = NodeKey.generate();
        NodeKey unused = NodeKey.generate();
        TestNode b = node().start();
        NodeId member = NodeKey.generate().id();
        trust(b, one.id(), unused.id(), member);
        RawRelay raw = keep(new RawRelay(one, b, unused, b));
        RawPeer.Stream lane = raw.left().relay();
        for (int i = 0; i < 70; i++) {
            raw.left().begin(Wire.RELAY_COMING, member);
        }
        until("some are refused", () -> lane.kinds().contains(Wire.RELAY_END));
        assertThat(lane.kinds().stream().filter(kind -> kind == Wire.RELAY_ACCEPT))
                .hasSizeLessThanOrEqualTo(64);
        assertThat(state(b, one.id()).up()).isTrue();
    }
}
