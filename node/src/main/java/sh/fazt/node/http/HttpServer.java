package sh.fazt.node.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.util.concurrent.FastThreadLocalThread;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Listens and takes connections. Thread-safe: started and stopped once. */
public final class HttpServer implements AutoCloseable {
    /** The longest request line and the most header bytes, as most servers have it. */
    static final int LINE = 8 << 10;

    static final int HEAD = 32 << 10;

    /** Each costs a file descriptor and some kilobytes; the next one is closed as it comes. */
    private static final int MOST_CONNECTIONS = 10_000;

    private static final String CONNECTION = "connection";

    private final EventLoopGroup threads;
    private final ChannelGroup open;
    private final Channel listening;
    private final HttpCounters counters;

    private HttpServer(EventLoopGroup threads, ChannelGroup open, Channel listening, HttpCounters counters) {
        this.threads = threads;
        this.open = open;
        this.listening = listening;
        this.counters = counters;
    }

    /** A port that can't be listened on. */
    public static final class BindException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BindException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * What the surface has done since its start. Immutable.
     *
     * @param connections open now
     * @param ready       requests that a ready response answered
     * @param handled     requests that went to an {@code api} thread
     * @param refused     requests that broke a rule or a limit
     * @param overloaded  requests that found no room
     * @param timedOut    connections that were ended because nothing moved
     */
    public record Status(int connections, long ready, long handled, long refused, long overloaded, long timedOut) {}

    /**
     * Listens.
     *
     * @param port 0 for any free one, see {@link #port()}
     * @throws BindException when the port is taken or the address is not this machine's
     */
    public static HttpServer listen(
            String address, int port, int threadCount, Dispatcher dispatcher, Executor api, Dates dates) {
        InetAddress resolved;
        try {
            resolved = InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new BindException(
                    "can't listen on \"" + address + "\": that is no address; use 127.0.0.1, or"
                            + " 0.0.0.0 for every network",
                    e);
        }
        boolean epoll = Epoll.isAvailable();
        EventLoopGroup threads = new MultiThreadIoEventLoopGroup(
                threadCount, threadFactory(), epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
        HttpCounters counters = new HttpCounters();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads)
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (counters.connections.incrementAndGet() > MOST_CONNECTIONS) {
                            counters.connections.decrementAndGet();
                            counters.overloaded.increment();
                            channel.close();
                            return;
                        }
                        open.add(channel);
                        HttpRequestDecoder decoder = decoder();
                        channel.pipeline().addLast(decoder).addLast(new HttpResponseEncoder());
                        channel.pipeline()
                                .addLast(
                                        CONNECTION,
                                        new Connection(
                                                channel,
                                                channel.pipeline().context(decoder),
                                                dispatcher,
                                                api,
                                                dates,
                                                counters));
                    }
                });
        try {
            Channel listening = bootstrap
                    .bind(new InetSocketAddress(resolved, port))
                    .syncUninterruptibly()
                    .channel();
            return new HttpServer(threads, open, listening, counters);
        } catch (Exception e) {
            threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw new BindException("can't listen on " + address + ":" + port + ": " + why(e, address, port), e);
        }
    }

    /** Takes nothing that a proxy before this node might read in another way, such as a request with two lengths. */
    private static HttpRequestDecoder decoder() {
        return new HttpRequestDecoder(new HttpDecoderConfig()
                .setMaxInitialLineLength(LINE)
                .setMaxHeaderSize(HEAD)
                .setMaxChunkSize(64 << 10)
                .setUseRfc9112TransferEncoding(true));
    }

    /** Netty's own kind of thread, which its buffers are quickest on. */
    private static ThreadFactory threadFactory() {
        AtomicInteger count = new AtomicInteger();
        return body -> {
            Thread thread = new FastThreadLocalThread(body, "http-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    private static String why(Exception failure, String address, int port) {
        String seen = String.valueOf(failure.getMessage());
        if (seen.contains("in use")) {
            return "another process listens there; stop it, or choose another port with --port (0 takes a free one)";
        }
        if (seen.contains("ermission denied")) {
            return "this user may not; ports below 1024 need the right to bind them, others do not: choose another"
                    + " with --port";
        }
        if (seen.contains("annot assign")) {
            return address + " is not an address of this machine; choose another with --bind, such as 127.0.0.1 or"
                    + " 0.0.0.0";
        }
        return seen + "; choose another port with --port or another address with --bind (port " + port + " was asked)";
    }

    /** The port that is listened on. */
    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    public Status status() {
        return new Status(
                counters.connections.get(),
                counters.ready.sum(),
                counters.handled.sum(),
                counters.refused.sum(),
                counters.overloaded.sum(),
                counters.timedOut.sum());
    }

    /** Takes no more connections, lets requests under way finish, then ends. */
    public void stop(Duration patience) {
        listening.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        for (Channel channel : open) {
            channel.eventLoop().execute(() -> {
                if (channel.pipeline().get(CONNECTION) instanceof Connection connection) {
                    connection.stop();
                }
            });
        }
        open.newCloseFuture().awaitUninterruptibly(patience.toMillis());
        open.close().awaitUninterruptibly(500);
        threads.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        stop(Duration.ofSeconds(2));
    }
}
