package sh.fazt.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.RandomAccessFile;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What a user gets wrong, through the packaged executable: each has its message and its exit code. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CommandLineSystemIT {
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");

    private Path folder;
    private NodeUnderTest node;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        this.folder = folder;
        node = new NodeUnderTest(folder, "one", List.of(), FREE).start();
    }

    @AfterAll
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
        NodeUnderTest other = new NodeUnderTest(folder, "two", List.of(), FREE);
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
        Path large = site.resolve("large.bin");
        try (var file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength((100 << 20) + 1);
        }
        refused(1, "large.bin has 104857601 bytes; a file has at most", "app", "deploy", site.toString());
        Files.delete(large);
        Files.writeString(site.resolve("api/main.js"), "const a = 1;\nlet = = 2;\n");
        refused(1, "api/main.js:2:5", "app", "deploy", site.toString());
        assertThat(node.ok("app", "list").get("apps")).isEmpty();
        Files.writeString(site.resolve("api/main.js"), "({ body: 'fine' })");
        node.ok("app", "deploy", site.toString(), "--name", "site");
        assertThat(node.get("site", "/")).isEqualTo("<h1>fine</h1>");
    }

    /** What the command never sends, as a client of one's own might. */
    @Test
    void aBadDeployOverRestLeavesNothing() throws Exception {
        for (String path : List.of("../passwd", "a/../../passwd")) {
            restRefused(400, "leaves its folder", "application/json", manifest("evil", path));
            restRefused(400, "leaves its folder", "application/zip", zip(path));
        }
        restRefused(400, "is an absolute path", "application/json", manifest("evil", "/etc/passwd"));
        restRefused(400, "is an absolute path", "application/zip", zip("/etc/passwd"));
        restRefused(400, "backslash", "application/zip", zip("..\\passwd"));
        restRefused(400, "not \"Evil_Name\"", "application/json", manifest("Evil_Name", "index.html"));
        restRefused(
                400, "at least one file", "application/json", "{\"name\":\"evil\",\"manifest\":[]}".getBytes(UTF_8));
        restRefused(400, "at least one file", "application/zip", zip());
        restRefused(400, "not a zip", "application/zip", "no zip".getBytes(UTF_8));
        restRefused(415, "application/json", "text/plain", "hello".getBytes(UTF_8));
        assertThat(node.ok("app", "list").toString()).doesNotContainIgnoringCase("evil");
    }

    private void restRefused(int status, String message, String type, byte[] body) throws Exception {
        HttpResponse<String> answer = node.rest("POST", "/api/deploy?name=evil", type, body);
        assertThat(answer.body()).contains(message.replace("\"", "\\\"")).contains("\"error\"");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    }

    private static byte[] manifest(String name, String path) {
        return ("{\"name\":\"" + name + "\",\"manifest\":[{\"path\":\"" + path + "\",\"sha256\":\"" + "0".repeat(64)
                        + "\",\"size\":1}]}")
                .getBytes(UTF_8);
    }

    private static byte[] zip(String... paths) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (String path : paths) {
                zip.putNextEntry(new ZipEntry(path));
                zip.write("x".getBytes(UTF_8));
            }
        }
        return bytes.toByteArray();
    }
}
