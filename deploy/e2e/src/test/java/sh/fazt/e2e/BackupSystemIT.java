package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** A process is backed up while it runs and restored while it does not; the mistakes of a swarm of one. */
class BackupSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private NodeUnderTest node;

    @BeforeEach
    void start() throws Exception {
        node = new NodeUnderTest(folder, "a", List.of(), List.of("--port", "0", "--swarm-port", "0")).start();
        node.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        awaitServed();
    }

    @AfterEach
    void stop() throws Exception {
        node.close();
    }

    private void awaitServed() {
        Await.until(
                "it serves",
                SOON,
                () -> node.ask(Ledger.NAME, "GET", "/api/all", "").statusCode() == 200);
    }

    private void refused(String message, String... words) throws Exception {
        NodeUnderTest.Run run = node.fazt(words);
        assertThat(run.err()).as(String.join(" ", words)).contains(message).doesNotContain("\tat ");
        assertThat(run.code()).as(String.join(" ", words)).isEqualTo(1);
        assertThat(run.out()).as("results only on stdout").isEmpty();
    }

    @Test
    void aBackupIsTakenWhileItRunsAndRestoredWhileItDoesNot() throws Exception {
        String backup = folder.resolve("backup.db").toString();
        Ledger.put(node, "before");
        assertThat(node.ok("server", "backup", backup).get("bytes").asLong()).isEqualTo(Files.size(Path.of(backup)));
        refused("never overwrites", "server", "backup", backup);
        refused(
                "there is no folder",
                "server",
                "backup",
                folder.resolve("none/backup.db").toString());
        Ledger.put(node, "after");
        assertThat(node.api("/api/system/health").toString()).doesNotContain("another file");

        refused("is in use by process " + node.pid(), "server", "restore", backup);
        assertThat(Ledger.keys(node)).containsExactlyInAnyOrder("before", "after");
        // What an impatient owner does instead.
        Path aside = folder.resolve("aside.db");
        Files.move(node.cartridge, aside);
        Files.copy(Path.of(backup), node.cartridge);
        var lost = node.ask(Ledger.NAME, "POST", "/api/put", "{\"key\":\"lost\",\"value\":1}");
        assertThat(lost.statusCode()).as(lost.body()).isEqualTo(507);
        assertThat(node.api("/api/system/health").toString()).contains("another file was put in the place");
        assertThat(node.get(Ledger.NAME, "/")).as("it goes on serving").contains("First release");
        Files.delete(node.cartridge);
        Files.move(aside, node.cartridge);
        Ledger.put(node, "last");

        node.stop();
        refused(
                "no cartridge",
                "server",
                "restore",
                Ledger.FOLDER.resolve("index.html").toString());
        String replaced = node.ok("server", "restore", backup).get("replaced").asText();
        node.start();
        awaitServed();
        assertThat(Ledger.keys(node)).containsExactly("before");
        assertThat(node.get(Ledger.NAME, "/")).contains("First release");
        node.stop();
        node.ok("server", "restore", replaced);
        node.start();
        awaitServed();
        assertThat(Ledger.keys(node)).containsExactlyInAnyOrder("before", "after", "last");
    }

    @Test
    void whatWouldLeaveASwarmOfOneWithoutAnythingIsRefused() throws Exception {
        String self = node.ok("swarm", "status").get("self").get("name").asText();
        refused("nothing would pass any more", "swarm", "link", "set", "default", "budget", "0");
        refused("it is the last voter", "swarm", "demote", self);
        refused("it is a voter already", "swarm", "promote", self);
        refused("\"fazt swarm leave\"", "swarm", "evict", self);
        assertThat(node.ok("swarm", "status").get("quorum").asBoolean()).isTrue();
        assertThat(node.ok("swarm", "status").get("members")).hasSize(1);
    }
}
