package sh.fazt.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 exchange per connection over a plain socket: {@code java.net.http} would cost every command
 * 80 ms. Knows fixed and chunked answers, which is what a node sends. Thread-safe.
 */
final class Http {
    private static final int CONNECT_MILLIS = 3_000;
    /** The longest line of a head, and the most lines. */
    private static final int LINE = 8192;

    private final String host;
    private final int port;
    private final String token;

    /** The node at {@code address}, {@code host:port}. */
    Http(String address, String token) {
        int colon = address.lastIndexOf(':');
        String name = address.substring(0, colon);
        this.host = name.startsWith("[") ? name.substring(1, name.length() - 1) : name;
        this.port = Integer.parseInt(address.substring(colon + 1));
        this.token = token;
    }

    /** An answer: status and body. */
    record Reply(int status, String body) {}

    /** What a request carries: so long, and written by this. */
    interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    Reply exchange(String method, String path, String type, long length, @Nullable Body body, int timeoutMillis)
            throws IOException {
        try (Socket socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.connect(address(), CONNECT_MILLIS);
            socket.setSoTimeout(timeoutMillis);
            StringBuilder head = new StringBuilder(256)
                    .append(method)
                    .append(' ')
                    .append(path)
                    .append(" HTTP/1.1\r\nHost: ")
                    .append(host.indexOf(':') >= 0 ? "[" + host + "]" : host)
                    .append(':')
                    .append(port)
                    .append("\r\nAuthorization: Bearer ")
                    .append(token)
                    .append("\r\nAccept: application/json\r\nConnection: close\r\n");
            if (body != null) {
                head.append("Content-Type: ")
                        .append(type)
                        .append("\r\nContent-Length: ")
                        .append(length)
                        .append("\r\n");
            }
            OutputStream out = socket.getOutputStream();
            out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
            if (body != null) {
                body.writeTo(out);
            }
            out.flush();
            return reply(new BufferedInputStream(socket.getInputStream()));
        }
    }

    /** Names below localhost are this machine (RFC 6761), whether its resolver knows that or not. */
    private InetSocketAddress address() {
        return host.endsWith(".localhost")
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
                : new InetSocketAddress(host, port);
    }

    private static Reply reply(InputStream in) throws IOException {
        String status = line(in);
        if (!status.startsWith("HTTP/1.") || status.length() < 12) {
            throw new IOException("what listens there does not speak HTTP");
        }
        int code = Integer.parseInt(status.substring(9, 12));
        long length = -1;
        boolean chunked = false;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            int colon = header.indexOf(':');
            if (colon < 0) {
                continue;
            }
            String name = header.substring(0, colon);
            String value = header.substring(colon + 1).strip();
            if (name.equalsIgnoreCase("content-length")) {
                length = Long.parseLong(value);
            } else if (name.equalsIgnoreCase("transfer-encoding")) {
                chunked = value.equalsIgnoreCase("chunked");
            }
        }
        byte[] body;
        if (chunked) {
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            for (int size = chunkSize(in); size > 0; size = chunkSize(in)) {
                whole.write(exactly(in, size));
                line(in);
            }
            body = whole.toByteArray();
        } else {
            body = length < 0 ? in.readAllBytes() : exactly(in, (int) length);
        }
        return new Reply(code, new String(body, StandardCharsets.UTF_8));
    }

    private static int chunkSize(InputStream in) throws IOException {
        String size = line(in);
        int semicolon = size.indexOf(';');
        return Integer.parseInt(
                semicolon < 0 ? size.strip() : size.substring(0, semicolon).strip(), 16);
    }

    private static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("the node closed the connection in the middle of its answer");
        }
        return bytes;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder(64);
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the node closed the connection without an answer");
            }
            if (c != '\r') {
                line.append((char) c);
            }
            if (line.length() > LINE) {
                throw new IOException("what listens there does not speak HTTP");
            }
        }
        return line.toString();
    }
}
