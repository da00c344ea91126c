package sh.fazt.link;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLException;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** How connections of the swarm are made. Stateless. */
final class Network {
    /** What a caller may have under way on one lane: 2.5 MB/s over 200 ms, and the bound of a lane's memory. */
    static final int WINDOW = 512 << 10;

    private static final int CONNECT_MILLIS = 3000;

    /**
     * gRPC logs a stack trace for each connection that does not speak TLS, for each message above its limit and
     * for each stream that ends with something unsent. Strangers may not fill the log; we count them. Held here because the JDK's loggers are collected when
     * nobody holds them.
     */
    private static final List<Logger> STRANGERS = List.of(
            Logger.getLogger("io.grpc.netty.NettyServerTransport.connections"),
            Logger.getLogger("io.grpc.netty.NettyServerStream"),
            Logger.getLogger("io.grpc.netty.NettyServerHandler"));

    /** It logs what a call's code throws: ours, which has to be seen, and gRPC's for each message that is none. */
    private static final Logger CALLS = Logger.getLogger("io.grpc.internal.SerializingExecutor");

    static {
        STRANGERS.forEach(logger -> logger.setLevel(Level.SEVERE));
        CALLS.setFilter(line -> line.getThrown() == null || Fault.of(Status.fromThrowable(line.getThrown())) == null);
    }

    private Network() {}

    static void quiet() {
        // Loading the class has done it.
    }

    /** A connection that is made with the first call on it, and never answered by anyone but that node. */
    static ManagedChannel connect(
            InetSocketAddress to, NodeKey key, NodeId expected, EventLoopGroup group, Executor mayBlock, int window)
            throws SSLException {
        return connect(to, Tls.client(key, expected), group, mayBlock, window);
    }

    /** The same by the TLS that knows whom it accepts. */
    static ManagedChannel connect(
            InetSocketAddress to, SslContext tls, EventLoopGroup group, Executor mayBlock, int window) {
        return make(
                NettyChannelBuilder.forAddress(to)
                        .eventLoopGroup(group)
                        .channelType(NioSocketChannel.class)
                        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS),
                tls,
                mayBlock,
                window);
    }

    /** The same through a relay, which sees what TLS lets through: sizes. */
    static ManagedChannel connect(
            Relayed to, NodeKey key, NodeId expected, EventLoop loop, Relays relays, Executor mayBlock)
            throws SSLException {
        return make(
                NettyChannelBuilder.forAddress(to)
                        .eventLoopGroup(loop)
                        .channelFactory(() -> new RelayChannel(relays), Relayed.class),
                Tls.client(key, expected),
                mayBlock,
                LinkClass.RELAYED.window());
    }

    private static ManagedChannel make(NettyChannelBuilder builder, SslContext tls, Executor mayBlock, int window) {
        return builder
                // Names mean nothing here: the key is checked.
                .overrideAuthority("node.fazt")
                .sslContext(tls)
                .directExecutor()
                .offloadExecutor(mayBlock)
                .proxyDetector(address -> null)
                .disableRetry()
                .disableServiceConfigLookUp()
                .flowControlWindow(window)
                .maxInboundMessageSize(2 << 20)
                .build();
    }
}
