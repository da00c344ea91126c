package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** A cartridge that an earlier release wrote, alone and in swarms with nodes that are new. */
class EarlierReleaseSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PASSWORD = "fcvp8-ngxg2-afbfm-xzgs7";

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();
    /** Each call of the app counts itself; the first one was that of the earlier release. */
    private int visits = 1;
    /** Calls that did not end well, and may have counted themselves. */
    private int perhaps;

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private NodeUnderTest node(String name) {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), FREE);
        nodes.add(node);
        return node;
    }

    /** A backup of the first build's cartridge, with nothing beside it. */
    private NodeUnderTest earlier() throws Exception {
        NodeUnderTest node = node("earlier");
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + node.cartridge);
                var statement = db.createStatement()) {
            statement.executeUpdate(Files.readString(Path.of("src/test/resources/earlier-cartridge.sql")));
        }
        node.start();
        assertThat(node.password()).as("the owner is known").isEmpty();
        return node;
    }

    private static int logIn(NodeUnderTest node, String password) throws Exception {
        byte[] login = ("{\"username\":\"owner\",\"password\":\"" + password + "\"}").getBytes(StandardCharsets.UTF_8);
        return node.rest("POST", "/api/login", "application/json", login).statusCode();
    }

    /** What the app answers there, and how often it was called. */
    private JsonNode call(NodeUnderTest node, String method, String body) throws Exception {
        perhaps++;
        HttpResponse<String> answer = node.ask("note", method, "/api/", body);
        if (answer.statusCode() < 500) {
            perhaps--;
        }
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(node.name + " answers " + answer.statusCode() + ": " + answer.body());
        }
        visits++;
        return JSON.readTree(answer.body());
    }

    private void awaitNote(String words, NodeUnderTest... readers) {
        for (NodeUnderTest reader : readers) {
            Await.until(reader.name + " has the note and every visit", SOON, () -> {
                JsonNode note = call(reader, "GET", "");
                int told = note.path("visits").asInt();
                return note.path("note").asText().equals(words) && told >= visits && told <= visits + perhaps;
            });
        }
    }

    private void write(NodeUnderTest node, String words) {
        Await.until(
                node.name + " writes the note",
                SOON,
                () -> call(node, "POST", "\"" + words + "\"")
                        .path("note")
                        .asText()
                        .equals(words));
    }

    private static void awaitMembers(NodeUnderTest... members) {
        for (NodeUnderTest member : members) {
            Await.until(member.name + " sees everybody alive and a leader", SOON, () -> {
                JsonNode status = member.status();
                int alive = 0;
                for (JsonNode each : status.get("members")) {
                    alive += each.get("state").asText().equals("alive") ? 1 : 0;
                }
                return alive == members.length
                        && status.get("quorum").asBoolean()
                        && status.hasNonNull("leader")
                        && status.get("schema_level").asInt() > 0;
            });
        }
    }

    private static void awaitPage(String app, String text, NodeUnderTest... readers) {
        for (NodeUnderTest reader : readers) {
            Await.until(
                    reader.name + " serves " + app,
                    SOON,
                    () -> reader.get(app, "/").contains(text));
        }
    }

    @Test
    void itGoesOnAlone() throws Exception {
        NodeUnderTest node = earlier();
        assertThat(node.get("blog", "/")).as("an alias").contains("Kept since the first build");
        awaitNote("old words", node);
        assertThat(node.ok("swarm", "token").asText()).startsWith("fazt1-");
        JsonNode swarm = node.ok("swarm", "status");
        assertThat(swarm.at("/swarm/name").asText()).isEqualTo("mine");
        assertThat(swarm.get("members")).hasSize(1);
        assertThat(swarm.at("/members/0/id").asText()).doesNotStartWith("77aotnbg");
        assertThat(logIn(node, PASSWORD)).isEqualTo(200);
    }

    @Test
    void itIsTheFirstOfASwarm() throws Exception {
        NodeUnderTest earlier = earlier();
        NodeUnderTest fresh = node("fresh").start();
        fresh.join(earlier);
        awaitMembers(earlier, fresh);
        awaitPage("blog", "Kept since the first build", fresh, earlier);
        awaitNote("old words", fresh, earlier);
        assertThat(logIn(fresh, PASSWORD)).as("the owner's password").isEqualTo(200);

        write(fresh, "new words");
        awaitNote("new words", earlier, fresh);
        write(earlier, "newer words");
        awaitNote("newer words", fresh, earlier);
        Path site = Files.createDirectory(folder.resolve("note"));
        Files.writeString(site.resolve("index.html"), "<h1>A later release</h1>");
        fresh.ok("app", "deploy", site.toString(), "--name", "note");
        fresh.ok("alias", "set", "diary", "note");
        awaitPage("diary", "A later release", earlier, fresh);
        assertThat(earlier.ok("app", "releases", "note").get("releases")).hasSize(2);
        byte[] first = "{\"release\":\"01m8bvg97307nb1kkz5padxn3g\"}".getBytes(StandardCharsets.UTF_8);
        assertThat(earlier.rest("POST", "/api/apps/note/activate", "application/json", first)
                        .statusCode())
                .as("back to the release that the earlier one deployed")
                .isEqualTo(200);
        awaitPage("diary", "Kept since the first build", fresh, earlier);

        earlier.kill();
        earlier.start();
        awaitMembers(earlier, fresh);
        awaitNote("newer words", earlier, fresh);
        verified(earlier, fresh);
    }

    /** With all that it has, as any node; what is agreed is what the others agreed on, and so is the owner. */
    @Test
    void itJoinsASwarmOfOthers() throws Exception {
        NodeUnderTest first = node("first").start();
        NodeUnderTest second = node("second").start();
        second.join(first);
        first.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        first.ok("alias", "set", "shop", Ledger.NAME);
        NodeUnderTest earlier = earlier();
        awaitNote("old words", earlier);
        earlier.join(first);
        awaitMembers(first, second, earlier);
        Ledger.awaitServed(nodes, SOON);
        awaitPage("shop", "First release", earlier);
        awaitPage("note", "Kept since the first build", first, second, earlier);
        awaitNote("old words", first, second, earlier);
        write(second, "new words");
        awaitNote("new words", earlier, first);
        write(earlier, "newer words");
        awaitNote("newer words", second, first);
        for (NodeUnderTest node : nodes) {
            Ledger.put(node, "on-" + node.name);
        }
        Ledger.awaitSame(nodes, SOON);
        assertThat(earlier.get(Ledger.NAME, "/api/all")).contains("\"total\":3");
        for (NodeUnderTest node : nodes) {
            assertThat(logIn(node, first.password())).as(node.name).isEqualTo(200);
            assertThat(logIn(node, PASSWORD)).as(node.name).isEqualTo(401);
        }
        earlier.ok("alias", "set", "blog", "note");
        awaitPage("blog", "Kept since the first build", first, second);
        verified(first, second, earlier);
    }

    private static void verified(NodeUnderTest... all) throws Exception {
        for (NodeUnderTest node : all) {
            Await.until(
                    node.name + " finds all rows the same",
                    SOON,
                    () -> node.fazt("swarm", "verify").code() == 0);
            assertThat(FaultyMachine.isWhole(node)).isTrue();
        }
    }
}
