package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user gets wrong, through the packaged executable: each has its message and its exit code. */
class CommandLineSystemIT {
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");

    @TempDir
    Path folder;

    private NodeUnderTest node;

    @BeforeEach
    void start() throws Exception {
        node = new NodeUnderTest(folder, "one", List.of(), FREE).start();
    }

    @AfterEach
    void stop() throws Exception {
        node.close();
    }

    private void refused(int code, String message, String... words) throws Exception {
        NodeUnderTest.Run run = node.fazt(words);
        assertThat(run.err()).as(String.join(" ", words)).contains(message);
        assertThat(run.code()).as(String.join(" ", words)).isEqualTo(code);
        assertThat(run.out()).as("results only on stdout").isEmpty();
    }

    @Test
    void everyMistakeHasItsMessageAndItsExitCode() throws Exception {
        refused(2, "did you mean \"fazt swarm status\"", "swarm", "stauts");
        refused(2, "wants TOKEN", "swarm", "join");
        refused(2, "has no flag --nmae; did you mean --name", "app", "deploy", "x", "--nmae", "y");
        refused(2, "not \"soon\"", "swarm", "token", "--ttl", "soon");
        refused(2, "--force", "swarm", "recover");
        refused(1, "is not a join token", "swarm", "join", "garbage");
        String token = node.ok("swarm", "token").asText();
        refused(1, "is damaged", "swarm", "join", token.substring(0, token.length() - 4) + "aaaa");
        refused(1, "issued that token itself", "swarm", "join", token);
        refused(2, "two forms of one token", "swarm", "token", "--words", "--qr");
        List<String> words = new ArrayList<>(
                List.of(node.ok("swarm", "token", "--words").asText().split("\\s+")));
        refused(1, "issued that token itself", join(words));
        refused(
                1,
                "issued that token itself",
                "swarm",
                "join",
                String.join("-", words).toUpperCase(Locale.ROOT));
        String seventh = words.set(6, words.get(6) + "q");
        refused(1, "word 7 \"" + seventh + "q\" is not in the list: did you mean \"" + seventh + "\"?", join(words));
        words.set(6, seventh);
        Collections.swap(words, 3, 20);
        refused(1, words.get(3).equals(words.get(20)) ? "issued that" : "have changed places", join(words));
        refused(1, "nothing to leave", "swarm", "leave");
        refused(1, "did you mean \"port\"", "config", "set", "prot", "1");
        refused(1, "there is no app", "app", "releases", "nobody");
        refused(1, "in use by process " + node.pid(), "server", "start", "--port", "0", "--swarm-port", "0");
        String port = node.http().substring(node.http().lastIndexOf(':') + 1);
        NodeUnderTest other = new NodeUnderTest(folder, "two", List.of(), FREE);
        NodeUnderTest.Run taken = other.fazt("server", "start", "--port", port, "--swarm-port", "0");
        assertThat(taken.err()).contains("another process listens there").contains("--port");
        assertThat(taken.code()).isEqualTo(1);
        assertThat(other.fazt("app", "list").err()).contains("no node is running on " + other.cartridge);
    }

    private static String[] join(List<String> words) {
        List<String> typed = new ArrayList<>(List.of("swarm", "join"));
        typed.addAll(words);
        return typed.toArray(new String[0]);
    }

    @Test
    void aBadDeployLeavesNothing() throws Exception {
        Path site = folder.resolve("site");
        Files.createDirectories(site.resolve("api"));
        refused(1, "there is no file in it", "app", "deploy", site.toString());
        Files.writeString(site.resolve("index.html"), "<h1>fine</h1>");
        refused(1, "not \"Bad_Name\"", "app", "deploy", site.toString(), "--name", "Bad_Name");
        Path link = Files.createSymbolicLink(site.resolve("secret"), Path.of("/etc/hostname"));
        refused(1, "outside of the folder", "app", "deploy", site.toString());
        Files.delete(link);
        Files.writeString(site.resolve("api/main.js"), "const a = 1;\nlet = = 2;\n");
        refused(1, "api/main.js:2:", "app", "deploy", site.toString());
        assertThat(node.ok("app", "list").get("apps")).isEmpty();
    }

    @Test
    void aHandlerThatFailsIsToldApart() throws Exception {
        node.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
        assertFails("/api/throw", 500, "on purpose at api/main.js:");
        assertFails("/api/deep", 500, "nested too deeply");
        assertFails("/api/cycle", 500, "cyclic");
        assertFails("/api/loop", 504, "was stopped");
        assertThat(node.ask("ledger", "GET", "/api/all", "").statusCode()).isEqualTo(200);
    }

    private void assertFails(String path, int status, String message) throws Exception {
        HttpResponse<String> answer = node.ask("ledger", "GET", path, "");
        assertThat(answer.statusCode()).as(path).isEqualTo(status);
        assertThat(answer.body()).as(path).contains(message);
    }
}
