package sh.fazt.node.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The request half of an exchange. */
abstract class RequestExchange implements Exchange {
    private final HttpRequest head;
    private final Body body;
    private final InetSocketAddress remote;
    private final String path;
    private final String query;

    RequestExchange(HttpRequest head, Body body, InetSocketAddress remote) {
        this.head = head;
        this.body = body;
        this.remote = remote;
        String uri = origin(head.uri());
        int question = uri.indexOf('?');
        this.path = question < 0 ? uri : uri.substring(0, question);
        this.query = question < 0 ? "" : uri.substring(question + 1);
    }

    /** A proxy's client may name the whole URL: the path is what counts, the Host header says the rest. */
    private static String origin(String uri) {
        if (uri.startsWith("http://") || uri.startsWith("https://")) {
            int slash = uri.indexOf('/', uri.indexOf("://") + 3);
            return slash < 0 ? "/" : uri.substring(slash);
        }
        return uri;
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
        return Hosts.name(head.headers().get(HttpHeaderNames.HOST));
    }

    @Override
    public String hostPort() {
        String header = head.headers().get(HttpHeaderNames.HOST);
        return header == null ? "" : header.substring(Math.min(header.length(), Hosts.nameLength(header)));
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
    public boolean loopback() {
        return remote.getAddress().isLoopbackAddress();
    }

    @Override
    public long bodyLength() {
        return body.length();
    }

    @Override
    public InputStream body() throws IOException {
        return body.open();
    }

    @Override
    public byte[] bodyBytes() throws IOException {
        return body.bytes();
    }

    void discardBody() {
        body.discard();
    }

    boolean version10() {
        return head.protocolVersion().equals(HttpVersion.HTTP_1_0);
    }

    /** Reading Host headers. Pure. */
    static final class Hosts {
        private Hosts() {}

        static String name(@Nullable String header) {
            return header == null ? "" : header.substring(0, nameLength(header)).toLowerCase(Locale.ROOT);
        }

        /** Where the name ends and the port begins; an IPv6 address stands in brackets. */
        static int nameLength(String header) {
            int colon = header.startsWith("[") ? header.indexOf(':', header.indexOf(']') + 1) : header.indexOf(':');
            return colon < 0 ? header.length() : colon;
        }
    }
}
