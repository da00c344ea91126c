package sh.fazt.node.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/**
 * One visitor's connection: one request at a time, pipelined ones wait their turn. A request is taken in two
 * halves, its head and its body, because a handler may answer while the body still comes. Confined to its
 * {@code http} thread; replies come back to it.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A write that fails ends its channel, which is heard of there.
final class Connection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    /** What waits behind a request under way before the socket is left alone. */
    private static final int MOST_WAITING = 64;
    /** Between two requests; a little longer than common clients keep a connection. */
    private static final int IDLE_SECONDS = 75;
    /** From the first byte of a head to its last. */
    private static final int HEAD_SECONDS = 10;
    /** Without a byte of a body, or without one of a reply being taken. */
    private static final int STALL_SECONDS = 30;
    /** For reading an answer that came before the request was sent whole. */
    private static final int LINGER_SECONDS = 5;
    /** So much of a body that nobody wants is read, to keep the connection. */
    private static final long WORTH_READING = 256 << 10;

    private static final String METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    private static final Set<String> KNOWN = Set.of(METHODS.split(", "));

    private final Dispatcher dispatcher;
    private final Executor api;
    private final Dates dates;
    private final HttpCounters counters;
    private final Sweeper sweeper = Sweeper.here();
    /** What was decoded while a request was under way. */
    private final Deque<HttpObject> waiting = new ArrayDeque<>();

    private final Channel channel;
    /** Below the encoder: where bytes that are ready go. */
    private final ChannelHandlerContext raw;

    /** The request that is collected or handled; null between requests. */
    private @Nullable RequestExchange current;

    private boolean handling;
    /** Whether the last head has its answer: what is still to come of its body gets no other. */
    private boolean answered;
    /** Whether parts of the body of the last head are still to come. */
    private boolean bodyOpen;
    /** Where they go; null when nobody wants them. */
    private @Nullable Body body;

    private long bodyMost;
    private long bodySeen;

    private boolean closing;
    private boolean stopping;
    private boolean paused;

    private int since;
    private boolean headBegun;
    private boolean decoded;
    private long outMark;
    private int outSince;

    /** On the channel's event loop, when decoder and encoder are in its pipeline. */
    Connection(
            Channel channel,
            ChannelHandlerContext raw,
            Dispatcher dispatcher,
            Executor api,
            Dates dates,
            HttpCounters counters) {
        this.channel = channel;
        this.raw = raw;
        this.dispatcher = dispatcher;
        this.api = api;
        this.dates = dates;
        this.counters = counters;
        since = sweeper.second();
        sweeper.add(this, channel.eventLoop());
    }

    @Override
    public void channelRead(ChannelHandlerContext ignored, Object message) {
        decoded = true;
        HttpObject object = (HttpObject) message;
        if (closing) {
            ReferenceCountUtil.release(object);
        } else if (!waiting.isEmpty() || (!bodyOpen && current != null)) {
            waiting.add(object);
            if (waiting.size() > MOST_WAITING) {
                pause();
            }
        } else {
            take(object);
        }
    }

    private void take(HttpObject object) {
        try {
            if (object instanceof HttpRequest head) {
                begin(head);
            } else if (object instanceof HttpContent part && bodyOpen) {
                part(part);
            }
        } finally {
            ReferenceCountUtil.release(object);
        }
    }

    private void begin(HttpRequest head) {
        headBegun = false;
        answered = false;
        since = sweeper.second();
        if (head.decoderResult().isFailure()) {
            malformed(head.decoderResult().cause());
            return;
        }
        bodyOpen = true;
        body = null;
        bodySeen = 0;
        HttpMethod method = head.method();
        boolean reading = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        if (head.protocolVersion().majorVersion() != 1) {
            refuse(505, "HTTP/1.1 is spoken here, not " + head.protocolVersion());
            return;
        }
        if (!oneHost(head)) {
            refuse(400, "an HTTP/1.1 request has exactly one Host header");
            return;
        }
        boolean bodiless = !head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
                && !head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING);
        if (reading && bodiless && !stopping && dispatcher.serveReady(raw, head)) {
            counters.ready.increment();
            answered = true;
            return;
        }
        if (!KNOWN.contains(method.name())) {
            refuse(405, "the method \"" + method.name() + "\" is not known here: use one of " + METHODS);
            return;
        }
        String expected = head.headers().get(HttpHeaderNames.EXPECT);
        if (expected != null && !expected.equalsIgnoreCase("100-continue")) {
            refuse(417, "only \"Expect: 100-continue\" is understood here");
            return;
        }
        receive(head, expected != null);
    }

    private static boolean oneHost(HttpRequest head) {
        Iterator<? extends CharSequence> hosts = head.headers().valueCharSequenceIterator(HttpHeaderNames.HOST);
        if (!hosts.hasNext()) {
            return head.protocolVersion().equals(HttpVersion.HTTP_1_0);
        }
        hosts.next();
        return !hosts.hasNext();
    }

    /** Decides how the body comes in, and hands a streamed request over at once. */
    private void receive(HttpRequest head, boolean expects) {
        long declared = HttpUtil.isTransferEncodingChunked(head) ? -1 : HttpUtil.getContentLength(head, 0L);
        InetSocketAddress remote = (InetSocketAddress) channel.remoteAddress();
        RequestExchange exchange = new RequestExchange(this, channel, dates, head, remote);
        Dispatcher.BodyPlan plan = dispatcher.plan(exchange);
        bodyMost = plan.most();
        if (declared > bodyMost) {
            refuse(413, tooLarge(declared));
            return;
        }
        if (plan.streamed()) {
            StreamedBody streamed = new StreamedBody(new Arriving(expects), declared);
            body = streamed;
            exchange.carries(streamed);
            current = exchange;
            handle(exchange);
            return;
        }
        CollectedBody collected = new CollectedBody(counters.collected);
        body = collected;
        exchange.carries(collected);
        current = exchange;
        if (expects) {
            goAhead();
        }
    }

    private String tooLarge(long bytes) {
        return "the body has " + (bytes < 0 ? "more than the " + bodyMost : bytes + ") bytes; " + bodyMost) + " bytes"
                + " that are the most here";
    }

    private void goAhead() {
        raw.writeAndFlush(Unpooled.copiedBuffer("HTTP/1.1 100 Continue\r\n\r\n", StandardCharsets.US_ASCII));
    }

    /** What a streamed body does to its connection. */
    private final class Arriving implements StreamedBody.Source {
        private final boolean expects;

        Arriving(boolean expects) {
            this.expects = expects;
        }

        @Override
        public void wanted() {
            if (expects) {
                channel.eventLoop().execute(() -> {
                    // Too late once the answer is out: then the client knows without it.
                    if (handling && bodyOpen) {
                        goAhead();
                    }
                });
            }
        }

        @Override
        public void room() {
            channel.eventLoop().execute(Connection.this::resume);
        }
    }

    private void part(HttpContent part) {
        since = sweeper.second();
        if (part.decoderResult().isFailure()) {
            bodyOpen = false;
            malformed(part.decoderResult().cause());
            return;
        }
        bodySeen += part.content().readableBytes();
        Body into = body;
        if (into != null && bodySeen > bodyMost) {
            refuse(413, tooLarge(-1));
            return;
        }
        if (into instanceof CollectedBody collected) {
            if (!collected.add(part.content())) {
                counters.overloaded.increment();
                refuse(503, "this node is busy with other large requests: try again in a moment");
                return;
            }
        } else if (into instanceof StreamedBody streamed && !streamed.add(part.content())) {
            pause();
        }
        if (part instanceof LastHttpContent) {
            bodyOpen = false;
            if (into instanceof StreamedBody streamed) {
                streamed.end();
            } else if (into != null && current != null) {
                handle(current);
            }
        }
    }

    private void handle(RequestExchange exchange) {
        handling = true;
        counters.handled.increment();
        try {
            api.execute(() -> {
                try {
                    dispatcher.handle(exchange);
                } catch (Exception | StackOverflowError e) {
                    exchange.failed(e);
                } finally {
                    exchange.handled();
                }
            });
        } catch (RejectedExecutionException e) {
            counters.overloaded.increment();
            exchange.handled();
            exchange.reply(Reply.text(503, "this node is busy: try again in a moment\n")
                    .with("retry-after", "1"));
        }
    }

    /** An {@code api} thread goes on with a reply; false when none is free. */
    boolean later(Runnable work) {
        try {
            api.execute(work);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    private void malformed(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            refuse(414, "the request line is too long: " + HttpServer.LINE + " bytes are the most");
        } else if (cause instanceof TooLongHttpHeaderException) {
            refuse(431, "the headers are too long: " + HttpServer.HEAD + " bytes are the most");
        } else {
            refuse(400, "that is not an HTTP request: " + cause.getMessage());
        }
    }

    /** Answers what can't be taken, and ends the connection: what follows can't be trusted. */
    private void refuse(int status, String why) {
        counters.refused.increment();
        if (answered) {
            closing = true;
            channel.close();
            return;
        }
        RequestExchange begun = current;
        Body kept = body;
        current = null;
        body = null;
        closing = true;
        if (kept instanceof StreamedBody streamed) {
            // The handler is at it: it hears of this as it reads, and whatever it answers is dropped.
            streamed.fail(
                    status == 413
                            ? new Problem.Thrown(Kind.TOO_LARGE, "PAYLOAD_TOO_LARGE", why)
                            : new Problem.Thrown(Kind.INVALID, "BAD_REQUEST", why));
        } else if (kept != null) {
            kept.discard();
        }
        if (begun == null || begun.abandon()) {
            Reply reply = Reply.text(status, why + "\n").with("connection", "close");
            Replies.whole(channel, dates, status == 405 ? reply.with("allow", METHODS) : reply);
            linger(Replies.end(channel));
        } else {
            channel.close();
        }
    }

    /** Half-closes, so that a visitor who is still sending can read the answer; the sweeper does the rest. */
    private void linger(ChannelFuture sent) {
        since = sweeper.second();
        resume();
        sent.addListener(done -> {
            if (bodyOpen && channel instanceof DuplexChannel duplex) {
                duplex.shutdownOutput();
            } else {
                channel.close();
            }
        });
        channel.flush();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ignored) {
        if (!decoded && !headBegun && current == null && !bodyOpen) {
            headBegun = true;
            since = sweeper.second();
        }
        decoded = false;
        channel.flush();
    }

    /** Whether the connection can be kept after a reply that is given now. */
    boolean keeps(RequestExchange exchange) {
        if (!exchange.wantsKeepAlive() || stopping) {
            return false;
        }
        if (!bodyOpen) {
            return true;
        }
        long declared = exchange.bodyLength();
        return declared >= 0 && declared - bodySeen <= WORTH_READING && !exchange.expectsContinue();
    }

    /** The reply is written: the next request's turn. */
    void replied(RequestExchange exchange, boolean keep, ChannelFuture last) {
        if (current != exchange) {
            return;
        }
        current = null;
        body = null;
        handling = false;
        answered = true;
        since = sweeper.second();
        if (!keep) {
            closing = true;
            dropWaiting();
            linger(last);
            return;
        }
        while (!waiting.isEmpty() && !closing && (bodyOpen || current == null)) {
            take(waiting.poll());
        }
        channel.flush();
        if (waiting.size() <= MOST_WAITING) {
            resume();
        }
    }

    private void pause() {
        if (!paused) {
            paused = true;
            channel.config().setAutoRead(false);
        }
    }

    private void resume() {
        if (paused) {
            paused = false;
            since = sweeper.second();
            channel.config().setAutoRead(true);
        }
    }

    /** No further request after the one under way. */
    void stop() {
        stopping = true;
        if (current == null) {
            channel.close();
        }
    }

    /** Once a second: ends what has stalled. */
    void sweep(int second) {
        ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
        if (out != null && out.totalPendingWriteBytes() > 0) {
            long mark = out.currentProgress() * 31 + out.totalPendingWriteBytes();
            if (mark != outMark) {
                outMark = mark;
                outSince = second;
            } else if (second - outSince > STALL_SECONDS) {
                expire();
            }
            since = second;
            return;
        }
        int quiet = second - since;
        if (closing) {
            if (quiet > LINGER_SECONDS) {
                channel.close();
            }
        } else if (bodyOpen && !paused) {
            if (quiet > STALL_SECONDS) {
                counters.timedOut.increment();
                refuse(408, "the body stopped coming: nothing for " + STALL_SECONDS + " s");
            }
        } else if (current == null) {
            if (headBegun && quiet > HEAD_SECONDS) {
                counters.timedOut.increment();
                refuse(408, "the head of the request took longer than " + HEAD_SECONDS + " s");
            } else if (quiet > IDLE_SECONDS) {
                channel.close();
            }
        }
    }

    private void expire() {
        counters.timedOut.increment();
        channel.close();
    }

    private void dropWaiting() {
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        sweeper.remove(this);
        counters.connections.decrementAndGet();
        closing = true;
        dropWaiting();
        if (body instanceof StreamedBody streamed && bodyOpen) {
            streamed.fail(
                    new Problem.Thrown(Kind.INVALID, "BAD_REQUEST", "the connection ended in the middle of the body"));
        } else if (body != null && !handling) {
            body.discard();
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ignored, Throwable cause) {
        if (!(cause instanceof IOException)) {
            LOG.warn("a connection failed", cause);
        }
        channel.close();
    }
}
