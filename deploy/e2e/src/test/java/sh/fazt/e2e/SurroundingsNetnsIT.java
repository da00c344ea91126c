package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.testkit.Await;

/** Processes that find each other by multicast DNS, and one behind a router: Debian's miniupnpd. */
class SurroundingsNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(40);
    private static final List<String> EVERYWHERE = List.of("--bind", "0.0.0.0");

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final List<Process> others = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        for (Process other : others) {
            other.destroyForcibly();
            other.waitFor();
        }
        network.close();
    }

    private NodeUnderTest node(String name, List<String> flags) throws Exception {
        NodeUnderTest node = new NodeUnderTest(folder, name, network.enter(name), flags);
        nodes.add(node);
        return node.start();
    }

    /** What a node says of another, or nothing. */
    private static JsonNode neighbour(NodeUnderTest node, String name) throws Exception {
        for (JsonNode one : node.ok("swarm", "discover").get("nodes")) {
            if (one.get("name").asText().equals(name)) {
                return one;
            }
        }
        return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    }

    private static boolean linked(NodeUnderTest node, String name) throws Exception {
        for (JsonNode member : node.ok("swarm", "status").get("members")) {
            if (member.get("name").asText().equals(name)) {
                return member.get("state").asText().equals("alive") && member.hasNonNull("rtt_ms");
            }
        }
        return false;
    }

    @Test
    void nodesFindEachOtherWhereverTheyMoveOnTheirNetwork() throws Exception {
        network.add("a");
        network.add("b");
        NodeUnderTest a = node("a", EVERYWHERE);
        String token = a.ok("swarm", "token", "--words").asText();
        String moved = network.move("a", 50);
        NodeUnderTest b = node("b", List.of());
        Await.until(
                "b, which nobody can call, hears of a",
                SOON,
                () -> neighbour(b, "a").path("address").asText().startsWith(moved + ":"));
        assertThat(neighbour(b, "a").get("member").asBoolean()).isFalse();
        b.ok("swarm", "join", token);
        assertThat(neighbour(b, "a").get("member").asBoolean()).isTrue();
        assertThat(neighbour(a, "b").isMissingNode())
                .as("b listens on loopback: not announced")
                .isTrue();
        b.stop();

        NodeUnderTest again = new NodeUnderTest(folder, "b", network.enter("b"), EVERYWHERE);
        nodes.add(again);
        again.start();
        Await.until("a hears of b", SOON, () -> neighbour(a, "b").path("member").asBoolean());
        assertThat(neighbour(a, "b").get("swarm"))
                .isEqualTo(neighbour(again, "a").get("swarm"));
        Await.until("linked", SOON, () -> linked(a, "b") && linked(again, "a"));
        network.move("a", 60);
        network.move("b", 61);
        Await.until("not linked", SOON, () -> !linked(a, "b") && !linked(again, "a"));
        Await.until("linked where nobody was before", SOON, () -> linked(a, "b") && linked(again, "a"));

        again.ok("config", "set", "discovery", "off");
        again.stop();
        again.start();
        Await.until("a has heard its good-bye", SOON, () -> neighbour(a, "b").isMissingNode());
        NodeUnderTest.Run off = again.fazt("swarm", "discover");
        assertThat(off.err()).contains("discovery is off").contains("config set discovery on");
        assertThat(off.code()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PCP", "UPnP"})
    void aRouterLetsTheWorldIn(String protocol) throws Exception {
        for (String name : List.of("home", "router", "world")) {
            network.add(name);
        }
        network.route("home", "router", "1.2.3.7", "world", "1.2.3.9");
        Path settings = folder.resolve("miniupnpd.conf");
        Files.writeString(
                settings,
                String.join(
                        "\n",
                        "ext_ifname=wan0",
                        "listening_ip=eth0",
                        "port=0",
                        "enable_natpmp=" + (protocol.equals("PCP") ? "yes" : "no"),
                        "enable_upnp=" + (protocol.equals("UPnP") ? "yes" : "no"),
                        "secure_mode=yes",
                        "upnp_forward_chain=let_in",
                        "upnp_nat_chain=redirected",
                        "upnp_nat_postrouting_chain=answered",
                        "uuid=0a53f28d-3161-48da-84fd-d5f24c1faffb",
                        "min_lifetime=10",
                        "max_lifetime=20",
                        "allow 1024-65535 0.0.0.0/0 1024-65535",
                        ""));
        List<String> miniupnpd = new ArrayList<>(network.enter("router"));
        miniupnpd.addAll(List.of(
                "/usr/sbin/miniupnpd",
                "-d",
                "-f",
                settings.toString(),
                "-P",
                folder.resolve("pid").toString()));
        others.add(new ProcessBuilder(miniupnpd)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("miniupnpd.log").toFile())
                .start());
        NodeUnderTest home = node("home", EVERYWHERE);
        Await.until(
                "the router lets the world in",
                SOON,
                () -> home.ok("swarm", "discover")
                        .at("/port_mapping/address")
                        .asText()
                        .equals("1.2.3.7:5698"));
        assertThat(home.ok("swarm", "discover").at("/port_mapping/protocol").asText())
                .isEqualTo(protocol);
        assertThat(network.rules("router")).contains("5698");

        NodeUnderTest world = node("world", List.of());
        world.ok("swarm", "join", home.ok("swarm", "token").asText());
        Await.until("both are members", SOON, () -> linked(home, "world") && linked(world, "home"));
        if (protocol.equals("PCP")) {
            // Its router grants 20 seconds; after that the port is open because it was asked for again.
            long granted = System.nanoTime();
            Await.until("a lease and a half", SOON, () -> System.nanoTime() - granted > TimeUnit.SECONDS.toNanos(30));
            assertThat(network.rules("router")).contains("5698");
        }
        home.stop();
        assertThat(network.rules("router")).as("given back").doesNotContain("5698");
    }
}
