package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Functions that fail and functions that never end, through the packaged executable. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FunctionSystemIT {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Frames of compiled JavaScript in a dump of threads. */
    private static final Pattern SCRIPT = Pattern.compile("main\\.js|Script\\$");

    private NodeUnderTest node;
    private final ExecutorService callers = Executors.newCachedThreadPool();

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        node = new NodeUnderTest(folder, "one", List.of(), List.of("--port", "0", "--swarm-port", "0"));
        node.environment.put("FAZT_FUNCTION_SECONDS", Long.toString(DEADLINE.toSeconds()));
        node.start();
        for (String app : List.of("ledger", "other")) {
            node.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", app);
            Await.until(app + " is compiled", SOON, () -> serves(app));
        }
    }

    @AfterAll
    void stop() throws Exception {
        callers.shutdownNow();
        node.close();
    }

    private boolean serves(String app) throws Exception {
        return node.ask(app, "GET", "/api/all", "").statusCode() == 200;
    }

    @Test
    void aHandlerThatFailsIsToldApart() throws Exception {
        assertFails("/api/throw", 500, "on purpose at api/main.js:");
        assertFails("/api/deep", 500, "nested too deeply");
        assertFails("/api/cycle", 500, "cyclic");
        assertFails("/api/loop", 504, "was stopped");
        assertThat(serves("ledger")).isTrue();
    }

    private void assertFails(String path, int status, String message) throws Exception {
        HttpResponse<String> answer = node.ask("ledger", "GET", path, "");
        assertThat(answer.statusCode()).as(path).isEqualTo(status);
        assertThat(answer.body()).as(path).contains(message);
    }

    /** How soon after its deadline is a figure, and depends on what else the machine does. */
    @Test
    void anEndlessHandlerIsStoppedInTime() throws Exception {
        long begin = System.nanoTime();
        assertFails("/api/loop", 504, "was stopped");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isBetween(DEADLINE, DEADLINE.plusSeconds(3));
    }

    @Test
    void othersAreServedMeanwhileAndNothingGoesOnSpinning() throws Exception {
        List<CompletableFuture<Integer>> loops = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String body = "{\"key\":\"" + i + "\"}";
            loops.add(CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return node.ask("ledger", "POST", "/api/put-and-loop", body)
                                    .statusCode();
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    callers));
        }
        Await.until(
                "the same app says that three loops have begun",
                DEADLINE,
                () -> node.get("ledger", "/api/all").split("looping", -1).length == 4);
        assertThat(serves("other")).isTrue();
        assertThat(loops).as("still looping, and others were served").noneMatch(CompletableFuture::isDone);
        assertThat(node.threads()).as("what a loop looks like").containsPattern(SCRIPT);
        for (CompletableFuture<Integer> loop : loops) {
            assertThat(loop.get()).isEqualTo(504);
        }
        Await.until(
                "no thread is in a script",
                SOON,
                () -> !SCRIPT.matcher(node.threads()).find());
        Duration[] seen = {node.cpu()};
        long[] since = {System.nanoTime()};
        Await.until("half a second in which the node is idle", SOON, () -> {
            if (System.nanoTime() - since[0] < 500_000_000) {
                return false;
            }
            Duration used = node.cpu().minus(seen[0]);
            seen[0] = node.cpu();
            since[0] = System.nanoTime();
            return used.toMillis() < 100;
        });
    }
}
