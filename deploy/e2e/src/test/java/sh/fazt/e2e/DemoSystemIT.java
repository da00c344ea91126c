package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** {@code fazt demo} as a person uses it, and what is left of it afterwards: nothing. */
class DemoSystemIT {
    private static final Duration SOON = Duration.ofMinutes(3);
    private static final Pattern ADDRESS = Pattern.compile("http://guestbook\\.localhost:(\\d+)");

    @TempDir
    Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private final StringBuffer said = new StringBuffer();

    @SuppressWarnings("NullAway.Init") // Every test starts it first.
    private Process demo;

    private void start() throws IOException {
        // A shell starts what runs in the background deaf to Ctrl-C, and that is inherited.
        ProcessBuilder builder = new ProcessBuilder(
                        "env",
                        "--default-signal=INT",
                        NodeUnderTest.executable().toString(),
                        "demo")
                .redirectErrorStream(true);
        Archives.lend(builder.environment());
        builder.environment().put("FAZT_JAVA_OPTIONS", "-Djava.io.tmpdir=" + folder);
        demo = builder.start();
        Process started = demo;
        Thread reader = new Thread(() -> {
            try (var in = started.inputReader(StandardCharsets.UTF_8)) {
                for (int c = in.read(); c >= 0; c = in.read()) {
                    said.append((char) c);
                }
            } catch (IOException ended) {
                said.append(ended);
            }
        });
        reader.setDaemon(true);
        reader.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (ProcessHandle child : demo.descendants().toList()) {
            child.destroyForcibly();
        }
        demo.destroyForcibly().waitFor();
    }

    private void type(String line) throws IOException {
        demo.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        demo.getOutputStream().flush();
    }

    private void await(String text) {
        Await.until("the demo says " + text, SOON, () -> {
            if (!demo.isAlive()) {
                throw new IllegalStateException("the demo has ended: " + said);
            }
            return said.indexOf(text) >= 0;
        });
    }

    /** Types "status" until one of its answers is as wanted. */
    private void awaitStatus(String pattern) {
        Pattern wanted = Pattern.compile(pattern, Pattern.DOTALL);
        Await.until("status says " + pattern, SOON, () -> {
            said.setLength(0);
            type("status");
            await("demo> ");
            return wanted.matcher(said).find();
        });
    }

    private void assertNothingIsLeft(List<ProcessHandle> children, int code) throws Exception {
        assertThat(demo.waitFor(40, TimeUnit.SECONDS))
                .as("the demo ends: " + said)
                .isTrue();
        assertThat(demo.exitValue()).as(said.toString()).isEqualTo(code);
        assertThat(children).as("nodes that still run").noneMatch(ProcessHandle::isAlive);
        try (var files = Files.list(folder)) {
            assertThat(files).as("files that are left").isEmpty();
        }
    }

    private String ask(String port, String method, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/entries"))
                .header("Host", "guestbook.localhost")
                .header("Content-Type", "application/json")
                .timeout(SOON)
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static String entry(String name) {
        return "{\"name\":\"" + name + "\",\"text\":\"hello\"}";
    }

    @Test
    void aPersonSplitsAndHealsAndQuits() throws Exception {
        start();
        await("demo> ");
        List<String> ports = new ArrayList<>();
        Matcher addresses = ADDRESS.matcher(said);
        while (addresses.find()) {
            ports.add(addresses.group(1));
        }
        assertThat(ports).as(said.toString()).hasSize(3);
        assertThat(said).contains("owner password");
        List<ProcessHandle> children = demo.descendants().toList();
        assertThat(children).hasSize(3);
        type("hello");
        await("split, heal, status or quit; not \"hello\"");
        awaitStatus("(phone \\S* *\\S+ +alive.*){3}");

        type("split");
        await("phone is cut off");
        awaitStatus("as home sees it.*phone +\\S+ +(suspect|dead).*as vps.*as phone sees it.*NO QUORUM");
        ask(ports.get(0), "POST", entry("at-home"));
        ask(ports.get(2), "POST", entry("on-the-phone"));
        assertThat(ask(ports.get(2), "GET", "")).contains("on-the-phone").doesNotContain("at-home");

        type("heal");
        await("phone is back");
        for (String port : ports) {
            Await.until(
                    "both entries at " + port,
                    SOON,
                    () -> ask(port, "GET", "").contains("at-home")
                            && ask(port, "GET", "").contains("on-the-phone"));
        }
        type("quit");
        assertNothingIsLeft(children, 0);
    }

    @Test
    void controlCLeavesNothingWheneverItComes() throws Exception {
        start();
        await("phone joins");
        interrupt();
        said.setLength(0);
        start();
        await("starting vps");
        interrupt();
    }

    private void interrupt() throws Exception {
        List<ProcessHandle> children = demo.descendants().toList();
        assertThat(children).isNotEmpty();
        new ProcessBuilder("kill", "-INT", Long.toString(demo.pid())).start().waitFor();
        assertNothingIsLeft(children, 130);
    }
}
