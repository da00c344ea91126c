package sh.fazt.link;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;

/** Where links come in: the socket, and the streams that relays bring. Thread-safe once it is open. */
final class SwarmPort {
    private final GrpcLinks links;
    private final LinkConfig config;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private volatile @Nullable Server server;
    private volatile @Nullable Server relayed;

    SwarmPort(GrpcLinks links, LinkConfig config, EventLoopGroup group, EventLoop loop) {
        this.links = links;
        this.config = config;
        this.group = group;
        this.loop = loop;
    }

    /** @throws UncheckedIOException when the port can't be opened */
    void open() {
        byte[] challengeKey = new byte[32];
        new SecureRandom().nextBytes(challengeKey);
        PeerEndpoint endpoint = new PeerEndpoint(links, new JoinCounter(links, challengeKey));
        InetSocketAddress address = new InetSocketAddress(config.bindAddress(), config.port());
        try {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                    .sslContext(Tls.server(config.key()))
                    .bossEventLoopGroup(group)
                    .workerEventLoopGroup(group)
                    .channelFactory(() -> new CountingServerChannel(links.counts()))
                    .directExecutor()
                    .callExecutor(new ExtraServices(config.mayBlock()))
                    .flowControlWindow(Network.WINDOW)
                    .maxConcurrentCallsPerConnection(64)
                    .maxConnectionIdle(30, TimeUnit.SECONDS)
                    .addTransportFilter(PeerEndpoint.transports(links))
                    .addStreamTracerFactory(PeerEndpoint.damage())
                    .addService(ServerInterceptors.intercept(endpoint, PeerEndpoint.callers()));
            for (BindableService extra : config.services()) {
                builder.addService(ServerInterceptors.intercept(extra.bindService(), config.interceptors()));
            }
            server = builder.build().start();
            relayed = NettyServerBuilder.forAddress(new Relayed(links.id(), links.id()))
                    .sslContext(Tls.server(config.key()))
                    .bossEventLoopGroup(loop)
                    .workerEventLoopGroup(loop)
                    .channelFactory(() -> new RelayServerChannel(links.relays()))
                    .directExecutor()
                    .flowControlWindow(LinkClass.RELAYED.window())
                    .maxConcurrentCallsPerConnection(16)
                    .maxConnectionIdle(30, TimeUnit.SECONDS)
                    .addTransportFilter(PeerEndpoint.transports(links))
                    .addStreamTracerFactory(PeerEndpoint.damage())
                    .addService(ServerInterceptors.intercept(endpoint, PeerEndpoint.callers()))
                    .build()
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the swarm port " + new HostPort(config.bindAddress(), config.port())
                            + " can't be opened: " + Reasons.of(e)
                            + ". Is another node running on it? Choose another with --swarm-port",
                    e);
        }
    }

    /** The open port, or 0. */
    int number() {
        Server running = server;
        return running == null ? 0 : running.getPort();
    }

    void close(long millis) throws InterruptedException {
        Server inner = relayed;
        if (inner != null) {
            inner.shutdownNow();
        }
        Server running = server;
        if (running != null) {
            running.shutdown();
            if (!running.awaitTermination(millis / 4, TimeUnit.MILLISECONDS)) {
                running.shutdownNow();
                running.awaitTermination(millis, TimeUnit.MILLISECONDS);
            }
        }
    }

    void closeNow() {
        Server running = server;
        if (running != null) {
            running.shutdownNow();
        }
    }

    /** Runs the extra services where they may block; links stay on the network threads. */
    private record ExtraServices(Executor mayBlock) implements ServerCallExecutorSupplier {
        @Override
        public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
            boolean ours = PeerServiceGrpc.SERVICE_NAME.equals(
                    call.getMethodDescriptor().getServiceName());
            return ours ? null : mayBlock;
        }
    }
}
