package sh.fazt.node.site;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.route.Route;
import sh.fazt.hosting.site.Conditions;
import sh.fazt.node.http.Dates;

/**
 * Responses that only have to be written: head and body as one off-heap buffer each, outside of Java's heap and
 * freed by it. An entry hangs on the identity of its route, so a commit that changes what is served makes it
 * unreachable; nothing is ever cleared. Thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A write that fails ends its channel, which is heard of there.
public final class Ready {
    /** Larger files are read from the cartridge: they would push out too many others. */
    static final int MOST_ENTRY = 256 << 10;

    private final Cache<Key, Entry> entries;
    private final Dates dates;

    /** @param mostBytes off-heap bytes of all entries */
    public Ready(Dates dates, long mostBytes) {
        this.dates = dates;
        this.entries = Caffeine.newBuilder()
                .maximumWeight(mostBytes)
                .weigher((Key key, Entry entry) -> entry.weight())
                .executor(Runnable::run)
                .build();
    }

    private record Key(Route route, String path, boolean gzip) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that && that.route == route && that.gzip == gzip && that.path.equals(path);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(route) * 31 + path.hashCode() * 2 + (gzip ? 1 : 0);
        }
    }

    private record Entry(ByteBuf head, ByteBuf body, ByteBuf notModified, String etag) {
        int weight() {
            return head.readableBytes() + body.readableBytes() + notModified.readableBytes() + 256;
        }
    }

    /** Writes the response if it is at hand; see {@code Dispatcher.serveReady}. */
    public boolean serve(ChannelHandlerContext context, HttpRequest request, Route route) {
        HttpHeaders headers = request.headers();
        if (request.protocolVersion() != HttpVersion.HTTP_1_1
                || headers.contains(HttpHeaderNames.RANGE)
                || headers.contains(HttpHeaderNames.CONNECTION)
                        && !"keep-alive".equalsIgnoreCase(headers.get(HttpHeaderNames.CONNECTION))) {
            return false;
        }
        String uri = request.uri();
        int question = uri.indexOf('?');
        Entry entry = entries.getIfPresent(new Key(
                route,
                question < 0 ? uri : uri.substring(0, question),
                Conditions.gzip(headers.get(HttpHeaderNames.ACCEPT_ENCODING))));
        if (entry == null) {
            return false;
        }
        if (Conditions.has(headers.get(HttpHeaderNames.IF_NONE_MATCH), entry.etag())) {
            context.write(entry.notModified().duplicate(), context.voidPromise());
            context.write(dates.endOfHead(), context.voidPromise());
            return true;
        }
        context.write(entry.head().duplicate(), context.voidPromise());
        context.write(dates.endOfHead(), context.voidPromise());
        if (request.method() != HttpMethod.HEAD) {
            context.write(entry.body().duplicate(), context.voidPromise());
        }
        return true;
    }

    /** Keeps a response. Heads end before the Date header, which is written with them. */
    void keep(Route route, String path, boolean gzip, String etag, String head, String notModified, byte[] body) {
        entries.put(
                new Key(route, path, gzip),
                new Entry(
                        offHeap(head.getBytes(StandardCharsets.ISO_8859_1)),
                        offHeap(body),
                        offHeap(notModified.getBytes(StandardCharsets.ISO_8859_1)),
                        etag));
    }

    private static ByteBuf offHeap(byte[] bytes) {
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        return Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(direct));
    }
}
