package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One visitor's connection: one request at a time, pipelined ones wait their turn. Confined to its
 * {@code http} thread; replies come back to it.
 */
final class Connection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
    static final int SLICE = 256 << 10;

    private final Dispatcher dispatcher;
    private final Executor api;
    private final Dates dates;
    /** What was decoded while a request was under way. */
    private final Deque<HttpObject> waiting = new ArrayDeque<>();

    /** Below the encoder: where bytes that are ready go. */
    private @Nullable ChannelHandlerContext raw;

    private @Nullable HttpRequest request;
    private @Nullable Body body;
    private long bodyLimit;
    private boolean busy;
    /** The body of a request that was answered already; the connection ends with it. */
    private boolean discarding;

    private boolean stopping;

    Connection(Dispatcher dispatcher, Executor api, Dates dates) {
        this.dispatcher = dispatcher;
        this.api = api;
        this.dates = dates;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        raw = context.pipeline().context(HttpRequestDecoder.class);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (busy) {
            waiting.add((HttpObject) message);
            context.channel().config().setAutoRead(false);
            return;
        }
        take(context, (HttpObject) message);
    }

    private void take(ChannelHandlerContext context, HttpObject message) {
        try {
            if (message.decoderResult().isFailure()) {
                refuse(
                        context,
                        400,
                        "that was not an HTTP request: "
                                + message.decoderResult().cause().getMessage());
            } else if (message instanceof HttpRequest head) {
                begin(context, head);
            }
            if (message instanceof HttpContent part && !discarding) {
                collect(context, part);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(ChannelHandlerContext context, HttpRequest head) {
        if (discarding) {
            return;
        }
        if ((head.method() == HttpMethod.GET || head.method() == HttpMethod.HEAD)
                && !stopping
                && raw != null
                && dispatcher.serveReady(raw, head)) {
            return;
        }
        request = head;
        bodyLimit = dispatcher.bodyLimit(head);
        if (HttpUtil.getContentLength(head, 0L) > bodyLimit) {
            refuse(
                    context,
                    413,
                    "the body has " + HttpUtil.getContentLength(head, 0L) + " bytes; " + bodyLimit
                            + " are the most here");
            return;
        }
        body = new Body();
        if (HttpUtil.is100ContinueExpected(head) && raw != null) {
            raw.writeAndFlush(Unpooled.copiedBuffer("HTTP/1.1 100 Continue\r\n\r\n", StandardCharsets.US_ASCII));
        }
    }

    private void collect(ChannelHandlerContext context, HttpContent part) {
        Body filling = body;
        HttpRequest head = request;
        if (filling == null || head == null) {
            return;
        }
        try {
            if (filling.length() + part.content().readableBytes() > bodyLimit) {
                refuse(context, 413, "the body has more than " + bodyLimit + " bytes");
                return;
            }
            filling.add(part.content());
            if (part instanceof LastHttpContent) {
                filling.end();
                dispatch(context, head, filling);
            }
        } catch (IOException e) {
            LOG.warn("can't keep a request's body why={}", e.toString());
            refuse(context, 503, "this node can't take the body: its temporary folder can't be written");
        }
    }

    private void dispatch(ChannelHandlerContext context, HttpRequest head, Body whole) {
        busy = true;
        request = null;
        body = null;
        One one = new One(context, head, whole);
        try {
            api.execute(() -> {
                try {
                    dispatcher.handle(one);
                } catch (Exception | StackOverflowError e) {
                    LOG.error("a request failed method={} path={}", one.method(), one.rawPath(), e);
                    if (!one.replied.get()) {
                        one.reply(Reply.text(500, "something went wrong here; the node's log says what\n"));
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            one.reply(Reply.text(503, "this node is busy: try again in a moment\n")
                    .with("retry-after", "1"));
        }
    }

    /** Answers something that can't be taken, and ends the connection: what follows can't be trusted. */
    private void refuse(ChannelHandlerContext context, int status, String why) {
        if (body != null) {
            body.discard();
            body = null;
        }
        request = null;
        discarding = true;
        byte[] text = (why + "\n").getBytes(StandardCharsets.UTF_8);
        DefaultHttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        head.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, text.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE)
                .set(HttpHeaderNames.DATE, dates.text());
        context.write(head);
        context.write(new DefaultHttpContent(Unpooled.wrappedBuffer(text)));
        context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    /** The reply is out: the next request's turn. */
    private void next(ChannelHandlerContext context, boolean keepAlive) {
        busy = false;
        if (!keepAlive || stopping) {
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        while (!busy && !waiting.isEmpty()) {
            take(context, waiting.poll());
        }
        if (!busy) {
            context.flush();
            context.channel().config().setAutoRead(true);
        }
    }

    /** No further request after the one under way. */
    void stop(ChannelHandlerContext context) {
        stopping = true;
        if (!busy) {
            context.close();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent && !busy) {
            context.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
        if (body != null) {
            body.discard();
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            LOG.warn("a connection failed", cause);
        }
        context.close();
    }

    /** One request and its reply. */
    private final class One extends RequestExchange {
        final AtomicBoolean replied = new AtomicBoolean();
        private final ChannelHandlerContext context;
        private final boolean keepAlive;

        One(ChannelHandlerContext context, HttpRequest head, Body body) {
            super(head, body, (InetSocketAddress) context.channel().remoteAddress());
            this.context = context;
            this.keepAlive = HttpUtil.isKeepAlive(head);
        }

        @Override
        public void reply(Reply reply) {
            if (!replied.compareAndSet(false, true)) {
                throw new IllegalStateException("this request was answered already");
            }
            discardBody();
            long length = reply.content().length();
            boolean bodiless = reply.status() == 304 || reply.status() == 204 || method().equals("HEAD");
            DefaultHttpResponse head =
                    new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(reply.status()));
            for (int i = 0; i < reply.headers().size(); i += 2) {
                head.headers().add(reply.headers().get(i), reply.headers().get(i + 1));
            }
            if (reply.status() != 304 && reply.status() != 204) {
                head.headers().set(HttpHeaderNames.CONTENT_LENGTH, length);
            }
            head.headers().set(HttpHeaderNames.DATE, dates.text());
            if (!keepAlive) {
                head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            } else if (version10()) {
                head.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
            }
            if (bodiless || length <= SLICE) {
                byte[] bytes = bodiless ? new byte[0] : reply.content().read(0, (int) length);
                context.executor().execute(() -> {
                    context.write(head);
                    if (bytes.length > 0) {
                        context.write(new DefaultHttpContent(Unpooled.wrappedBuffer(bytes)));
                    }
                    context.write(LastHttpContent.EMPTY_LAST_CONTENT);
                    next(context, keepAlive);
                });
            } else {
                context.executor().execute(() -> context.write(head));
                slice(reply.content(), 0);
            }
        }

        /** Reads and sends a slice, then the next once that is out: the visitor's pace is ours. */
        private void slice(Content content, long from) {
            int length = (int) Math.min(SLICE, content.length() - from);
            ByteBuf bytes = Unpooled.wrappedBuffer(content.read(from, length));
            context.executor()
                    .execute(() -> context.writeAndFlush(new DefaultHttpContent(bytes))
                            .addListener(sent -> {
                                if (!sent.isSuccess()) {
                                    context.close();
                                } else if (from + length < content.length()) {
                                    api.execute(() -> {
                                        try {
                                            slice(content, from + length);
                                        } catch (RuntimeException e) {
                                            LOG.error("can't read what is being sent path={}", rawPath(), e);
                                            context.close();
                                        }
                                    });
                                } else {
                                    context.write(LastHttpContent.EMPTY_LAST_CONTENT);
                                    next(context, keepAlive);
                                }
                            }));
        }

        @Override
        public EventStream events() {
            if (!replied.compareAndSet(false, true)) {
                throw new IllegalStateException("this request was answered already");
            }
            discardBody();
            DefaultHttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            head.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream")
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE)
                    .set(HttpHeaderNames.DATE, dates.text());
            context.writeAndFlush(head);
            return new EventStream() {
                @Override
                public boolean send(String event, String data) {
                    if (!context.channel().isActive()) {
                        return false;
                    }
                    if (context.channel().isWritable()) {
                        String text =
                                event.isEmpty() ? ": " + data + "\n\n" : "event: " + event + "\ndata: " + data + "\n\n";
                        context.writeAndFlush(
                                        new DefaultHttpContent(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8)))
                                .addListener(sent -> {
                                    if (sent.cause() instanceof ClosedChannelException) {
                                        context.close();
                                    }
                                });
                    }
                    return true;
                }

                @Override
                public void close() {
                    context.close();
                }
            };
        }
    }
}
