package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Processes on this machine: a stolen phone, and a copied cartridge. */
class EvictionSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();

    private NodeUnderTest node(String name) {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
        nodes.add(node);
        return node;
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private static void join(NodeUnderTest node, NodeUnderTest issuer) throws Exception {
        node.ok("swarm", "join", issuer.ok("swarm", "token").asText());
    }

    private static void awaitMembers(int count, NodeUnderTest... nodes) {
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " sees " + count + " alive members", SOON, () -> {
                JsonNode status = node.ok("swarm", "status");
                long alive = 0;
                for (JsonNode member : status.get("members")) {
                    alive += member.get("state").asText().equals("alive") ? 1 : 0;
                }
                return alive == count
                        && status.get("members").size() == count
                        && status.get("quorum").asBoolean();
            });
        }
    }

    private static void refused(NodeUnderTest node, String message, String... words) throws Exception {
        NodeUnderTest.Run run = node.fazt(words);
        assertThat(run.err()).as(String.join(" ", words)).contains(message).doesNotContain("\tat ");
        assertThat(run.code()).as(String.join(" ", words)).isEqualTo(1);
        assertThat(run.out()).as("results only on stdout").isEmpty();
    }

    private static String page(Path folder, String text) throws Exception {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("index.html"), text);
        return folder.toString();
    }

    private static void awaitPage(String app, String text, NodeUnderTest... nodes) {
        for (NodeUnderTest node : nodes) {
            Await.until(
                    node.name + " serves " + text,
                    SOON,
                    () -> node.get(app, "/").equals(text));
        }
    }

    @Test
    void aStolenPhoneIsShutOutAndItsCartridgeComesBackAsAnother() throws Exception {
        NodeUnderTest home = node("home").start();
        NodeUnderTest office = node("office").start();
        NodeUnderTest phone = node("phone").start();
        join(office, home);
        join(phone, home);
        awaitMembers(3, home, office, phone);
        phone.ok("app", "deploy", page(folder.resolve("v1"), "before"), "--name", "notes");
        awaitPage("notes", "before", home, office);
        String open = phone.ok("swarm", "token").asText();

        refused(home, "no member \"fridge\"", "swarm", "evict", "fridge");
        refused(home, "can't evict itself", "swarm", "evict", "home");
        assertThat(office.ok("swarm", "evict", "phone").get("members")).hasSize(2);
        awaitMembers(2, home, office);
        refused(home, "evicted already", "swarm", "evict", "phone");

        Await.until(
                "the phone is told",
                SOON,
                () -> phone.ok("swarm", "status").get("evicted").asText().contains("fazt swarm clone"));
        assertThat(phone.ok("server", "status").toString()).contains("was evicted");
        phone.ok("app", "deploy", page(folder.resolve("v2"), "stolen"), "--name", "notes");
        home.ok("app", "deploy", page(folder.resolve("v3"), "secret"), "--name", "diary");
        awaitPage("diary", "secret", home, office);
        assertThat(phone.ok("app", "list").toString()).doesNotContain("diary");
        assertThat(home.get("notes", "/")).isEqualTo("before");

        refused(phone, "in use by process " + phone.pid(), "swarm", "clone");
        phone.ok("swarm", "leave", "--force");
        refused(phone, "was evicted", "swarm", "join", home.ok("swarm", "token").asText());
        phone.stop();
        String old = home.ok("swarm", "status").get("self").get("id").asText();
        String made = phone.ok("swarm", "clone").get("node").asText();
        assertThat(made).isNotEqualTo(old).hasSize(52);
        phone.start();
        assertThat(phone.ok("swarm", "status").get("self").get("id").asText()).isEqualTo(made);
        refused(phone, "no such token", "swarm", "join", open);
        join(phone, home);
        awaitMembers(3, home, office, phone);
        awaitPage("notes", "before", home, office, phone);
        awaitPage("diary", "secret", phone);
    }

    @Test
    void ofTwoProcessesWithOneKeyTheLaterOneStops() throws Exception {
        NodeUnderTest home = node("home").start();
        NodeUnderTest office = node("office").start();
        join(office, home);
        awaitMembers(2, home, office);
        office.stop();
        NodeUnderTest copy = node("copy");
        for (String suffix : List.of("", ".key")) {
            Files.copy(Path.of(office.cartridge + suffix), Path.of(copy.cartridge + suffix));
        }
        office.start();
        awaitMembers(2, home, office);
        copy.start();
        Await.until("the copy stops", SOON, () -> !copy.isAlive());
        assertThat(copy.exitCode()).isEqualTo(1);
        assertThat(copy.log())
                .content()
                .contains("fazt: node ", "runs twice", "at " + office.swarmAddress(), "fazt swarm clone --db")
                .doesNotContain("\tat ");
        awaitMembers(2, home, office);

        copy.ok("swarm", "clone");
        copy.start();
        assertThat(copy.ok("swarm", "status").get("members")).hasSize(1);
        join(copy, home);
        awaitMembers(3, home, office, copy);
    }
}
