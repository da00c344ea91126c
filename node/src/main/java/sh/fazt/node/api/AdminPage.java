package sh.fazt.node.api;

import java.io.IOException;
import java.io.InputStream;
import sh.fazt.hosting.site.ContentTypes;
import sh.fazt.hosting.site.SitePath;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;

/** The admin page's files, out of the executable. Thread-safe. */
final class AdminPage {
    private static final String POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
            + " frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

    private AdminPage() {}

    static Reply serve(Exchange exchange) throws IOException {
        String path = SitePath.canonical(exchange.rawPath());
        String file = path == null || path.equals("/") || ContentTypes.of(path).equals("application/octet-stream")
                ? "/index.html"
                : path;
        try (InputStream in = AdminPage.class.getResourceAsStream("/sh/fazt/admin" + file)) {
            if (in == null) {
                return Reply.text(404, "the admin page has no such file\n");
            }
            return Reply.of(200, ContentTypes.of(file), in.readAllBytes())
                    .with(
                            "cache-control",
                            file.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache")
                    .with("content-security-policy", POLICY)
                    .with("x-content-type-options", "nosniff")
                    .with("referrer-policy", "same-origin");
        }
    }
}
