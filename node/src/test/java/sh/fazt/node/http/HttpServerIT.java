package sh.fazt.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.testkit.Await;

class HttpServerIT {
    private final ThreadPoolExecutor api =
            new ThreadPoolExecutor(4, 4, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final CountDownLatch slow = new CountDownLatch(1);
    private HttpServer server;
    private Wire wire;

    /** Echoes; streams what is put below /stream, and answers /early before it has read anything. */
    private final class Echo implements Dispatcher {
        @Override
        public boolean serveReady(ChannelHandlerContext context, HttpRequest request) {
            return false;
        }

        @Override
        public BodyPlan plan(Exchange exchange) {
            return exchange.rawPath().startsWith("/stream")
                            || exchange.rawPath().equals("/early")
                    ? new BodyPlan(true, 64 << 20)
                    : new BodyPlan(false, 1000);
        }

        @Override
        public void handle(Exchange exchange) throws IOException {
            seen.add(exchange.method() + " " + exchange.rawPath());
            switch (exchange.rawPath()) {
                case "/slow" -> {
                    await();
                    exchange.reply(Reply.text(200, "slow"));
                }
                case "/early" -> exchange.reply(Reply.text(401, "who are you"));
                case "/throws" -> throw new IllegalStateException("meant to");
                case "/large" -> exchange.reply(new Reply(200, List.of(), pattern(3_000_001)));
                case "/stream" -> {
                    long count = 0;
                    try (InputStream in = exchange.body()) {
                        byte[] part = new byte[10_000];
                        for (int read = in.read(part); read >= 0; read = in.read(part)) {
                            count += read;
                        }
                    }
                    exchange.reply(Reply.text(200, "read " + count));
                }
                default ->
                    exchange.reply(Reply.text(
                            200,
                            exchange.host() + exchange.hostPort() + " " + exchange.query() + " "
                                    + new String(exchange.bodyBytes(), StandardCharsets.UTF_8)));
            }
        }

        private void await() {
            try {
                assertThat(slow.await(10, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Content pattern(int length) {
        return new Content() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public byte[] read(long from, int count) {
                byte[] bytes = new byte[count];
                for (int i = 0; i < count; i++) {
                    bytes[i] = (byte) ((from + i) % 251);
                }
                return bytes;
            }
        };
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.listen("127.0.0.1", 0, 1, new Echo(), api, new Dates(Clock.systemUTC()));
        wire = new Wire(server.port());
    }

    @AfterEach
    void stop() throws IOException {
        slow.countDown();
        wire.close();
        server.close();
        api.shutdownNow();
    }

    @Test
    void keepsAConnectionAndAnswersPipelinedRequestsInOrder() throws IOException {
        wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nPOST /b?x=1 HTTP/1.1\r\nHost: B.example:81\r\n"
                + "Content-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\nHost: c\r\n\r\n");
        slow.countDown();

        assertThat(wire.read("GET").text()).isEqualTo("slow");
        assertThat(wire.read("POST").text()).isEqualTo("b.example:81 x=1 abc");
        assertThat(wire.read("GET").text()).isEqualTo("c  ");
        assertThat(seen).containsExactly("GET /slow", "POST /b", "GET /c");
    }

    @Test
    void answersHeadWithoutABodyAndTellsItsLength() throws IOException {
        Wire.Answer head = wire.call("HEAD", "a", "/x", "", new byte[0]);

        assertThat(head.status()).isEqualTo(200);
        assertThat(head.header("content-length")).isEqualTo("3");
        assertThat(head.header("date")).endsWith(" GMT");
        assertThat(wire.get("a", "/x").status()).isEqualTo(200);
    }

    @Test
    void sendsALargeContentWhole() throws IOException {
        byte[] body = wire.get("a", "/large").body();

        assertThat(body).hasSize(3_000_001);
        assertThat(Arrays.equals(body, pattern(3_000_001).read(0, 3_000_001))).isTrue();
        assertThat(wire.get("a", "/x").status()).isEqualTo(200);
    }

    @Test
    void readsAChunkedBody() throws IOException {
        wire.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

        assertThat(wire.read("POST").text()).isEqualTo("a  abcde");
    }

    @Test
    void streamsABodyOfManyMegabytesThroughAMailboxOfHalfAOne() throws IOException {
        byte[] body = new byte[20 << 20];

        assertThat(wire.call("PUT", "a", "/stream", "", body).text()).isEqualTo("read " + body.length);
        assertThat(wire.get("a", "/x").status()).isEqualTo(200);
    }

    @Test
    void tellsAClientThatWaitsToGoOnOnlyWhenTheBodyIsWanted() throws IOException {
        wire.send("PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        assertThat(wire.read("PUT").status()).isEqualTo(100);
        wire.send("12345");
        assertThat(wire.read("PUT").text()).isEqualTo("read 5");

        wire.send("PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        assertThat(wire.read("PUT").status()).isEqualTo(401);
        assertThat(wire.ended()).isTrue();
    }

    @Test
    void keepsTheConnectionWhenASmallBodyWasNotWanted() throws IOException {
        assertThat(wire.call("PUT", "a", "/early", "", new byte[1000]).status()).isEqualTo(401);
        assertThat(wire.get("a", "/x").status()).isEqualTo(200);
    }

    @Test
    void letsAClientReadTheAnswerThatEndsItsUpload() throws Exception {
        wire.send("PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
        CompletableFuture<Boolean> sending = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        for (int i = 0; i < 200; i++) {
                            wire.send(new byte[100_000]);
                        }
                        return true;
                    } catch (IOException e) {
                        return false;
                    }
                },
                api);

        Wire.Answer answer = wire.read("PUT");
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.header("connection")).isEqualTo("close");
        assertThat(sending.get(20, TimeUnit.SECONDS))
                .as("what was still sent was taken")
                .isTrue();
        assertThat(wire.ended()).isTrue();
    }

    @Test
    void refusesABodyThatIsTooLargeBeforeAndWhileItComes() throws IOException {
        wire.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
        Wire.Answer announced = wire.read("POST");
        assertThat(announced.status()).isEqualTo(413);
        assertThat(announced.text()).contains("1001").contains("1000");
        assertThat(wire.ended()).isTrue();

        try (Wire other = new Wire(server.port())) {
            other.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + "y".repeat(1001)
                    + "\r\n");
            assertThat(other.read("POST").status()).isEqualTo(413);
        }
        assertThat(seen).isEmpty();
    }

    @Test
    void refusesWhatIsNoRequest() throws IOException {
        refuses("NONSENSE\r\n\r\n", 400);
        refuses("GET /x HTTP/1.1\r\n\r\n", 400);
        refuses("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
        refuses("GET /x HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400);
        refuses("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
        refuses("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400);
        refuses("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
        refuses("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400);
        refuses("GET /" + "x".repeat(9000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
        refuses("GET /x HTTP/1.1\r\nHost: a\r\nX: " + "x".repeat(33_000) + "\r\n\r\n", 431);
        refuses("BREW /x HTTP/1.1\r\nHost: a\r\n\r\n", 405);
        refuses("GET /x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417);
        assertThat(seen).isEmpty();
    }

    private void refuses(String request, int status) throws IOException {
        try (Wire other = new Wire(server.port())) {
            Wire.Answer answer = other.send(request).read("GET");
            assertThat(answer.status())
                    .as(request.substring(0, Math.min(60, request.length())))
                    .isEqualTo(status);
            assertThat(answer.header("connection")).isEqualTo("close");
            assertThat(other.ended()).isTrue();
        }
    }

    @Test
    void speaksHttp10() throws IOException {
        wire.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assertThat(wire.read("GET").header("connection")).isEqualTo("keep-alive");
        wire.send("GET /x HTTP/1.0\r\n\r\n");
        assertThat(wire.read("GET").header("connection")).isEqualTo("close");
        assertThat(wire.ended()).isTrue();
    }

    @Test
    void answersForAHandlerThatThrows() throws IOException {
        assertThat(wire.get("a", "/throws").status()).isEqualTo(500);
        assertThat(wire.get("a", "/x").status()).isEqualTo(200);
    }

    @Test
    void saysWhenNobodyIsFreeToAnswer() throws IOException {
        ThreadPoolExecutor none = new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new SynchronousQueue<>());
        try (HttpServer busy = HttpServer.listen("127.0.0.1", 0, 1, new Echo(), none, new Dates(Clock.systemUTC()));
                Wire first = new Wire(busy.port());
                Wire second = new Wire(busy.port())) {
            first.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
            Await.until("the only thread is taken", Duration.ofSeconds(5), () -> !seen.isEmpty());

            Wire.Answer answer = second.get("a", "/x");
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.header("retry-after")).isEqualTo("1");
            assertThat(busy.status().overloaded()).isEqualTo(1);
            slow.countDown();
            assertThat(first.read("GET").status()).isEqualTo(200);
        } finally {
            none.shutdownNow();
        }
    }

    @Test
    void finishesWhatIsUnderWayWhenItStops() throws Exception {
        wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
        Await.until("the request is under way", Duration.ofSeconds(5), () -> !seen.isEmpty());
        CompletableFuture<Void> stopping = CompletableFuture.runAsync(() -> server.stop(Duration.ofSeconds(10)), api);
        Await.until("no more connections are taken", Duration.ofSeconds(5), () -> {
            try (Wire late = new Wire(server.port())) {
                return false;
            } catch (IOException | NullPointerException refused) {
                return true;
            }
        });
        slow.countDown();

        Wire.Answer answer = wire.read("GET");
        assertThat(answer.text()).isEqualTo("slow");
        assertThat(answer.header("connection")).isEqualTo("close");
        stopping.get(10, TimeUnit.SECONDS);
    }

    @Test
    void endsAHeadThatDoesNotCome() throws IOException {
        wire.send("GET /x HTTP/1.1\r\nHost:");

        assertThat(wire.read("GET").status()).isEqualTo(408);
        assertThat(wire.ended()).isTrue();
        assertThat(server.status().timedOut()).isEqualTo(1);
    }

    @Test
    void saysWhatToDoAboutAPortThatIsTaken() {
        assertThatThrownBy(() ->
                        HttpServer.listen("127.0.0.1", server.port(), 1, new Echo(), api, new Dates(Clock.systemUTC())))
                .isInstanceOf(HttpServer.BindException.class)
                .hasMessageContaining("127.0.0.1:" + server.port())
                .hasMessageContaining("another process")
                .hasMessageContaining("--port");
        assertThatThrownBy(() -> HttpServer.listen("203.0.113.7", 0, 1, new Echo(), api, new Dates(Clock.systemUTC())))
                .hasMessageContaining("--bind");
    }
}
