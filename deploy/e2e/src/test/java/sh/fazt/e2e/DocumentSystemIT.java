package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Documents of an app on two nodes, of which one is down while the other writes. */
class DocumentSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<NodeUnderTest> nodes = new ArrayList<>();

    @BeforeEach
    void start(@TempDir Path folder) throws Exception {
        for (String name : List.of("a", "b")) {
            NodeUnderTest node =
                    new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
            nodes.add(node);
            node.start();
        }
        nodes.get(1).join(nodes.get(0));
        nodes.get(0).ok("app", "deploy", Path.of("src/test/resources/notes").toString(), "--name", "notes");
        for (NodeUnderTest node : nodes) {
            Await.until(
                    node.name + " serves the app",
                    SOON,
                    () -> node.ask("notes", "GET", "/api/notes", "").statusCode() == 200);
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private static JsonNode ask(NodeUnderTest node, String method, String path, String body) throws Exception {
        HttpResponse<String> answer = node.ask("notes", method, path, body.replace('\'', '"'));
        assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 299);
        return JSON.readTree(answer.body());
    }

    private static String note(NodeUnderTest node, String id) throws Exception {
        JsonNode note = ask(node, "GET", "/api/notes?id=" + id, "");
        return note.path("title").asText() + " " + note.path("text").asText() + " " + note.path("stars");
    }

    @Test
    void bothSidesOfASplitKeepTheirFields() throws Exception {
        NodeUnderTest a = nodes.get(0);
        NodeUnderTest b = nodes.get(1);
        String id = ask(a, "POST", "/api/notes", "{'title':'t','text':'x','stars':1,'id':5}")
                .get("id")
                .asText();
        ask(a, "POST", "/api/notes", "{'title':'other','tag':'old'}");
        Await.until(
                "b has both",
                SOON,
                () -> ask(b, "GET", "/api/notes", "").get("count").asInt() == 2);
        assertThat(ask(b, "DELETE", "/api/notes?tag=old", "").get("deleted").asInt())
                .isEqualTo(1);
        assertThat(ask(b, "DELETE", "/api/notes", "").get("deleted").asInt())
                .as("no tag is not every tag")
                .isZero();
        Await.until(
                "a knows",
                SOON,
                () -> ask(a, "GET", "/api/notes", "").get("count").asInt() == 1);
        HttpResponse<String> bad = b.ask("notes", "GET", "/api/bad", "");
        assertThat(bad.statusCode()).isEqualTo(500);
        assertThat(bad.body()).contains("unknown operator: $like");

        Path events = a.cartridge.resolveSibling("events.txt");
        Process following = a.begin(events, "swarm", "events", "--follow", "--format", "table");
        Await.until("what happened so far", SOON, () -> Files.readString(events).contains("  member-up  b answers"));
        b.stop();
        Await.until(
                "what happens meanwhile",
                SOON,
                () -> Files.readString(events)
                        .contains("  link-down  b is not linked any more (the node is stopping)"));
        assertThat(ask(a, "PUT", "/api/notes?id=" + id, "{'title':'of a','stars':2}")
                        .get("changed")
                        .asInt())
                .isEqualTo(1);
        assertThat(following.isAlive()).isTrue();
        a.stop();
        assertThat(following.waitFor(20, TimeUnit.SECONDS))
                .as("there is nobody to follow any more")
                .isTrue();
        assertThat(following.exitValue()).isEqualTo(1);
        assertThat(events)
                .content()
                .contains("no node is running on " + a.cartridge)
                .doesNotContain("\tat ");
        b.start();
        ask(b, "PUT", "/api/notes?id=" + id, "{'text':'of b','$inc':{'stars':4}}");
        a.start();
        Await.until(
                "both have what both wrote",
                SOON,
                () -> note(a, id).equals("of a of b 5") && note(b, id).equals("of a of b 5"));
        Await.until("the other number is a conflict", SOON, () -> {
            JsonNode conflicts = a.look("/api/swarm/conflicts").get("conflicts");
            return conflicts.size() == 1
                    && conflicts.get(0).get("table").asText().equals("document/stars")
                    && conflicts.toString().contains(id);
        });
        String lost =
                a.ok("swarm", "conflicts").get("conflicts").get(0).get("id").asText();
        NodeUnderTest.Run shown = b.fazt("swarm", "conflicts", "show", lost, "--format", "table");
        assertThat(shown.code()).isZero();
        assertThat(shown.out())
                .contains("conflict " + lost + " of document/stars", id, "in notes", "PRESENT", "LOST")
                .containsPattern("by +b +a")
                .containsPattern("row +there +there")
                .containsPattern("stars +5 +2");
        String overwritten = a.ok("swarm", "conflicts", "restore", lost)
                .get("overwritten")
                .get("id")
                .asText();
        Await.until(
                "both have the restored one",
                SOON,
                () -> note(a, id).equals("of a of b 2") && note(b, id).equals("of a of b 2"));
        assertThat(ask(b, "GET", "/api/notes", "").get("notes")).hasSize(1);
        whatIsDismissedIsOffTheListEverywhere(a, b, overwritten);
    }

    private static void whatIsDismissedIsOffTheListEverywhere(NodeUnderTest a, NodeUnderTest b, String id)
            throws Exception {
        Await.until(
                "b has it on its list",
                SOON,
                () -> b.look("/api/swarm/conflicts").get("conflicts").toString().contains(id));
        NodeUnderTest.Run dismissed = b.fazt("swarm", "conflicts", "dismiss", id, "--format", "table");
        assertThat(dismissed.code()).isZero();
        assertThat(dismissed.out().strip()).isEqualTo("dismissed conflict " + id + " on every node");
        for (NodeUnderTest node : List.of(a, b)) {
            Await.until(
                    "nothing is left on " + node.name,
                    SOON,
                    () -> node.look("/api/swarm/conflicts").get("total").asInt() == 0);
        }
        assertThat(a.ok("swarm", "conflicts", "dismiss", id).get("dismissed").asBoolean())
                .as("twice is not wrong")
                .isFalse();
        assertThat(a.ok("swarm", "conflicts", "show", id).get("settled").asBoolean())
                .isTrue();
        NodeUnderTest.Run nothing = a.fazt("swarm", "conflicts", "show", "nothing");
        assertThat(nothing.code()).isEqualTo(1);
        assertThat(nothing.err()).contains("nothing").doesNotContain("\tat ");
    }
}
