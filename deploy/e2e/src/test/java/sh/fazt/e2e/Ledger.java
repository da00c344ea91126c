package sh.fazt.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import sh.fazt.testkit.Await;

/** What tests do with the app of that name, and with the swarm that it runs on. */
final class Ledger {
    static final String NAME = "ledger";
    static final Path FOLDER = Path.of("src/test/resources/ledger");
    private static final Pattern KEY = Pattern.compile("\"entry/([^\"]+)\"");

    private Ledger() {}

    /** Writes one entry, which is acknowledged when this returns. */
    static void put(NodeUnderTest node, String key) throws Exception {
        HttpResponse<String> answer =
                node.ask(NAME, "POST", "/api/put", "{\"key\":\"" + key + "\",\"value\":\"" + node.name + "\"}");
        if (answer.statusCode() != 201) {
            throw new IllegalStateException(node.name + " answered " + answer.statusCode() + ": " + answer.body());
        }
    }

    static Set<String> keys(NodeUnderTest node) throws Exception {
        Set<String> keys = new TreeSet<>();
        var matcher = KEY.matcher(node.get(NAME, "/api/all"));
        while (matcher.find()) {
            keys.add(matcher.group(1));
        }
        return keys;
    }

    static void awaitServed(List<NodeUnderTest> nodes, Duration patience) {
        for (NodeUnderTest node : nodes) {
            Await.until(
                    node.name + " serves the app",
                    patience,
                    () -> node.ask(NAME, "GET", "/api/all", "").statusCode() == 200);
        }
    }

    static void awaitSame(List<NodeUnderTest> nodes, Duration patience) {
        Await.until("all have the same", patience, () -> {
            String first = nodes.get(0).get(NAME, "/api/all");
            for (NodeUnderTest node : nodes) {
                if (!node.get(NAME, "/api/all").equals(first)) {
                    return false;
                }
            }
            return first.contains("\"total\"");
        });
    }

    /** The state of a member as a node sees it; empty for one that it does not know. */
    static String state(NodeUnderTest node, String member) throws Exception {
        for (JsonNode one : node.api("/api/swarm/status").get("members")) {
            if (one.get("name").asText().equals(member)) {
                return one.get("state").asText();
            }
        }
        return "";
    }

    static void awaitAlive(List<NodeUnderTest> nodes, Duration patience) {
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " sees everybody alive, a leader and a quorum", patience, () -> {
                JsonNode status = node.api("/api/swarm/status");
                long alive = 0;
                for (JsonNode member : status.get("members")) {
                    alive += member.get("state").asText().equals("alive") ? 1 : 0;
                }
                return alive == nodes.size() && status.get("quorum").asBoolean() && status.hasNonNull("leader");
            });
        }
    }

    /** The class of the link to a member, or empty while there is none. */
    static String link(NodeUnderTest node, String member) throws Exception {
        for (JsonNode link : node.api("/api/swarm/links").get("links")) {
            if (link.get("name").asText().equals(member) && link.get("up").asBoolean()) {
                return link.get("class").asText();
            }
        }
        return "";
    }
}
