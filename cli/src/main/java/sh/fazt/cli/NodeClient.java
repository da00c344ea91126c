package sh.fazt.cli;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The REST surface of the node that runs on a cartridge, found through its run file. Thread-safe. */
final class NodeClient {
    private static final Duration USUAL = Duration.ofSeconds(30);

    private final Path cartridge;
    private final Http http;
    private final Object runFile;

    private NodeClient(Path cartridge, Object runFile) {
        this.cartridge = cartridge;
        this.runFile = runFile;
        this.http = new Http(Json.text(runFile, "http"), Json.text(runFile, "token"));
    }

    /** The node that runs on the cartridge; fails when none does, and says how to start one. */
    static NodeClient of(Path cartridge) {
        Path file = cartridge.resolveSibling(cartridge.getFileName() + ".run");
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw notRunning(cartridge);
        } catch (IOException e) {
            throw Failure.failed("can't read " + file + " (" + e.getClass().getSimpleName()
                    + "): it tells where the node of " + cartridge + " is; run as the user that started the node");
        }
        Object runFile = Json.read(text);
        if (runFile == null || Json.text(runFile, "http").indexOf(':') < 0) {
            throw Failure.failed(file + " is damaged: stop the node, delete that file, start the node again");
        }
        if (!ProcessHandle.of(pid(runFile)).map(ProcessHandle::isAlive).orElse(false)) {
            throw notRunning(cartridge);
        }
        return new NodeClient(cartridge, runFile);
    }

    private static long pid(@Nullable Object runFile) {
        return Json.member(runFile, "pid") instanceof Long pid ? pid : -1;
    }

    private static Failure notRunning(Path cartridge) {
        return Failure.failed("no node is running on " + cartridge + ": start it with \"fazt server start --db "
                + cartridge + "\", or name another cartridge with --db");
    }

    /** What the run file says. */
    Object runFile() {
        return runFile;
    }

    @Nullable
    Object get(String path) {
        return call("GET", path, "", 0, null, USUAL);
    }

    @Nullable
    Object send(String method, String path, @Nullable Object json) {
        return send(method, path, json, USUAL);
    }

    @Nullable
    Object send(String method, String path, @Nullable Object json, Duration timeout) {
        byte[] body = Json.write(json).getBytes(StandardCharsets.UTF_8);
        return call(method, path, "application/json", body.length, out -> out.write(body), timeout);
    }

    @Nullable
    Object upload(String path, Path file, long size) {
        return call(
                "PUT", path, "application/octet-stream", size, out -> Files.copy(file, out), Duration.ofMinutes(10));
    }

    /** The {@code data} of the answer; an error answer is a {@link Failure} with the node's own message. */
    private @Nullable Object call(
            String method, String path, String type, long length, Http.@Nullable Body body, Duration timeout) {
        Http.Reply reply;
        try {
            reply = http.exchange(method, path, type, length, body, (int) timeout.toMillis());
        } catch (SocketTimeoutException e) {
            throw Failure.failed("the node of " + cartridge + " did not answer within " + timeout.toSeconds()
                    + " s; it may still be at it: look with \"fazt server status\"");
        } catch (IOException e) {
            throw Failure.failed("the node of " + cartridge + " at " + Json.text(runFile, "http")
                    + " can't be reached: " + e.getMessage());
        }
        Object document = reply.body().isEmpty() ? null : Json.read(reply.body());
        if (reply.status() / 100 == 2) {
            return Json.member(document, "data");
        }
        Object error = Json.member(document, "error");
        String message = error instanceof String text ? text : Json.text(error, "message");
        StringBuilder text = new StringBuilder(message.isEmpty() ? "the node answered " + reply.status() : message);
        for (Object problem : Json.elements(Json.member(error, "details"), "problems")) {
            text.append("\n  ").append(problem instanceof String line ? line : problem(problem));
        }
        throw Failure.refused(reply.status(), text.toString());
    }

    private static String problem(@Nullable Object problem) {
        return Json.text(problem, "file") + ":" + Json.text(problem, "line") + ":" + Json.text(problem, "column") + ": "
                + Json.text(problem, "message");
    }
}
