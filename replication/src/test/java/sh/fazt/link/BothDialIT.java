package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;
import sh.fazt.testkit.Await;

/** The moment in which both sides have greeted and neither has been answered, held still. */
final class BothDialIT {
    /** Takes hellos and answers none. */
    private static final class Mute extends PeerServiceGrpc.PeerServiceImplBase {
        final AtomicInteger hellos = new AtomicInteger();

        @Override
        public StreamObserver<Frame> open(StreamObserver<Frame> responses) {
            return new StreamObserver<>() {
                @Override
                public void onNext(Frame frame) {
                    hellos.incrementAndGet();
                }

                @Override
                public void onError(Throwable error) {}

                @Override
                public void onCompleted() {}
            };
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theLinkOfTheSmallerNodeIdStays(boolean nodeIsSmaller) throws Exception {
        NodeKey one = NodeKey.generate();
        NodeKey other = NodeKey.generate();
        boolean ordered = one.id().compareTo(other.id()) < 0;
        NodeKey nodeKey = ordered == nodeIsSmaller ? one : other;
        NodeKey peerKey = nodeKey == one ? other : one;
        Mute mute = new Mute();
        Server peer = NettyServerBuilder.forPort(0)
                .sslContext(Tls.server(peerKey))
                .addService(mute)
                .build()
                .start();
        try (TestNode node = new TestNode(nodeKey, TestNode.SWARM, config -> config).start();
                RawPeer caller = new RawPeer(peerKey, node.address(), node.id())) {
            node.links.trust(Map.of(peerKey.id(), List.of("127.0.0.1:" + peer.getPort())));
            Await.until("the node greets", Duration.ofSeconds(5), () -> mute.hellos.get() == 1);
            RawPeer.Stream control = caller.open();
            control.hello(caller.hello(Channel.Lane.CONTROL.number()));
            Await.until(
                    "an answer", Duration.ofSeconds(5), () -> !control.kinds().isEmpty());
            assertThat(control.kinds()).containsExactly(nodeIsSmaller ? Wire.GOODBYE : Wire.HELLO);
            assertThat(control.goodbye().getCode()).isEqualTo(nodeIsSmaller ? Wire.LINKED : 0);
        } finally {
            peer.shutdownNow();
            assertThat(peer.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
        }
    }
}
