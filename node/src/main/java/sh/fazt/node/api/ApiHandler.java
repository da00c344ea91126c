package sh.fazt.node.api;

import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Dispatcher;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;

/**
 * The control plane: the owner's page, and the REST surface behind one gate. Who asks is known before anything of
 * a body is kept. Thread-safe.
 */
public final class ApiHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);

    /** A release, and what its envelope may add. */
    private static final long MOST_BUNDLE = Manifest.MOST_BYTES + (16L << 20);

    private static final long MOST_JSON = 1 << 20;

    private final Auth auth;
    private final Router router = new Router();

    /** The endpoints are all there is: what none of them has is not found. */
    public ApiHandler(Auth auth, List<Router.Endpoints> endpoints) {
        this.auth = auth;
        endpoints.forEach(some -> some.addTo(router));
    }

    /** Uploads are read while they come, once it is known who sends them; everything else is small. */
    public Dispatcher.BodyPlan plan(Exchange exchange) {
        if (exchange.method().equals("PUT") && exchange.rawPath().startsWith("/api/blobs/")) {
            return new Dispatcher.BodyPlan(true, Manifest.MOST_FILE_BYTES);
        }
        if (exchange.method().equals("POST") && exchange.rawPath().equals("/api/deploy")) {
            return new Dispatcher.BodyPlan(true, MOST_BUNDLE);
        }
        return new Dispatcher.BodyPlan(false, MOST_JSON);
    }

    /** Answers a request on the admin host. */
    public void handle(Exchange exchange) throws IOException {
        String path = exchange.rawPath();
        if (path.equals("/health") || path.equals("/metrics") || path.equals("/api") || path.startsWith("/api/")) {
            api(exchange);
        } else if (exchange.method().equals("GET") || exchange.method().equals("HEAD")) {
            exchange.reply(AdminPage.serve(exchange));
        } else {
            exchange.reply(Reply.text(405, "the admin page is read with GET; the API is below /api/\n")
                    .with("allow", "GET, HEAD"));
        }
    }

    private void api(Exchange exchange) {
        try {
            Router.Match match = router.find(exchange);
            if (match.access() == Router.Access.OWNER) {
                auth.require(exchange);
            }
            match.handler().handle(match.call());
        } catch (Exception e) {
            fail(exchange, e);
        }
    }

    /** The one way in which a request fails. */
    static void fail(Exchange exchange, Throwable why) {
        Problem problem = why instanceof IOException
                ? new Problem(Kind.INVALID, "BAD_REQUEST", "the body could not be read: " + why.getMessage())
                : Problem.of(why);
        if (problem.kind() == Kind.INTERNAL) {
            LOG.error("a request failed method={} path={}", exchange.method(), exchange.rawPath(), why);
        }
        exchange.reply(Json.error(problem));
    }
}
