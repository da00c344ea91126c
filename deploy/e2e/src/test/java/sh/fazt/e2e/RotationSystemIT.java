package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** A process gets a new key while it serves; the old one, which somebody copied, is worth nothing after that. */
class RotationSystemIT {
    private static final Duration SOON = Duration.ofSeconds(90);

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();

    private NodeUnderTest start(String name) throws Exception {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
        nodes.add(node);
        return node.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private static String id(NodeUnderTest seenBy, String name) throws Exception {
        for (JsonNode member : seenBy.status().get("members")) {
            if (member.get("name").asText().equals(name)) {
                return member.get("id").asText();
            }
        }
        return "";
    }

    @Test
    void aNodeGetsANewKeyWhileItServesAndACopyOfTheOldOneIsShutOut() throws Exception {
        NodeUnderTest home = start("home");
        NodeUnderTest office = start("office");
        NodeUnderTest phone = start("phone");
        office.join(home);
        phone.join(home);
        home.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(List.of(home, office, phone), SOON);
        Ledger.put(phone, "before");
        Ledger.awaitSame(List.of(home, office, phone), SOON);
        phone.ok("server", "backup", folder.resolve("thief.db").toString());
        Files.copy(folder.resolve("phone.db.key"), folder.resolve("thief.db.key"));
        String before = id(home, "phone");
        String open = home.ok("swarm", "token").asText();
        long process = phone.pid();

        JsonNode key = phone.ok("swarm", "rotate-key");
        assertThat(key.get("before").asText()).isEqualTo(before);
        String after = key.get("id").asText();
        assertThat(after).isNotEqualTo(before);
        assertThat(phone.isAlive()).isTrue();
        assertThat(phone.pid()).isEqualTo(process);
        Await.until(
                "the others see the same name with the new id",
                SOON,
                () -> id(home, "phone").equals(after) && id(office, "phone").equals(after));
        Ledger.awaitServed(List.of(phone), SOON);
        Ledger.put(phone, "after");
        Ledger.put(home, "too");
        Ledger.awaitSame(List.of(home, office, phone), SOON);
        assertThat(Ledger.keys(home)).isEqualTo(new TreeSet<>(Set.of("before", "after", "too")));

        NodeUnderTest thief = start("thief");
        Await.until(
                "the thief is told",
                SOON,
                () -> thief.status().get("evicted").asText().contains("old key of phone"));
        Ledger.put(thief, "stolen");
        Ledger.put(home, "secret");
        Ledger.awaitSame(List.of(home, office, phone), SOON);
        assertThat(Ledger.keys(home)).contains("secret").doesNotContain("stolen");
        assertThat(Ledger.keys(thief)).doesNotContain("secret");
        NodeUnderTest.Run join = start("fresh").fazt("swarm", "join", open);
        assertThat(join.code()).isEqualTo(1);
        assertThat(join.err()).contains("no such token");

        phone.kill();
        phone.start();
        assertThat(phone.ok("swarm", "status").get("self").get("id").asText()).isEqualTo(after);
        Ledger.awaitServed(List.of(phone), SOON);
        Ledger.put(phone, "last");
        Ledger.awaitSame(List.of(home, office, phone), SOON);

        home.stop();
        office.stop();
        Await.until(
                "the quorum is gone", SOON, () -> !phone.status().get("quorum").asBoolean());
        NodeUnderTest.Run refused = phone.fazt("swarm", "rotate-key");
        assertThat(refused.err())
                .contains("can't change the key of phone without a quorum", "stay as they are until a majority is back")
                .doesNotContain("\tat ");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.out()).as("results only on stdout").isEmpty();
        assertThat(folder.resolve("phone.db.key.next")).doesNotExist();
        assertThat(phone.ok("swarm", "status").get("self").get("id").asText()).isEqualTo(after);
    }
}
