package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Processes on machines with bad luck: a full disk, an old copy put back, a clock that is two years ahead. */
class FaultyMachineIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");
    private static final long AHEAD_DAYS = 730;

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final FaultyMachine machine = new FaultyMachine();

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        machine.close();
    }

    private NodeUnderTest node(Path where, String name) {
        NodeUnderTest node = new NodeUnderTest(where, name, List.of(), FREE);
        nodes.add(node);
        return node;
    }

    private static HttpResponse<String> putLarge(NodeUnderTest node, String key) throws Exception {
        return node.ask(
                Ledger.NAME, "POST", "/api/put", "{\"key\":\"" + key + "\",\"value\":\"" + "x".repeat(200_000) + "\"}");
    }

    @Test
    void aFullDiskStopsOneMembersWritesAndNothingElse() throws Exception {
        Path disk = folder.resolve("disk");
        machine.mount(disk, 12);
        NodeUnderTest a = node(folder, "a").start();
        NodeUnderTest b = node(disk, "b").start();
        b.join(a);
        a.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(nodes, SOON);
        // To log in is to write a session, for which there is no room later.
        assertThat(b.api("/api/system/health").toString()).doesNotContain("is full");

        int accepted = 0;
        HttpResponse<String> refused = putLarge(b, "large-0");
        for (; refused.statusCode() == 201 && accepted < 100; refused = putLarge(b, "large-" + accepted)) {
            accepted++;
        }
        assertThat(accepted).as("some fit, and no disk is endless").isBetween(1, 99);
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(507);
        assertThat(refused.body()).contains("disk").contains("full").contains("nothing was written");
        assertThat(b.get(Ledger.NAME, "/")).as("it goes on serving").contains("First release");
        assertThat(b.api("/api/system/health").toString() + b.ok("server", "status"))
                .contains("disk")
                .contains("full");
        for (int i = 0; i < 30; i++) {
            assertThat(putLarge(a, "elsewhere-" + i).statusCode())
                    .as("the others go on")
                    .isEqualTo(201);
        }

        FaultyMachine.resize(disk, 64);
        Ledger.awaitSame(nodes, SOON);
        // The function writes the entry, then counts it: the disk may have become full between the two.
        int alone = refused.body().contains("kv.incr of 'total'") ? 1 : 0;
        assertThat(Ledger.keys(b)).hasSize(accepted + 30 + alone);
        assertThat(b.get(Ledger.NAME, "/api/all")).contains("\"total\":" + (accepted + 30));
        assertThat(putLarge(b, "again").statusCode()).isEqualTo(201);
        Ledger.awaitSame(nodes, SOON);
        Ledger.awaitAlive(nodes, SOON);
        assertThat(FaultyMachine.isWhole(b)).isTrue();
    }

    @Test
    void aCartridgeThatBecomesReadOnlyRefusesWritesAndGoesOnByItself() throws Exception {
        NodeUnderTest a = node(folder, "a").start();
        NodeUnderTest b = node(folder, "b").start();
        b.join(a);
        a.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(nodes, SOON);
        Ledger.put(b, "before");
        Assumptions.assumeTrue(
                FaultyMachine.hasReadOnlyFiles(folder),
                "only root can make a file immutable, and not on every file system");
        FaultyMachine.readOnly(b, true);
        try {
            HttpResponse<String> refused = putLarge(b, "refused");
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(507);
            assertThat(refused.body()).contains("can't be written", "nothing was written", "check the file");
            assertThat(b.get(Ledger.NAME, "/")).as("it goes on serving").contains("First release");
            assertThat(Ledger.keys(b)).containsExactly("before");
            assertThat(b.ok("server", "status").toString()).contains("degraded", "can't be written");
            assertThat(b.fazt("swarm", "events").out()).contains("this node's disk refuses writes");
            Ledger.put(a, "elsewhere");
        } finally {
            FaultyMachine.readOnly(b, false);
        }
        Ledger.awaitSame(nodes, SOON);
        Ledger.put(b, "after");
        Ledger.awaitSame(nodes, SOON);
        assertThat(Ledger.keys(b)).containsExactlyInAnyOrder("before", "elsewhere", "after");
        assertThat(b.get(Ledger.NAME, "/api/all")).contains("\"total\":3");
        assertThat(FaultyMachine.isWhole(b)).isTrue();
    }

    @Test
    void anOldCopyPutBackLosesNothingAndBringsNothingBack() throws Exception {
        NodeUnderTest a = node(folder, "a").start();
        NodeUnderTest b = node(folder, "b").start();
        b.join(a);
        a.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(nodes, SOON);
        Ledger.put(b, "before");
        Ledger.awaitSame(nodes, SOON);
        b.stop();
        Path copy = folder.resolve("copy.db");
        FaultyMachine.copy(b, copy);
        b.start();
        Ledger.awaitServed(nodes, SOON);
        Ledger.put(b, "after-the-copy");
        Ledger.awaitSame(nodes, SOON);
        Ledger.put(a, "meanwhile");
        b.stop();
        FaultyMachine.putBack(b, copy);
        b.start();
        Ledger.awaitServed(nodes, SOON);
        // It has forgotten its own last write; what it writes now must not take that one's place.
        Ledger.put(b, "as-an-old-copy");
        Ledger.awaitSame(nodes, SOON);
        for (NodeUnderTest node : nodes) {
            assertThat(Ledger.keys(node))
                    .containsExactlyInAnyOrder("before", "after-the-copy", "meanwhile", "as-an-old-copy");
            assertThat(node.get(Ledger.NAME, "/api/all")).contains("\"total\":4");
        }
        Ledger.awaitAlive(nodes, SOON);
        a.ok("alias", "set", "still-agreed", Ledger.NAME);
    }

    @Test
    void aClockTwoYearsAheadIsCorrected() throws Exception {
        NodeUnderTest a = node(folder, "a").start();
        NodeUnderTest b = node(folder, "b").start();
        NodeUnderTest c = node(folder, "c");
        FaultyMachine.clock(c, Duration.ofDays(AHEAD_DAYS));
        c.start();
        c.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", "future");
        a.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        b.join(a);
        c.join(a);
        Await.until(
                "c knows that it is wrong",
                SOON,
                () -> c.ok("time", "status").get("correcting").asBoolean());
        assertThat(Duration.ofMillis(c.ok("time", "status").get("offset_ms").asLong())
                        .toHours())
                .isBetween(-AHEAD_DAYS * 24 - 1, -AHEAD_DAYS * 24 + 1);
        JsonNode right = a.ok("time", "status");
        assertThat(right.get("correcting").asBoolean()).as("%s", right).isFalse();
        assertThat(c.ok("server", "status").toString()).contains("clock off by").contains("ahead of");
        Await.until(
                "what c had before is everywhere",
                SOON,
                () -> a.ask("future", "GET", "/", "").statusCode() == 200
                        && b.ask("future", "GET", "/", "").statusCode() == 200);
        Ledger.awaitServed(nodes, SOON);
        for (NodeUnderTest node : nodes) {
            Ledger.put(node, "on-" + node.name);
            Ledger.put(node, "same");
        }
        Ledger.awaitSame(nodes, SOON);
        assertThat(a.get(Ledger.NAME, "/api/all")).contains("\"total\":6");
        for (JsonNode member : a.ok("swarm", "status").get("members")) {
            assertThat(member.at("/sync/offences").asInt())
                    .as("a wrong clock breaks no rule: %s", member)
                    .isZero();
        }
        long tomorrow = System.currentTimeMillis() + Duration.ofDays(1).toMillis();
        String app = "";
        for (JsonNode one : a.ok("app", "list").get("apps")) {
            app = one.get("name").asText().equals(Ledger.NAME) ? one.get("id").asText() : app;
        }
        for (NodeUnderTest node : nodes) {
            node.stop();
            assertThat(highestStamp(node, app)).as("written on " + node.name).isLessThan(tomorrow);
        }
    }

    /** The highest stamp of an app, in milliseconds since 1970. */
    private static long highestStamp(NodeUnderTest node, String app) throws Exception {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + node.cartridge);
                var statement = connection.prepareStatement("SELECT max(hlc) >> 16 FROM fazt_scope WHERE scope = ?")) {
            statement.setString(1, app);
            try (var rows = statement.executeQuery()) {
                long stamp = rows.getLong(1);
                assertThat(stamp).isPositive();
                return stamp;
            }
        }
    }
}
