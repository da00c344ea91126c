package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Three processes on a network of their own: a deploy, writes everywhere, a split, a heal, a crash. */
class SwarmNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();
    private Path app;

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        for (String name : List.of("a", "b", "c")) {
            String address = network.add(name);
            addresses.add(address);
            nodes.add(new NodeUnderTest(folder, name, network.enter(name), List.of("--bind", address, "--port", "8080"))
                    .start());
        }
        app = copy(Path.of("src/test/resources/ledger"), folder.resolve("ledger"));
        node(0).ok("swarm", "init", "--name", "test");
        for (int i = 1; i < 3; i++) {
            node(i).ok("swarm", "join", node(0).ok("swarm", "token").asText());
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        network.close();
    }

    private NodeUnderTest node(int number) {
        return nodes.get(number);
    }

    private static Path copy(Path from, Path to) throws Exception {
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
        return to;
    }

    private static long alive(JsonNode status) {
        long alive = 0;
        for (JsonNode member : status.get("members")) {
            alive += member.get("state").asText().equals("alive") ? 1 : 0;
        }
        return alive;
    }

    private void awaitAlive() {
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " sees three alive members and a leader", SOON, () -> {
                JsonNode status = node.ok("swarm", "status");
                return alive(status) == 3 && status.get("quorum").asBoolean() && status.hasNonNull("leader");
            });
        }
    }

    private static void put(NodeUnderTest node, String key) throws Exception {
        HttpResponse<String> answer =
                node.ask("ledger", "POST", "/api/put", "{\"key\":\"" + key + "\",\"value\":\"" + node.name + "\"}");
        if (answer.statusCode() != 201) {
            throw new IllegalStateException(node.name + " answered " + answer.statusCode() + ": " + answer.body());
        }
    }

    private static Set<String> keys(String ledger) {
        Set<String> keys = new TreeSet<>();
        var matcher = java.util.regex.Pattern.compile("\"entry/([^\"]+)\"").matcher(ledger);
        while (matcher.find()) {
            keys.add(matcher.group(1));
        }
        return keys;
    }

    private void awaitSame(String path, Duration patience) {
        Await.until(path + " is the same on all three", patience, () -> {
            String first = node(0).get("ledger", path);
            return first.equals(node(1).get("ledger", path)) && first.equals(node(2).get("ledger", path));
        });
    }

    @Test
    void aSwarmLivesThroughASplitAndACrash() throws Exception {
        awaitAlive();
        Set<String> leaders = new TreeSet<>();
        for (NodeUnderTest node : nodes) {
            leaders.add(node.ok("swarm", "status").get("leader").get("id").asText());
        }
        assertThat(leaders).as("one leader").hasSize(1);

        node(0).ok("app", "deploy", app.toString(), "--name", "ledger");
        for (NodeUnderTest node : nodes) {
            Await.until(
                    "the page and the function answer on " + node.name,
                    SOON,
                    () -> node.get("ledger", "/").contains("First release")
                            && node.ask("ledger", "GET", "/api/all", "").statusCode() == 200);
        }
        awaitSame("/", SOON);

        writeEverywhereAtOnce();
        split();
        crash();
        for (NodeUnderTest node : nodes) {
            assertThat(node.stop()).as(node.name + " stops").isLessThan(Duration.ofSeconds(10));
        }
    }

    private void writeEverywhereAtOnce() throws Exception {
        List<Thread> writers = new ArrayList<>();
        List<String> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
        for (NodeUnderTest node : nodes) {
            Thread writer = new Thread(() -> {
                try {
                    for (int i = 0; i < 200; i++) {
                        put(node, node.name + "-" + i);
                    }
                } catch (Exception e) {
                    failures.add(e.toString());
                }
            });
            writer.start();
            writers.add(writer);
        }
        for (Thread writer : writers) {
            writer.join();
        }
        assertThat(failures).isEmpty();
        awaitSame("/api/all", SOON);
        String ledger = node(2).get("ledger", "/api/all");
        assertThat(ledger).contains("\"total\":600");
        assertThat(keys(ledger)).hasSize(600);
    }

    private void split() throws Exception {
        NodeUnderTest c = node(2);
        network.cut("c", addresses.subList(0, 2));
        Await.until(
                "both sides say who is gone",
                SOON,
                () -> alive(c.ok("swarm", "status")) == 1 && alive(node(0).ok("swarm", "status")) == 2);
        assertThat(c.get("ledger", "/")).contains("First release");
        put(c, "on-c-alone");
        put(node(0), "on-a-side");
        Files.writeString(app.resolve("index.html"), "<h1>From a</h1>");
        node(0).ok("app", "deploy", app.toString(), "--name", "ledger");
        Files.writeString(app.resolve("index.html"), "<h1>From c</h1>");
        c.ok("app", "deploy", app.toString(), "--name", "ledger");
        assertThat(c.get("ledger", "/")).contains("From c");
        assertThat(node(1).get("ledger", "/")).contains("From a");
        Await.until(
                "no quorum on c",
                SOON,
                () -> !c.ok("swarm", "status").get("quorum").asBoolean());
        NodeUnderTest.Run alias = c.fazt("alias", "set", "shop", "ledger");
        assertThat(alias.code()).isEqualTo(1);
        assertThat(alias.err()).contains("quorum").contains("a, b");
        NodeUnderTest.Run promote = c.fazt("swarm", "promote", "b");
        assertThat(promote.code()).isEqualTo(1);
        assertThat(promote.err()).contains("can't promote b").contains("quorum");
        c.stop();
        c.start();
        Await.until(
                "c serves after a restart without a quorum",
                SOON,
                () -> c.ask("ledger", "GET", "/api/all", "").statusCode() == 200);
        assertThat(c.get("ledger", "/")).contains("From c");
        put(c, "on-c-alone-again");
        assertThat(node(0).ok("alias", "set", "shop", "ledger").get("name").asText())
                .isEqualTo("shop");

        network.heal("c");
        awaitSame("/", Duration.ofSeconds(5));
        awaitSame("/api/all", Duration.ofSeconds(5));
        String ledger = c.get("ledger", "/api/all");
        assertThat(keys(ledger))
                .contains("on-c-alone", "on-c-alone-again", "on-a-side")
                .hasSize(603);
        for (NodeUnderTest node : nodes) {
            Await.until("what lost is on record on " + node.name, SOON, () -> {
                return !lost(node).isEmpty();
            });
            assertThat(node.ok("app", "releases", "ledger").get("releases")).hasSize(3);
            Await.until(
                    "the alias leads to the app on " + node.name,
                    SOON,
                    () -> node.get("shop", "/").contains("From "));
        }
        awaitAlive();

        String lost = lost(c);
        assertThat(lost(node(0))).as("the same id everywhere").isEqualTo(lost);
        String winner = c.get("ledger", "/");
        String loser = winner.contains("From a") ? "From c" : "From a";
        c.ok("swarm", "conflicts", "restore", lost);
        awaitSame("/", SOON);
        Await.until("what lost is back", SOON, () -> node(1).get("ledger", "/").contains(loser));
        Await.until("and settled on " + node(1).name, SOON, () -> !lost(node(1)).equals(lost));
    }

    /** The id of the conflict about the active release, or nothing. */
    private static String lost(NodeUnderTest node) throws Exception {
        for (JsonNode conflict : node.ok("swarm", "conflicts").get("conflicts")) {
            if (conflict.get("table").asText().equals("app_active")) {
                return conflict.get("id").asText();
            }
        }
        return "";
    }

    private void crash() throws Exception {
        NodeUnderTest b = node(1);
        Set<String> acknowledged = new ConcurrentSkipListSet<>();
        AtomicBoolean writing = new AtomicBoolean(true);
        Thread writer = new Thread(() -> {
            for (int i = 0; writing.get() && i < 5000; i++) {
                try {
                    put(b, "crash-" + i);
                    acknowledged.add("crash-" + i);
                } catch (Exception e) {
                    return;
                }
            }
        });
        writer.start();
        Await.until("some writes", SOON, () -> acknowledged.size() > 50);
        b.kill();
        writing.set(false);
        writer.join();
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + b.cartridge);
                var statement = db.createStatement();
                var rows = statement.executeQuery("PRAGMA integrity_check")) {
            assertThat(rows.getString(1)).isEqualTo("ok");
        }
        put(node(0), "while-b-was-away");
        b.start();
        Await.until(
                "b serves again",
                Duration.ofSeconds(60),
                () -> b.ask("ledger", "GET", "/api/all", "").statusCode() == 200);
        assertThat(keys(b.get("ledger", "/api/all"))).containsAll(acknowledged);
        Await.until(
                "b has caught up", SOON, () -> keys(b.get("ledger", "/api/all")).contains("while-b-was-away"));
        awaitSame("/api/all", SOON);
        awaitAlive();
    }
}
