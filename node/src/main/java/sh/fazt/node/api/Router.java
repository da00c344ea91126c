package sh.fazt.node.api;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** Which endpoint a method and a path lead to. Filled once, then immutable. */
public final class Router {
    private final List<Endpoint> endpoints = new ArrayList<>();

    /** A set of endpoints that belong together. */
    public interface Endpoints {
        void addTo(Router router);
    }

    /** Who may ask. */
    enum Access {
        ANYONE,
        OWNER
    }

    /** Answers, now or later. On an {@code api} thread. */
    interface Handler {
        void handle(Call call) throws Exception;
    }

    /** A request and the parts of its path that the endpoint left open. */
    record Call(Exchange exchange, List<String> open) {
        String open(int index) {
            return open.get(index);
        }
    }

    private record Endpoint(String method, String[] segments, Access access, Handler handler) {
        boolean at(String[] path) {
            if (path.length != segments.length) {
                return false;
            }
            for (int i = 0; i < path.length; i++) {
                if (!segments[i].equals("*") && !segments[i].equals(path[i])) {
                    return false;
                }
            }
            return true;
        }
    }

    /** What a request leads to. */
    record Match(Access access, Handler handler, Call call) {}

    /** @param path a {@code *} stands for one segment */
    void add(String method, String path, Access access, Handler handler) {
        endpoints.add(new Endpoint(method, path.substring(1).split("/"), access, handler));
    }

    /** Finds the endpoint; fails with 404, with 405 naming what would do, or with 400 for a malformed path. */
    Match find(Exchange exchange) {
        String[] path = exchange.rawPath().substring(1).split("/", -1);
        for (int i = 0; i < path.length; i++) {
            path[i] = decode(path[i]);
        }
        Set<String> others = new TreeSet<>();
        for (Endpoint endpoint : endpoints) {
            if (!endpoint.at(path)) {
                continue;
            }
            if (endpoint.method().equals(exchange.method())) {
                List<String> open = new ArrayList<>();
                for (int i = 0; i < path.length; i++) {
                    if (endpoint.segments()[i].equals("*")) {
                        open.add(path[i]);
                    }
                }
                return new Match(endpoint.access(), endpoint.handler(), new Call(exchange, open));
            }
            others.add(endpoint.method());
        }
        if (others.isEmpty()) {
            throw new Problem.Thrown(
                    Kind.NOT_FOUND, "NOT_FOUND", "there is no " + exchange.rawPath() + " in this node's API");
        }
        throw new Problem.Thrown(
                Kind.NO_SUCH_METHOD,
                "METHOD_NOT_ALLOWED",
                exchange.rawPath() + " takes " + String.join(", ", others) + ", not " + exchange.method());
    }

    private static String decode(String segment) {
        if (segment.indexOf('%') < 0) {
            return segment;
        }
        try {
            return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new Problem.Thrown(
                    Kind.INVALID, "BAD_REQUEST", "\"" + segment + "\" in the path has a % without two hex digits");
        }
    }
}
