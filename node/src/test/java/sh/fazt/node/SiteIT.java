package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.hosting.document.Documents;
import sh.fazt.node.http.Wire;
import sh.fazt.runtime.Header;
import sh.fazt.runtime.Request;
import sh.fazt.runtime.Result;
import sh.fazt.runtime.Runtime;
import sh.fazt.runtime.RuntimeOptions;
import sh.fazt.runtime.ScriptThreads;
import sh.fazt.runtime.sandbox.Meter;
import sh.fazt.sync.HeldBack;

class SiteIT {
    private static final String HOST = "blog.example.org";

    @TempDir
    Path folder;

    private Surface surface;
    private Wire wire;

    @BeforeEach
    void start() throws IOException {
        surface = new Surface(folder, Map.of());
        wire = surface.wire();
    }

    @AfterEach
    void stop() throws IOException {
        wire.close();
        surface.close();
    }

    @Test
    void answersASecondVisitorFromAReadyResponseThatSaysTheSame() throws IOException {
        surface.deploy("blog", "index.html", "<h1>hello</h1>", "style.css", "body{}");

        Wire.Answer first = wire.get(HOST, "/");
        long before = surface.http.status().ready();
        Wire.Answer second = wire.get(HOST, "/");
        assertThat(surface.http.status().ready()).isEqualTo(before + 1);
        assertThat(first.text()).isEqualTo("<h1>hello</h1>");
        assertThat(second.text()).isEqualTo(first.text());
        for (String header : List.of("content-type", "etag", "cache-control", "content-length", "vary")) {
            assertThat(second.header(header))
                    .as(header)
                    .isEqualTo(first.header(header))
                    .isNotEmpty();
        }
        assertThat(second.header("date")).endsWith(" GMT");

        assertThat(wire.call("HEAD", HOST, "/", "", new byte[0]).header("content-length"))
                .isEqualTo("14");
        Wire.Answer known = wire.get(HOST, "/", "If-None-Match: " + first.header("etag"));
        assertThat(known.status()).isEqualTo(304);
        assertThat(known.header("etag")).isEqualTo(first.header("etag"));
        assertThat(wire.get(HOST, "/", "If-None-Match: \"other\"").status()).isEqualTo(200);
        Wire.Answer last = wire.get(HOST, "/?x=1", "Connection: close");
        assertThat(last.header("connection")).isEqualTo("close");
        assertThat(wire.ended()).isTrue();
    }

    /** Takes a file's content away, as if it had never come. */
    private void lose(String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        String hash = Blobs.sha256(bytes, 0, bytes.length);
        surface.cartridge
                .writeLocal(tx -> tx.execute("DELETE FROM fazt_blob WHERE hash = ?", hash))
                .toCompletableFuture()
                .join();
    }

    @Test
    void aFileThatIsHeldBackIsFetchedForTheVisitorWhoAsksForIt() throws IOException {
        surface.mayLack = true;
        surface.deploy("blog", "index.html", "<h1>hello</h1>", "film.bin", "rolls", "far.bin", "away");
        lose("rolls");
        lose("away");
        assertThat(wire.get(HOST, "/").status()).isEqualTo(200);

        CompletableFuture<HeldBack.Outcome> late = new CompletableFuture<>();
        surface.fetch = blob -> late;
        late.complete(HeldBack.Outcome.LATE);
        Wire.Answer slow = wire.get(HOST, "/film.bin");
        assertThat(slow.status()).isEqualTo(503);
        assertThat(slow.header("retry-after")).isEqualTo("5");
        assertThat(slow.header("cache-control")).isEqualTo("no-store");
        assertThat(slow.text()).contains("on its way");

        surface.fetch = blob -> CompletableFuture.completedFuture(HeldBack.Outcome.NOBODY);
        Wire.Answer nobody = wire.get(HOST, "/far.bin");
        assertThat(nobody.status()).isEqualTo(503);
        assertThat(nobody.header("retry-after")).isEqualTo("30");
        assertThat(nobody.text()).contains("kept on other nodes", "4 bytes");

        surface.fetch = blob -> CompletableFuture.supplyAsync(() -> {
            surface.blobs.put("rolls".getBytes(StandardCharsets.UTF_8));
            return HeldBack.Outcome.HERE;
        });
        Wire.Answer film = wire.get(HOST, "/film.bin");
        assertThat(film.status()).isEqualTo(200);
        assertThat(film.text()).isEqualTo("rolls");

        surface.fetch = blob -> CompletableFuture.failedFuture(new IllegalStateException("nobody is asked again"));
        assertThat(wire.get(HOST, "/film.bin").text()).isEqualTo("rolls");
        assertThat(wire.get(HOST, "/far.bin").status()).isEqualTo(503);
    }

    @Test
    void aVisitorGetsNoDamagedFile() throws IOException {
        String page = "<p>" + "words ".repeat(500);
        surface.deploy("blog", "index.html", "<h1>hello</h1>", "small.txt", "letters", "page.html", page);
        surface.cartridge
                .writeLocal(tx -> tx.execute("UPDATE fazt_chunk SET body = CAST(substr(body, 2) || x'00' AS BLOB)"))
                .toCompletableFuture()
                .join();
        surface.fetch = blob -> CompletableFuture.completedFuture(HeldBack.Outcome.NOBODY);
        for (String path : List.of("/", "/small.txt", "/page.html")) {
            assertThat(wire.get(HOST, path).status()).as(path).isEqualTo(503);
            assertThat(wire.get(HOST, path, "Accept-Encoding: gzip").status())
                    .as(path)
                    .isEqualTo(503);
        }
        surface.fetch = blob -> CompletableFuture.supplyAsync(() -> {
            surface.blobs.put(page.getBytes(StandardCharsets.UTF_8));
            return HeldBack.Outcome.HERE;
        });
        assertThat(wire.get(HOST, "/page.html").text()).isEqualTo(page);
    }

    @Test
    void servesTheNewReleaseFromTheMomentThatADeployIsAnswered() throws IOException {
        String first = surface.deploy("blog", "index.html", "one");
        assertThat(wire.get(HOST, "/").text()).isEqualTo("one");
        assertThat(wire.get(HOST, "/").text()).isEqualTo("one");

        surface.deploy("blog", "index.html", "two");
        assertThat(wire.get(HOST, "/").text()).isEqualTo("two");

        surface.data("POST", "/api/apps/blog/activate", "{\"release\":\"" + first + "\"}");
        assertThat(wire.get(HOST, "/").text()).isEqualTo("one");
    }

    @Test
    void packsWhatIsWorthIt() throws IOException {
        String text = "word ".repeat(1000);
        surface.deploy("blog", "long.txt", text, "short.txt", "word");

        for (int i = 0; i < 2; i++) {
            Wire.Answer packed = wire.get(HOST, "/long.txt", "Accept-Encoding: br, gzip");
            assertThat(packed.header("content-encoding")).isEqualTo("gzip");
            assertThat(packed.header("vary")).isEqualTo("accept-encoding");
            assertThat(new GZIPInputStream(new ByteArrayInputStream(packed.body())).readAllBytes())
                    .isEqualTo(text.getBytes(StandardCharsets.UTF_8));
            assertThat(wire.get(HOST, "/long.txt").text()).isEqualTo(text);
            assertThat(wire.get(HOST, "/long.txt", "Accept-Encoding: gzip;q=0").text())
                    .isEqualTo(text);
            assertThat(wire.get(HOST, "/short.txt", "Accept-Encoding: gzip").text())
                    .isEqualTo("word");
        }
    }

    @Test
    void sendsPartsOfAFile() throws IOException {
        surface.deploy("blog", "file.txt", "0123456789");
        wire.get(HOST, "/file.txt");

        Wire.Answer part = wire.get(HOST, "/file.txt", "Range: bytes=2-4");
        assertThat(part.status()).isEqualTo(206);
        assertThat(part.text()).isEqualTo("234");
        assertThat(part.header("content-range")).isEqualTo("bytes 2-4/10");
        assertThat(wire.get(HOST, "/file.txt", "Range: bytes=-3").text()).isEqualTo("789");
        Wire.Answer beyond = wire.get(HOST, "/file.txt", "Range: bytes=10-");
        assertThat(beyond.status()).isEqualTo(416);
        assertThat(beyond.header("content-range")).isEqualTo("bytes */10");
        assertThat(wire.get(HOST, "/file.txt", "Range: bytes=2-4", "If-Range: \"old\"")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void sendsAFileThatIsTooLargeToKeepReady() throws IOException {
        String large = "0123456789abcdef".repeat(100_000);
        surface.deploy("blog", "large.bin", large);

        assertThat(wire.get(HOST, "/large.bin").text()).isEqualTo(large);
        assertThat(wire.get(HOST, "/large.bin", "Range: bytes=1000000-1000003").text())
                .isEqualTo(large.substring(1_000_000, 1_000_004));
    }

    @Test
    void hidesWhatIsNotForVisitorsHoweverItIsAskedFor() throws IOException {
        surface.deploy("blog", "index.html", "x", "api/main.js", "secret", "private/a.txt", "secret", ".env", "secret");
        surface.functions = (app, request, budget) ->
                CompletableFuture.completedFuture(new Result.Response(200, "text/plain", List.of(), new byte[0]));

        for (String path : List.of(
                "/private/a.txt",
                "//private/a.txt",
                "/x/../private/a.txt",
                "/%70rivate/a.txt",
                "/./private/a.txt",
                "/.env",
                "/api/main.js",
                "//api/main.js",
                "/x/../api/main.js",
                "/%61pi/main.js",
                "/../data.db",
                "/%2e%2e/data.db",
                "/x%2f..%2fprivate%2fa.txt",
                "/private%00/a.txt")) {
            for (int i = 0; i < 2; i++) {
                assertThat(wire.get(HOST, path).text()).as(path).doesNotContain("secret");
            }
        }
    }

    @Test
    void saysWhatToDoWhereNothingIs() throws IOException {
        Wire.Answer nothing = wire.get("shop.example.org", "/");
        assertThat(nothing.status()).isEqualTo(404);
        assertThat(nothing.text()).contains("shop.example.org").contains("fazt app deploy DIR --name shop");
        assertThat(wire.get("other.test", "/").status()).isEqualTo(404);
        assertThat(wire.get("<script>.example.org", "/").text()).doesNotContain("<script>");
        assertThat(wire.get("10.0.0.7", "/health").status()).isEqualTo(200);

        surface.deploy("blog", "index.html", "x");
        assertThat(wire.get(HOST, "/nowhere").status()).isEqualTo(404);
        assertThat(wire.call("DELETE", HOST, "/", "", new byte[0]).status()).isEqualTo(405);
    }

    @Test
    void answersUnderEveryNameThatLeadsHere() throws IOException {
        surface.deploy("blog", "index.html", "blog");
        surface.deploy("root", "index.html", "root");
        surface.swarm.names.put("news", surface.apps.require("blog").id());
        surface.routes.rebuildSoon();

        assertThat(wire.get("news.example.org", "/").text()).isEqualTo("blog");
        assertThat(wire.get("NEWS.Example.ORG:8080", "/").text()).isEqualTo("blog");
        assertThat(wire.get("blog.localhost", "/").text()).isEqualTo("blog");
        assertThat(wire.get("example.org", "/").text()).isEqualTo("root");
        wire.send("GET http://blog.example.org/ HTTP/1.1\r\nHost: news.example.org\r\n\r\n");
        assertThat(wire.read("GET").text()).isEqualTo("blog");
        assertThat(wire.get("a.blog.example.org", "/").status()).isEqualTo(404);
        assertThat(wire.get("xexample.org", "/").status()).isEqualTo(404);
    }

    @Test
    void handsARequestToTheAppsFunctionAndItsResponseBack() throws IOException {
        surface.deploy("blog", "index.html", "x", "api/main.js", "respond(1)");
        AtomicReference<Request> seen = new AtomicReference<>();
        surface.functions = (app, sent, budget) -> {
            seen.set(sent);
            assertThat(app.name()).isEqualTo("blog");
            assertThat(app.sources().text("api/main.js")).contains("respond(1)");
            return CompletableFuture.completedFuture(new Result.Response(
                    201,
                    "application/json",
                    List.of(new Header("X-One", "1"), new Header("Set-Cookie", "a=1"), new Header("Set-Cookie", "b=2")),
                    "{}".getBytes(StandardCharsets.UTF_8)));
        };

        Wire.Answer answer = wire.call(
                "POST", HOST, "/api/items%20x?q=%20y", "X-Test: yes\r\n", "body".getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.text()).isEqualTo("{}");
        assertThat(answer.header("x-one")).isEqualTo("1");
        Request request = Objects.requireNonNull(seen.get());
        assertThat(request.method()).isEqualTo("POST");
        assertThat(request.path()).isEqualTo("/api/items x");
        assertThat(request.query()).isEqualTo("q=%20y");
        assertThat(request.body()).asString().isEqualTo("body");
        assertThat(request.headers()).contains(new Header("X-Test", "yes"));
        assertThat(request.host()).isEqualTo(HOST);
    }

    @Test
    void turnsEveryFailureOfAFunctionIntoAnAnswer() throws IOException {
        surface.deploy("blog", "api/main.js", "x");
        AtomicReference<Result> result = new AtomicReference<>();
        surface.functions = (app, request, budget) -> CompletableFuture.completedFuture(result.get());

        for (Result.Reason reason : Result.Reason.values()) {
            result.set(new Result.Failed(reason, "said to the author", "at stack (api/main.js:1:1)"));
            Wire.Answer answer = wire.get(HOST, "/api");
            int expected = switch (reason) {
                case NO_ENTRY -> 404;
                case BAD_REQUEST -> 400;
                case TIMEOUT -> 504;
                case OVERLOADED -> 503;
                case NO_STORAGE -> 507;
                case SYNTAX, THREW, RECURSION, MEMORY, UNSERIALISABLE, TOO_LARGE -> 500;
            };
            assertThat(answer.status()).as(reason.name()).isEqualTo(expected);
            assertThat(Surface.json(answer).at("/error/code").asText()).isNotEmpty();
            assertThat(answer.text()).doesNotContain("api/main.js:1:1");
            assertThat(answer.header("retry-after")).isEqualTo(expected == 503 ? "1" : "");
        }
    }

    @Test
    void doesNotHangOnAResponseThatHttpCannotCarry() throws IOException {
        surface.deploy("blog", "api/main.js", "x");
        AtomicReference<Result> result = new AtomicReference<>();
        surface.functions = (app, request, budget) -> CompletableFuture.completedFuture(result.get());

        result.set(new Result.Response(200, "text/plain", List.of(new Header("X", "a\r\nSet-Cookie: b")), new byte[0]));
        assertThat(wire.get(HOST, "/api").status()).isEqualTo(500);
        result.set(new Result.Response(101, "text/plain", List.of(), new byte[0]));
        assertThat(wire.get(HOST, "/api").status()).isEqualTo(500);
        surface.functions =
                (app, request, budget) -> CompletableFuture.failedFuture(new IllegalStateException("meant"));
        assertThat(wire.get(HOST, "/api").status()).isEqualTo(500);
    }

    @Test
    void runsAScriptOfTheReleaseThatIsActive() throws IOException {
        try (Runtime runtime = new Runtime(
                RuntimeOptions.DEFAULT,
                new KeyValuesAdapter(new KeyValues(surface.cartridge, Clock.systemUTC())),
                new DocumentsAdapter(
                        new Documents(surface.cartridge, Clock.systemUTC(), new SecureRandom(), Meter::poll)),
                (app, level, message) -> {},
                ScriptThreads.daemons())) {
            surface.functions = runtime::invoke;
            surface.deploy("blog", "api/main.js", "respond(201, {path: request.path, query: request.query.q})");
            Wire.Answer answer = wire.get(HOST, "/api/x?q=a%20b");
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.header("content-type")).startsWith("application/json");
            assertThat(Surface.json(answer).toString()).isEqualTo("{\"path\":\"/api/x\",\"query\":\"a b\"}");

            surface.deploy("blog", "api/main.js", "throw new Error('meant')");
            Wire.Answer thrown = wire.get(HOST, "/api/x");
            assertThat(thrown.status()).isEqualTo(500);
            assertThat(Surface.json(thrown).at("/error/code").asText()).isEqualTo("FUNCTION_FAILED");
        }
    }
}
