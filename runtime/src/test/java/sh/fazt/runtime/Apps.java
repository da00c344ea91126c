package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A runtime with fakes around it, and short ways to ask it something. */
final class Apps implements AutoCloseable {
    final FakeKeyValues keyValues = new FakeKeyValues();
    final FakeDocuments documents = new FakeDocuments();
    final Queue<String> log = new ConcurrentLinkedQueue<>();
    final Runtime runtime;

    Apps() {
        this(RuntimeOptions.DEFAULT);
    }

    Apps(RuntimeOptions options) {
        runtime = new Runtime(
                options,
                keyValues,
                documents,
                (app, level, message) -> log.add(app + " " + level + " " + message),
                ScriptThreads.daemons());
    }

    static SourceTree tree(Map<String, String> files) {
        Map<String, String> copy = Map.copyOf(files);
        return new SourceTree() {
            @Override
            public Collection<String> paths() {
                return copy.keySet();
            }

            @Override
            public Optional<String> text(String path) {
                return Optional.ofNullable(copy.get(path));
            }
        };
    }

    /** An app whose release is named after its content. */
    static App app(String id, String main, String... moreFiles) {
        Map<String, String> files = new HashMap<>();
        files.put(SourceTree.ENTRY, main);
        for (int i = 0; i < moreFiles.length; i += 2) {
            files.put(moreFiles[i], moreFiles[i + 1]);
        }
        return new App(id, id + "-name", "r" + files.hashCode(), tree(files));
    }

    static Request get(String path) {
        return new Request("GET", path, "", List.of(), new byte[0], "http", "app.localhost", "127.0.0.1");
    }

    static Request post(String type, String body) {
        return new Request(
                "POST",
                "/api/items",
                "a=1&a=2&b=x%20y+z",
                List.of(new Header("content-type", type), new Header("X-custom-header", "v")),
                body.getBytes(StandardCharsets.UTF_8),
                "https",
                "app.example.com",
                "192.0.2.1");
    }

    CompletionStage<Result> start(App app, Duration time) {
        return runtime.invoke(app, get("/api"), Budget.DEFAULT.withTime(time));
    }

    Result run(App app, Request request, Budget budget) {
        return await(runtime.invoke(app, request, budget));
    }

    Result run(String main, String... moreFiles) {
        return run(app("app", main, moreFiles), get("/api"), Budget.DEFAULT.withTime(Duration.ofSeconds(10)));
    }

    static Result await(CompletionStage<Result> stage) {
        try {
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("no result", e);
        }
    }

    /** The body of a response; fails if there is none. */
    String body(String main, String... moreFiles) {
        return body(run(main, moreFiles));
    }

    static String body(Result result) {
        assertThat(result).isInstanceOf(Result.Response.class);
        return new String(((Result.Response) result).body(), StandardCharsets.UTF_8);
    }

    static Result.Failed failed(Result result) {
        assertThat(result)
                .as(() -> result instanceof Result.Response r ? new String(r.body(), StandardCharsets.UTF_8) : "")
                .isInstanceOf(Result.Failed.class);
        return (Result.Failed) result;
    }

    @Override
    public void close() {
        runtime.close();
    }
}
