package sh.fazt.node.site;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.route.Route;
import sh.fazt.hosting.site.ByteRange;
import sh.fazt.hosting.site.Conditions;
import sh.fazt.hosting.site.Site;
import sh.fazt.hosting.site.SitePath;
import sh.fazt.node.api.Json;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Content;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;
import sh.fazt.runtime.App;
import sh.fazt.runtime.Budget;
import sh.fazt.runtime.Header;
import sh.fazt.runtime.Request;
import sh.fazt.runtime.Result;
import sh.fazt.runtime.SourceTree;

/** Serves what a route leads to: files from the cartridge, functions from the runtime. Thread-safe. */
public final class SiteHandler {
    private static final Logger LOG = LoggerFactory.getLogger(SiteHandler.class);

    private static final int LEAST_GZIP = 512;
    private static final int MOST_GZIP = 1 << 20;

    private final Arrivals arrivals;
    private final Blobs blobs;
    private final Functions functions;
    private final Ready ready;
    private final Budget budget;

    public SiteHandler(Arrivals arrivals, Functions functions, Ready ready, Duration functionTime) {
        this.arrivals = arrivals;
        this.blobs = arrivals.blobs();
        this.functions = functions;
        this.ready = ready;
        this.budget = Budget.DEFAULT.withTime(functionTime);
    }

    /** Answers on an {@code api} thread. */
    public void handle(Exchange exchange, Route route) throws IOException {
        String path = SitePath.canonical(exchange.rawPath());
        if (path == null) {
            exchange.reply(Reply.text(400, "that path can't be: it is malformed or leaves the site\n"));
        } else if (route.hasFunction() && (path.equals("/api") || path.startsWith("/api/"))) {
            call(exchange, route, path);
        } else if (!exchange.method().equals("GET") && !exchange.method().equals("HEAD")) {
            exchange.reply(Reply.text(405, "files are read with GET or HEAD\n").with("allow", "GET, HEAD"));
        } else {
            file(exchange, route, path);
        }
    }

    private void file(Exchange exchange, Route route, String path) {
        Site.Answer answer = Site.find(route, path);
        if (answer instanceof Site.Answer.Redirect redirect) {
            String query = exchange.query().isEmpty() ? "" : "?" + exchange.query();
            exchange.reply(Reply.empty(301).with("location", encode(redirect.path()) + query));
        } else if (answer instanceof Site.Answer.File file) {
            send(exchange, route, file);
        } else {
            exchange.reply(Pages.notFound(route.name()));
        }
    }

    private void send(Exchange exchange, Route route, Site.Answer.File file) {
        boolean gzip = file.compressible()
                && file.size() >= LEAST_GZIP
                && file.size() <= MOST_GZIP
                && Conditions.gzip(exchange.header("accept-encoding"));
        String etag = gzip ? "\"" + file.sha256() + "-gzip\"" : file.etag();
        List<String> headers = new ArrayList<>(List.of(
                "content-type",
                file.type(),
                "etag",
                etag,
                "cache-control",
                file.cacheControl(),
                "x-content-type-options",
                "nosniff"));
        if (file.compressible()) {
            headers.addAll(List.of("vary", "accept-encoding"));
        }
        if (file.status() == 200 && Conditions.has(exchange.header("if-none-match"), etag)) {
            exchange.reply(new Reply(304, headers, Content.of(new byte[0])));
            return;
        }
        arrivals.whenHere(
                file.sha256(),
                manifest -> body(exchange, route, file, manifest, gzip, etag, headers),
                refused -> exchange.reply(Pages.notReachable(route.name(), file.size(), refused)));
    }

    private void body(
            Exchange exchange,
            Route route,
            Site.Answer.File file,
            Blobs.Manifest manifest,
            boolean gzip,
            String etag,
            List<String> headers) {
        if (gzip) {
            headers.addAll(List.of("content-encoding", "gzip"));
            whole(exchange, route, file, manifest, body -> {
                byte[] packed = pack(body);
                keep(exchange, route, file, true, etag, headers, packed);
                exchange.reply(new Reply(file.status(), headers, Content.of(packed)));
            });
            return;
        }
        headers.addAll(List.of("accept-ranges", "bytes"));
        ByteRange range = file.status() == 200 ? range(exchange, file) : null;
        if (range == ByteRange.UNSATISFIABLE) {
            exchange.reply(Reply.text(416, "the file has " + file.size() + " bytes\n")
                    .with("content-range", "bytes */" + file.size()));
        } else if (range != null) {
            headers.addAll(List.of(
                    "content-range",
                    "bytes " + range.from() + "-" + (range.from() + range.length() - 1) + "/" + file.size()));
            exchange.reply(new Reply(206, headers, content(manifest, range.from(), range.length())));
        } else if (file.size() <= Ready.MOST_ENTRY) {
            whole(exchange, route, file, manifest, body -> {
                boolean accepts = Conditions.gzip(exchange.header("accept-encoding"));
                keep(exchange, route, file, accepts, etag, headers, body);
                exchange.reply(new Reply(file.status(), headers, Content.of(body)));
            });
        } else {
            exchange.reply(new Reply(file.status(), headers, content(manifest, 0, file.size())));
        }
    }

    /** Goes on with all bytes of a file. Where they are damaged here, they come from another member first. */
    private void whole(
            Exchange exchange, Route route, Site.Answer.File file, Blobs.Manifest manifest, Consumer<byte[]> then) {
        blobs.read(manifest)
                .ifPresentOrElse(
                        then,
                        () -> arrivals.whenHere(
                                file.sha256(),
                                again -> blobs.read(again)
                                        .ifPresentOrElse(
                                                then,
                                                () -> exchange.reply(Pages.notReachable(
                                                        route.name(), file.size(), Arrivals.Refused.BUSY))),
                                refused -> exchange.reply(Pages.notReachable(route.name(), file.size(), refused))));
    }

    private static @Nullable ByteRange range(Exchange exchange, Site.Answer.File file) {
        return Conditions.rangeHolds(exchange.header("if-range"), file.etag())
                ? ByteRange.parse(exchange.header("range"), file.size())
                : null;
    }

    private Content content(Blobs.Manifest manifest, long start, long length) {
        return new Content() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public byte[] read(long from, int count) {
                return blobs.read(manifest, start + from, count);
            }
        };
    }

    private void keep(
            Exchange exchange,
            Route route,
            Site.Answer.File file,
            boolean gzip,
            String etag,
            List<String> headers,
            byte[] body) {
        if (file.status() != 200 || body.length > Ready.MOST_ENTRY) {
            return;
        }
        StringBuilder common = new StringBuilder();
        for (int i = 0; i < headers.size(); i += 2) {
            common.append(headers.get(i))
                    .append(": ")
                    .append(headers.get(i + 1))
                    .append("\r\n");
        }
        ready.keep(
                route,
                exchange.rawPath(),
                gzip,
                etag,
                "HTTP/1.1 200 OK\r\n" + common + "content-length: " + body.length + "\r\n",
                "HTTP/1.1 304 Not Modified\r\n" + common,
                body);
    }

    private static byte[] pack(byte[] body) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(body.length / 2);
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(body);
        } catch (IOException e) {
            throw new IllegalStateException("memory can be written", e);
        }
        return packed.toByteArray();
    }

    private static String encode(String path) {
        StringBuilder encoded = new StringBuilder();
        for (byte octet : path.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (octet & 0xff);
            if (c > 0x20 && c < 0x7f && "\"<>\\^`{|}%?#".indexOf(c) < 0) {
                encoded.append(c);
            } else {
                encoded.append('%').append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            }
        }
        return encoded.toString();
    }

    private void call(Exchange exchange, Route route, String path) throws IOException {
        List<Header> headers = new ArrayList<>();
        for (Map.Entry<String, String> header : exchange.headers()) {
            headers.add(new Header(header.getKey(), header.getValue()));
        }
        Request request = new Request(
                exchange.method(),
                path,
                exchange.query(),
                headers,
                exchange.bodyBytes(),
                "http",
                exchange.host(),
                exchange.ip());
        App app = new App(route.app(), route.name(), String.valueOf(route.release()), new Sources(route));
        functions.invoke(app, request, budget).whenComplete((result, failure) -> {
            if (failure != null) {
                LOG.error("a function could not be run app={} path={}", route.app(), path, failure);
                exchange.reply(Json.error(Problem.of(failure)));
            } else {
                reply(exchange, route, result);
            }
        });
    }

    private static void reply(Exchange exchange, Route route, Result result) {
        Reply reply = reply(result);
        try {
            exchange.reply(reply);
        } catch (IllegalArgumentException e) {
            // A header that HTTP can't carry: the connection refused to write it.
            LOG.info("a function's reply can't be sent app={} why={}", route.app(), e.getMessage());
            exchange.reply(Json.error(Problem.of(new Result.Failed(
                    Result.Reason.UNSERIALISABLE, "a header of the response is none: " + e.getMessage(), ""))));
        }
    }

    private static Reply reply(Result result) {
        if (result instanceof Result.Failed failed) {
            return Json.error(Problem.of(failed));
        }
        Result.Response response = (Result.Response) result;
        if (response.status() < 200) {
            return Json.error(Problem.of(new Result.Failed(
                    Result.Reason.UNSERIALISABLE,
                    "a response has a status from 200 to 999, not " + response.status(),
                    "")));
        }
        Reply reply = Reply.of(response.status(), response.contentType(), response.body());
        for (Header header : response.headers()) {
            reply = reply.with(header.name(), header.value());
        }
        return reply;
    }

    /** A release's files as the runtime reads them. */
    private final class Sources implements SourceTree {
        private final Route route;

        Sources(Route route) {
            this.route = route;
        }

        @Override
        public Collection<String> paths() {
            return route.files().keySet().stream().filter(Manifest::isSource).toList();
        }

        @Override
        public Optional<String> text(String path) {
            Manifest.File file = route.files().get(path);
            return file == null
                    ? Optional.empty()
                    : blobs.read(file.sha256()).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
        }
    }
}
