package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

        b.stop();
        assertThat(ask(a, "PUT", "/api/notes?id=" + id, "{'title':'of a','stars':2}")
                        .get("changed")
                        .asInt())
                .isEqualTo(1);
        a.stop();
        b.start();
        ask(b, "PUT", "/api/notes?id=" + id, "{'text':'of b','$inc':{'stars':4}}");
        a.start();
        Await.until(
                "both have what both wrote",
                SOON,
                () -> note(a, id).equals("of a of b 5") && note(b, id).equals("of a of b 5"));
        Await.until("the other number is a conflict", SOON, () -> {
            JsonNode conflicts = a.ok("swarm", "conflicts").get("conflicts");
            return conflicts.size() == 1
                    && conflicts.get(0).get("table").asText().equals("document/stars")
                    && conflicts.toString().contains(id);
        });
        a.ok(
                "swarm",
                "conflicts",
                "restore",
                a.ok("swarm", "conflicts").get("conflicts").get(0).get("id").asText());
        Await.until(
                "both have the restored one",
                SOON,
                () -> note(a, id).equals("of a of b 2") && note(b, id).equals("of a of b 2"));
        assertThat(ask(b, "GET", "/api/notes", "").get("notes")).hasSize(1);
    }
}
