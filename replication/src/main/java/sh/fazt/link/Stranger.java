package sh.fazt.link;

import io.grpc.Status;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What answers where a node was expected and is none, as far as the failure of the handshake tells. Stateless. */
final class Stranger {
    /** How netty begins to quote what came instead of TLS, in hexadecimal. */
    private static final String QUOTED = "not an SSL/TLS record: ";
    /** What gRPC says of an end before the handshake's; it has no cause. */
    private static final String ENDED = "Connection closed while performing TLS negotiation";

    private static final int KNOWN_BY = 8;

    private Stranger() {}

    /** Who answers for certain and is no node of fazt; null when it may be one, or nobody answers. */
    static @Nullable String of(Throwable error) {
        WrongKeyException wrong = Reasons.wrongKey(error);
        if (wrong != null) {
            return wrong.isNode() ? null : wrong.getMessage();
        }
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof NotSslRecordException) {
                return speaker(String.valueOf(at.getMessage())) + ", which is no fazt node";
            }
            if (at instanceof SSLException && !(at instanceof SslHandshakeTimeoutException)) {
                return "something answers there whose TLS is not that of a fazt node (" + Reasons.deepest(at) + ")";
            }
        }
        return null;
    }

    /** What may be a stranger, and may be a node that has trouble; null for other failures. */
    static @Nullable String suspected(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof SslHandshakeTimeoutException) {
                return "something takes the connection there and says nothing";
            }
        }
        String description = Status.fromThrowable(error).getDescription();
        return description != null && description.startsWith(ENDED)
                ? "something takes the connection there and ends it without an answer, as a port forwarding does that"
                        + " leads nowhere, or a program that is no fazt node"
                : null;
    }

    private static String speaker(String message) {
        String begin = "";
        if (message.startsWith(QUOTED)) {
            String quoted = message.substring(QUOTED.length());
            String hex = quoted.substring(0, Math.min(quoted.length(), 2 * KNOWN_BY));
            try {
                begin = new String(HexFormat.of().parseHex(hex), StandardCharsets.US_ASCII);
            } catch (IllegalArgumentException otherWording) {
                begin = "";
            }
        }
        if (begin.startsWith("HTTP/")) {
            return "an HTTP server without TLS answers there";
        }
        return begin.startsWith("SSH-")
                ? "an SSH server answers there"
                : "something answers there that does not speak TLS";
    }
}
