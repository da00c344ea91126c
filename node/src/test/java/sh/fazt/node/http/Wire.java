package sh.fazt.node.http;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A client that says exactly what a test wants said, on one connection. */
public final class Wire implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;

    public Wire(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** A response; header names in lower case. */
    public record Answer(int status, Map<String, String> headers, byte[] body) {
        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        public String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    public Wire send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public Wire send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /** One request with the headers given as lines. */
    public Answer call(String method, String host, String target, String headers, byte[] body) throws IOException {
        send(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers
                + (body.length > 0 || method.startsWith("P") ? "Content-Length: " + body.length + "\r\n" : "")
                + "\r\n");
        send(body);
        return read(method);
    }

    public Answer get(String host, String target, String... headers) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String header : headers) {
            lines.append(header).append("\r\n");
        }
        return call("GET", host, target, lines.toString(), new byte[0]);
    }

    /** The next response. */
    public Answer read(String method) throws IOException {
        String status = line();
        Map<String, String> headers = head();
        int code = Integer.parseInt(status.substring(9, 12));
        boolean bodiless = method.equals("HEAD") || code == 304 || code == 204 || code == 100;
        String length = headers.get("content-length");
        byte[] body =
                bodiless ? new byte[0] : length == null ? in.readAllBytes() : in.readNBytes(Integer.parseInt(length));
        if (!bodiless && length != null && body.length < Integer.parseInt(length)) {
            throw new EOFException("the body ended after " + body.length + " of " + length);
        }
        return new Answer(code, headers, body);
    }

    /** A head alone, for what streams. */
    public Map<String, String> head() throws IOException {
        Map<String, String> headers = new TreeMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return headers;
    }

    public String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection ended after \"" + line + "\"");
            }
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Whether the other side has ended the connection; what it still sent is passed over. */
    public boolean ended() throws IOException {
        try {
            in.readAllBytes();
            return true;
        } catch (SocketException reset) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
