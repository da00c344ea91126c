package sh.fazt.node.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
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
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Listens and takes connections. Thread-safe: started and stopped once. */
public final class HttpServer implements AutoCloseable {
    /** The longest request line and the most header bytes, as most servers have it. */
    private static final int LINE = 8 << 10;

    private static final int HEAD = 32 << 10;
    private static final int IDLE_SECONDS = 75;

    private final EventLoopGroup threads;
    private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel listening;

    private HttpServer(EventLoopGroup threads, Channel listening) {
        this.threads = threads;
        this.listening = listening;
    }

    /** A port that can't be listened on. */
    public static final class BindException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BindException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

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
                threadCount,
                new DefaultThreadFactory("http", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        HttpServer[] self = new HttpServer[1];
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads)
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (self[0] != null) {
                            self[0].open.add(channel);
                        }
                        channel.pipeline()
                                .addLast(new IdleStateHandler(0, 0, IDLE_SECONDS))
                                .addLast(new HttpRequestDecoder(new HttpDecoderConfig()
                                        .setMaxInitialLineLength(LINE)
                                        .setMaxHeaderSize(HEAD)
                                        .setMaxChunkSize(64 << 10)))
                                .addLast(new HttpResponseEncoder())
                                .addLast("connection", new Connection(dispatcher, api, dates));
                    }
                });
        try {
            Channel listening = bootstrap
                    .bind(new InetSocketAddress(resolved, port))
                    .syncUninterruptibly()
                    .channel();
            self[0] = new HttpServer(threads, listening);
            return self[0];
        } catch (Exception e) {
            threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw new BindException(
                    "can't listen on " + address + ":" + port + " (" + e.getMessage()
                            + "): stop what uses that port, or choose another with --port",
                    e);
        }
    }

    /** The port that is listened on. */
    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** Takes no more connections, lets requests under way finish, then ends. */
    public void stop(Duration patience) {
        listening.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        for (Channel channel : open) {
            channel.eventLoop().execute(() -> {
                ChannelHandlerContext context = channel.pipeline().context("connection");
                if (context != null) {
                    ((Connection) context.handler()).stop(context);
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
