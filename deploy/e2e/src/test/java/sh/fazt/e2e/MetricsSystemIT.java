package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** What a node's metrics say of a peer, against what is. */
class MetricsSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int WRITTEN = 25;

    private final List<NodeUnderTest> nodes = new ArrayList<>();

    @BeforeEach
    void start(@TempDir Path folder) throws Exception {
        for (String name : List.of("home", "phone")) {
            NodeUnderTest node =
                    new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
            nodes.add(node);
            node.start();
        }
        nodes.get(1).join(nodes.get(0));
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    /** A metric of a peer, as whoever scrapes reads it. */
    private static double peer(NodeUnderTest node, String metric, String peer) throws Exception {
        return node.metrics()
                .lines()
                .filter(line -> line.startsWith(metric + "{") && line.contains("\"" + peer + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(metric + " of " + peer + " is not told"));
    }

    private static void online(NodeUnderTest node, boolean online) throws Exception {
        assertThat(node.rest(
                                "PUT",
                                "/api/swarm/links",
                                "application/json",
                                ("{\"online\":" + online + "}").getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void whatIsToldOfAPeerIsTrue() throws Exception {
        NodeUnderTest home = nodes.get(0);
        NodeUnderTest phone = nodes.get(1);
        home.ok("app", "deploy", Path.of("src/test/resources/notes").toString(), "--name", "notes");
        Await.until(
                "the phone serves the app",
                SOON,
                () -> phone.ask("notes", "GET", "/api/notes", "").statusCode() == 200);
        Await.until(
                "both have all",
                SOON,
                () -> peer(home, "fazt_peer_behind_changes", "phone") == 0
                        && peer(phone, "fazt_peer_ahead_changes", "home") == 0);
        assertThat(peer(home, "fazt_peer_up", "phone")).isEqualTo(1);
        assertThat(peer(home, "fazt_peer_rtt_seconds", "phone")).isBetween(0.00001, 5.0);
        assertThat(Math.abs(peer(home, "fazt_peer_clock_offset_seconds", "phone")))
                .as("one machine, one clock")
                .isLessThan(1);

        online(phone, false);
        Await.until("the link is down", SOON, () -> peer(home, "fazt_peer_up", "phone") == 0);
        double pushed = peer(home, "fazt_peer_pushed_total", "phone");
        double pulled = peer(phone, "fazt_peer_pulls_total", "home");
        long first = System.nanoTime();
        long acknowledged = first;
        for (int i = 0; i < WRITTEN; i++) {
            assertThat(home.ask("notes", "POST", "/api/notes", "{\"title\":\"n" + i + "\"}")
                            .statusCode())
                    .isBetween(200, 299);
            if (i == 0) {
                acknowledged = System.nanoTime();
            }
        }
        // Rows are counted now and then only.
        Await.until(
                "it is told what the phone lacks", SOON, () -> peer(home, "fazt_peer_behind_rows", "phone") >= WRITTEN);
        assertThat(peer(home, "fazt_peer_behind_rows", "phone")).isEqualTo(WRITTEN);
        assertThat(peer(home, "fazt_peer_behind_changes", "phone"))
                .as("each is a change")
                .isEqualTo(WRITTEN);
        assertThat(peer(home, "fazt_peer_behind_bytes", "phone")).isBetween(WRITTEN * 10.0, WRITTEN * 2000.0);
        Await.until(
                "the oldest of them is some seconds old",
                SOON,
                () -> peer(home, "fazt_peer_oldest_unsent_seconds", "phone") > 3);
        double atLeast = (System.nanoTime() - acknowledged) / 1e9 - 1;
        double oldest = peer(home, "fazt_peer_oldest_unsent_seconds", "phone");
        assertThat(oldest).isBetween(atLeast, (System.nanoTime() - first) / 1e9 + 1);
        assertThat(peer(home, "fazt_peer_pushed_total", "phone"))
                .as("nothing goes over a link that is down")
                .isEqualTo(pushed);

        online(phone, true);
        Await.until(
                "the phone has all",
                SOON,
                () -> peer(home, "fazt_peer_behind_changes", "phone") == 0
                        && peer(home, "fazt_peer_behind_rows", "phone") == 0
                        && peer(home, "fazt_peer_oldest_unsent_seconds", "phone") == 0);
        assertThat(phone.ask("notes", "GET", "/api/notes", "").body()).contains("\"count\":" + WRITTEN);
        assertThat(peer(phone, "fazt_peer_pulls_total", "home"))
                .as("what it lacked was pulled")
                .isGreaterThan(pulled);
        assertThat(peer(home, "fazt_peer_offences_total", "phone")).isZero();
        assertThat(peer(home, "fazt_peer_forged_total", "phone")).isZero();
    }
}
