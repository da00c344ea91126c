package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;
import sh.fazt.testkit.Await;

/** A caller that sends whatever frames a test likes. */
final class RawPeer implements AutoCloseable {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    final ManagedChannel connection;
    private final NodeKey key;

    RawPeer(NodeKey key, String address, NodeId expected) {
        this.key = key;
        HostPort to = HostPort.parse(address);
        try {
            connection = Network.connect(
                    new InetSocketAddress(to.host(), to.port()), key, expected, group, Runnable::run, Network.WINDOW);
        } catch (SSLException e) {
            throw new AssertionError(e);
        }
    }

    Hello.Builder hello(int lane) {
        return Hello.newBuilder()
                .setOldestProtocol(Wire.OLDEST_PROTOCOL)
                .setNewestProtocol(Wire.NEWEST_PROTOCOL)
                .setLane(lane)
                .setNodeId(ByteString.copyFrom(key.id().bytes()))
                .setCapabilityLevel(Wire.CAPABILITY_LEVEL)
                .setSwarmId(TestNode.SWARM)
                .setBootNonce(77);
    }

    /** All lanes of a good link. */
    Stream[] link() {
        Stream[] lanes = new Stream[Channel.Lane.values().length];
        for (int lane = 0; lane < lanes.length; lane++) {
            lanes[lane] = open();
            lanes[lane].hello(hello(lane));
            Stream now = lanes[lane];
            Await.until("a hello back", LinksContract.SOON, () -> now.kinds().contains(Wire.HELLO));
        }
        return lanes;
    }

    Stream open() {
        Stream stream = new Stream();
        stream.out = ClientCalls.asyncBidiStreamingCall(
                connection.newCall(PeerServiceGrpc.getOpenMethod(), CallOptions.DEFAULT), stream);
        return stream;
    }

    @Override
    public void close() {
        connection.shutdownNow();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    /** One call of Open; remembers what came back. */
    static final class Stream implements StreamObserver<Frame> {
        private final List<Frame> frames = new CopyOnWriteArrayList<>();

        @SuppressWarnings("NullAway.Init") // Given right after the call, whose observer this is.
        StreamObserver<Frame> out;

        /** Called with each frame that comes. */
        volatile Consumer<Frame> also = frame -> {};

        volatile boolean ended;
        volatile Status status = Status.OK;

        void hello(Hello.Builder hello) {
            out.onNext(Wire.frame(Wire.HELLO, 0, hello.build().toByteString()));
        }

        List<Integer> kinds() {
            return frames.stream().map(Frame::getKind).toList();
        }

        /** The reason of the goodbye that came, or empty. */
        Goodbye goodbye() {
            for (Frame frame : frames) {
                if (frame.getKind() == Wire.GOODBYE) {
                    try {
                        return Goodbye.parseFrom(frame.getBody());
                    } catch (InvalidProtocolBufferException e) {
                        throw new AssertionError(e);
                    }
                }
            }
            return Goodbye.getDefaultInstance();
        }

        @Override
        public void onNext(Frame frame) {
            frames.add(frame);
            also.accept(frame);
        }

        /** Sends a frame; from any thread. */
        synchronized void send(Frame frame) {
            if (!ended) {
                out.onNext(frame);
            }
        }

        @Override
        public void onError(Throwable error) {
            status = Status.fromThrowable(error);
            ended = true;
        }

        @Override
        public void onCompleted() {
            ended = true;
        }
    }
}
