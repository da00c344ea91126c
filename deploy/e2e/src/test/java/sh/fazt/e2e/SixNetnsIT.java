package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.RunFile;
import sh.fazt.identity.JoinToken;
import sh.fazt.testkit.Await;

/** A network that has IPv6 and nothing else: nodes on one address each, and one on all that it has. */
class SixNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(40);

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private String homeAddress;
    private NodeUnderTest home;

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        // Interfaces are called otherwise elsewhere: a name must not travel with an address.
        homeAddress = network.addSix("home", "lan7");
        home = start("home", "::");
        home.ok("swarm", "init", "--name", "six");
    }

    private NodeUnderTest start(String name, String bind) throws Exception {
        NodeUnderTest node =
                new NodeUnderTest(folder, name, network.enter(name), List.of("--bind", bind, "--port", "8080")).start();
        nodes.add(node);
        return node;
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        network.close();
    }

    private static void put(NodeUnderTest node, String key) throws Exception {
        var answer = node.ask("ledger", "POST", "/api/put", "{\"key\":\"" + key + "\",\"value\":1}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    }

    private void awaitAlive() {
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " sees all of them and a leader", SOON, () -> {
                JsonNode status = node.ok("swarm", "status");
                int alive = 0;
                for (JsonNode member : status.get("members")) {
                    alive += member.get("state").asText().equals("alive") ? 1 : 0;
                }
                return alive == nodes.size() && status.get("quorum").asBoolean() && status.hasNonNull("leader");
            });
        }
    }

    private static String bracketed(String address, int port) throws Exception {
        return "[" + InetAddress.getByName(address).getHostAddress() + "]:" + port;
    }

    @Test
    void aSwarmJoinsReplicatesAndComesBackWithoutAnyIpv4() throws Exception {
        String token = home.ok("swarm", "token").asText();
        assertThat(JoinToken.parse(token).addresses())
                .as("of a node that listens everywhere")
                .contains(bracketed(homeAddress, 5698))
                .allMatch(address -> address.startsWith("[") && !address.contains("%"), "an address of no interface");
        String officeAddress = network.addSix("office", "eth0");
        NodeUnderTest office = start("office", officeAddress);
        assertThat(RunFile.read(office.cartridge).orElseThrow().http())
                .as("the command finds it in brackets")
                .isEqualTo("[" + officeAddress + "]:8080");
        office.ok("swarm", "join", token);

        NodeUnderTest phone = start("phone", network.addSix("phone", "wlan0"));
        String words = office.ok("swarm", "token", "--words").asText();
        JsonNode joined = phone.ok("swarm", "join", words);
        assertThat(joined.get("members")).hasSize(3);
        awaitAlive();
        for (NodeUnderTest node : nodes) {
            for (JsonNode member : node.ok("swarm", "status").get("members")) {
                assertThat(member.get("address").asText())
                        .as(node.name + " of " + member.get("name"))
                        .matches("\\[[0-9a-f:]+\\]:5698");
            }
            for (JsonNode link : node.ok("swarm", "link", "list").get("links")) {
                assertThat(link.get("up").asBoolean()).isTrue();
                assertThat(link.get("address").asText()).matches("\\[[0-9a-f:]+\\]:[0-9]+");
            }
        }

        office.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
        Await.until(
                "the app is on home",
                SOON,
                () -> page(bracketed(homeAddress, 8080)).contains("First release"));
        Await.until("the app is on phone", SOON, () -> phone.get("ledger", "/").contains("First release"));
        put(office, "on-office");
        put(phone, "on-phone");
        awaitKeys(office, "on-office", "on-phone");
        awaitKeys(phone, "on-office", "on-phone");

        // What others know of where it is has to do, and what it kept of them.
        home.kill();
        put(phone, "while-home-was-away");
        home.start();
        awaitAlive();
        Await.until(
                "home has the same", SOON, () -> phone.fazt("swarm", "verify").code() == 0);
        Await.until("nodes of one network find each other", SOON, () -> {
            JsonNode found = phone.ok("swarm", "discover").get("nodes");
            return found.size() == 2;
        });
        for (JsonNode found : phone.ok("swarm", "discover").get("nodes")) {
            assertThat(found.get("address").asText()).matches("\\[[0-9a-f:]+(%[a-z0-9]+)?\\]:5698");
        }
    }

    private static void awaitKeys(NodeUnderTest node, String... keys) {
        Await.until(List.of(keys) + " on " + node.name, SOON, () -> {
            String all = node.get("ledger", "/api/all");
            return Stream.of(keys).allMatch(key -> all.contains("entry/" + key));
        });
    }

    /** The app's page as somebody gets it who dials an address of the node. */
    private static String page(String at) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + at + "/"))
                .header("Host", "ledger.localhost")
                .timeout(Duration.ofSeconds(10))
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
