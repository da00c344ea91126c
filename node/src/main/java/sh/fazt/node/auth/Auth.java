package sh.fazt.node.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** Finds out who asks. Thread-safe. */
public final class Auth {
    /** The admin page's session; sent to the admin host only. */
    public static final String COOKIE = "fazt_session";

    private final Accounts accounts;
    private final byte[] localToken;

    /** @param localToken what the run file says; good on this machine only */
    public Auth(Accounts accounts, String localToken) {
        this.accounts = accounts;
        this.localToken = localToken.getBytes(StandardCharsets.UTF_8);
    }

    /** Whether the request shows the token of this machine's run file. */
    public boolean local(Exchange exchange) {
        return exchange.fromHere() && showsToken(exchange.header("authorization"));
    }

    /** Whether an Authorization header, as it came, has the token of this machine's run file, from wherever it came. */
    public boolean showsToken(@Nullable String header) {
        return header != null
                && header.startsWith("Bearer ")
                && MessageDigest.isEqual(header.substring(7).getBytes(StandardCharsets.UTF_8), localToken);
    }

    /** Whose session the request is in. */
    public Optional<String> session(Exchange exchange) {
        String token = token(exchange);
        return token == null ? Optional.empty() : accounts.session(token);
    }

    /** The session token that came as a cookie. */
    public @Nullable String token(Exchange exchange) {
        String header = exchange.header("cookie");
        if (header == null) {
            return null;
        }
        for (String pair : header.split(";")) {
            String trimmed = pair.strip();
            if (trimmed.startsWith(COOKIE + "=")) {
                return trimmed.substring(COOKIE.length() + 1);
            }
        }
        return null;
    }

    /** Fails with 401 unless the owner asks, and with 403 when another site makes the owner's browser ask. */
    public void require(Exchange exchange) {
        if (local(exchange)) {
            return;
        }
        String header = exchange.header("authorization");
        if (showsToken(header)) {
            throw new Problem.Thrown(
                    Kind.UNAUTHENTICATED,
                    "INVALID_API_KEY",
                    "the run file's token counts on the machine of its node only, and this comes from " + exchange.ip()
                            + ": run fazt there, or log in on the admin page");
        }
        if (header != null) {
            throw new Problem.Thrown(Kind.UNAUTHENTICATED, "INVALID_API_KEY", "Invalid or expired API key");
        }
        if (session(exchange).isEmpty()) {
            throw new Problem.Thrown(
                    Kind.UNAUTHENTICATED, "UNAUTHORIZED", "log in first: POST /api/login, or open the admin page");
        }
        checkOrigin(exchange);
    }

    /** A browser says where a changing request comes from; a cookie alone proves nothing. */
    public void checkOrigin(Exchange exchange) {
        if (exchange.method().equals("GET") || exchange.method().equals("HEAD")) {
            return;
        }
        String site = exchange.header("sec-fetch-site");
        String origin = exchange.header("origin");
        boolean foreign = site != null
                ? !site.equals("same-origin") && !site.equals("none")
                : origin != null && !origin.endsWith("://" + exchange.host() + exchange.hostPort());
        if (foreign) {
            throw new Problem.Thrown(Kind.FORBIDDEN, "FORBIDDEN", "another site may not do this in your name");
        }
    }

    /** The Set-Cookie value that carries a session, or that ends it. */
    public static String cookie(@Nullable String token, boolean secure) {
        return COOKIE + "=" + (token == null ? "" : token) + "; Path=/; HttpOnly; SameSite=Lax"
                + (secure ? "; Secure" : "")
                + (token == null ? "; Max-Age=0" : "; Max-Age=" + Accounts.SESSION.toSeconds());
    }
}
