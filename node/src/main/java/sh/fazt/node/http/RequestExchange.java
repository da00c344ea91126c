package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/** A request and its reply. Handed from the {@code http} thread to an {@code api} thread; replying is thread-safe. */
@SuppressWarnings("FutureReturnValueIgnored") // A write that fails ends its channel, which is heard of there.
final class RequestExchange implements Exchange {
    private static final Logger LOG = LoggerFactory.getLogger(RequestExchange.class);

    /** What is read and sent at once of a large content. */
    private static final int SLICE = 256 << 10;
    /** The most that {@link #bodyBytes} reads of a body that is streamed. */
    private static final int MOST_BYTES = 8 << 20;

    private static final long AGAIN_MILLIS = 50;

    private enum State {
        OPEN,
        REPLIED,
        /** The connection gave the answer: what the handler says comes too late. */
        ABANDONED
    }

    private final Connection connection;
    private final Channel channel;
    private final Dates dates;
    private final HttpRequest head;
    private final InetSocketAddress remote;
    private final String path;
    private final String query;
    private final String host;
    private final AtomicReference<State> state = new AtomicReference<>(State.OPEN);
    private @Nullable Body body;

    RequestExchange(Connection connection, Channel channel, Dates dates, HttpRequest head, InetSocketAddress remote) {
        this.connection = connection;
        this.channel = channel;
        this.dates = dates;
        this.head = head;
        this.remote = remote;
        String uri = head.uri();
        String authority = head.headers().get(HttpHeaderNames.HOST, "");
        if (uri.startsWith("http://") || uri.startsWith("https://")) {
            // What a proxy's client asks for: the whole URL, whose host is the one that counts.
            int from = uri.indexOf("://") + 3;
            int slash = uri.indexOf('/', from);
            authority = uri.substring(from, slash < 0 ? uri.length() : slash);
            uri = slash < 0 ? "/" : uri.substring(slash);
        }
        int question = uri.indexOf('?');
        this.path = question < 0 ? uri : uri.substring(0, question);
        this.query = question < 0 ? "" : uri.substring(question + 1);
        this.host = authority;
    }

    void carries(Body what) {
        body = what;
    }

    @Override
    public String method() {
        return head.method().name();
    }

    @Override
    public String rawPath() {
        return path;
    }

    @Override
    public String query() {
        return query;
    }

    @Override
    public String host() {
        return host.substring(0, nameLength(host)).toLowerCase(Locale.ROOT);
    }

    @Override
    public String hostPort() {
        return host.substring(nameLength(host));
    }

    /** Where the name ends and the port begins; an IPv6 address stands in brackets. */
    private static int nameLength(String authority) {
        int colon =
                authority.startsWith("[") ? authority.indexOf(':', authority.indexOf(']') + 1) : authority.indexOf(':');
        return colon < 0 ? authority.length() : colon;
    }

    @Override
    public @Nullable String header(String name) {
        return head.headers().get(name);
    }

    @Override
    public List<Map.Entry<String, String>> headers() {
        return head.headers().entries();
    }

    @Override
    public String ip() {
        return remote.getAddress().getHostAddress();
    }

    @Override
    public boolean fromHere() {
        return OwnMachine.dials(remote, channel.localAddress());
    }

    @Override
    public long bodyLength() {
        Body kept = body;
        return kept == null ? 0 : kept.length();
    }

    @Override
    public InputStream body() {
        Body kept = body;
        return kept == null ? InputStream.nullInputStream() : kept.open();
    }

    @Override
    public byte[] bodyBytes() throws IOException {
        byte[] bytes = body().readNBytes(body instanceof StreamedBody ? MOST_BYTES + 1 : Integer.MAX_VALUE);
        if (body instanceof StreamedBody && bytes.length > MOST_BYTES) {
            throw new Problem.Thrown(
                    Kind.TOO_LARGE,
                    "PAYLOAD_TOO_LARGE",
                    "the body has more than " + MOST_BYTES + " bytes, which are the most here");
        }
        return bytes;
    }

    boolean wantsKeepAlive() {
        return HttpUtil.isKeepAlive(head);
    }

    boolean expectsContinue() {
        return head.headers().contains(HttpHeaderNames.EXPECT);
    }

    /** The connection answers by itself; false when the handler has begun to. */
    boolean abandon() {
        return state.compareAndSet(State.OPEN, State.ABANDONED);
    }

    private boolean begin() {
        if (state.compareAndSet(State.OPEN, State.REPLIED)) {
            if (body instanceof CollectedBody collected) {
                collected.discard();
            }
            return true;
        }
        if (state.get() == State.ABANDONED) {
            return false;
        }
        throw new IllegalStateException("this request was answered already");
    }

    /** The handler has returned; it may have left the answer to another thread. */
    void handled() {
        if (body instanceof StreamedBody streamed) {
            streamed.discard();
        }
    }

    /** The handler threw. */
    void failed(Throwable why) {
        if (why instanceof IOException && !channel.isActive()) {
            return;
        }
        LOG.error("a request failed method={} path={}", method(), path, why);
        if (state.get() == State.OPEN) {
            reply(Reply.text(500, "something went wrong here; the node's log says what\n"));
        }
    }

    @Override
    public void reply(Reply reply) {
        HttpResponse first = Replies.head(dates, reply);
        long length = reply.content().length();
        boolean silent = method().equals("HEAD") || !Replies.hasBody(reply.status());
        int now = silent ? 0 : (int) Math.min(length, SLICE);
        byte[] bytes = now == 0 ? new byte[0] : reply.content().read(0, now);
        if (!begin()) {
            return;
        }
        channel.eventLoop().execute(() -> {
            boolean keep = connection.keeps(this);
            if (!keep) {
                first.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            } else if (head.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
                first.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
            }
            channel.write(first);
            if (silent || now == length) {
                if (now > 0) {
                    channel.write(new DefaultHttpContent(Unpooled.wrappedBuffer(bytes)));
                }
                connection.replied(this, keep, Replies.end(channel));
            } else {
                send(reply.content(), bytes, now, keep);
            }
        });
    }

    /** Sends a slice and has the next one read once it is out: the visitor's pace is ours. On the {@code http} thread. */
    private void send(Content content, byte[] slice, long upTo, boolean keep) {
        ByteBuf bytes = Unpooled.wrappedBuffer(slice);
        channel.writeAndFlush(new DefaultHttpContent(bytes)).addListener(sent -> {
            if (!sent.isSuccess()) {
                channel.close();
            } else if (upTo < content.length()) {
                readNext(content, upTo, keep);
            } else {
                connection.replied(this, keep, Replies.end(channel));
            }
        });
    }

    private void readNext(Content content, long from, boolean keep) {
        boolean taken = connection.later(() -> {
            try {
                byte[] slice = content.read(from, (int) Math.min(SLICE, content.length() - from));
                channel.eventLoop().execute(() -> send(content, slice, from + slice.length, keep));
            } catch (RuntimeException e) {
                LOG.error("can't read what is being sent path={}", path, e);
                channel.close();
            }
        });
        if (!taken) {
            channel.eventLoop().schedule(() -> readNext(content, from, keep), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public EventStream events() {
        Reply reply = new Reply(
                200,
                List.of("content-type", "text/event-stream", "cache-control", "no-store", "connection", "close"),
                Content.of(new byte[0]));
        if (begin()) {
            HttpResponse first = Replies.head(dates, reply);
            // It ends with the connection.
            first.headers().remove(HttpHeaderNames.CONTENT_LENGTH);
            channel.writeAndFlush(first);
        }
        return new Events();
    }

    private final class Events implements EventStream {
        @Override
        public boolean send(String event, String data) {
            if (!channel.isActive()) {
                return false;
            }
            if (channel.isWritable()) {
                String text = event.isEmpty() ? ": " + data + "\n\n" : "event: " + event + "\ndata: " + data + "\n\n";
                channel.writeAndFlush(new DefaultHttpContent(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8)))
                        .addListener(sent -> {
                            if (!sent.isSuccess()) {
                                channel.close();
                            }
                        });
            }
            return true;
        }

        @Override
        public void close() {
            channel.close();
        }
    }
}
