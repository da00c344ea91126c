package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Three processes on a network that loses, is deaf on one side, flaps and is slow, and one that stands still. */
class FaultyNetworkNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final List<String> NAMES = List.of("a", "b", "c");

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();
    private final Set<String> acknowledged = new TreeSet<>();

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        for (String name : NAMES) {
            String address = network.add(name);
            addresses.add(address);
            nodes.add(new NodeUnderTest(folder, name, network.enter(name), List.of("--bind", address, "--port", "8080"))
                    .start());
        }
        for (int i = 1; i < 3; i++) {
            nodes.get(i).join(nodes.get(0));
        }
        nodes.get(0).ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(nodes, SOON);
        Ledger.awaitAlive(nodes, SOON);
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        network.close();
    }

    private void put(NodeUnderTest node, String key) throws Exception {
        Ledger.put(node, key);
        acknowledged.add(key);
    }

    private void putEverywhere(String what, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            for (NodeUnderTest node : nodes) {
                put(node, what + "-" + node.name + "-" + i);
            }
        }
    }

    private void awaitWhole() throws Exception {
        Ledger.awaitSame(nodes, SOON);
        assertThat(Ledger.keys(nodes.get(2))).isEqualTo(acknowledged);
        Ledger.awaitAlive(nodes, SOON);
    }

    @Test
    void nothingIsLostOnABadNetwork() throws Exception {
        for (int percent : new int[] {5, 10, 25}) {
            loses(percent);
        }
        isDeafOnOneSide();
        flaps();
        isSlow();
        standsStill();
        for (NodeUnderTest node : nodes) {
            assertThat(node.stop()).as(node.name + " stops").isLessThan(Duration.ofSeconds(15));
            assertThat(node.log()).content().doesNotContain("\tat ");
        }
    }

    private void loses(int percent) throws Exception {
        for (String name : NAMES) {
            network.lose(name, percent);
        }
        putEverywhere("loss" + percent, 20);
        if (percent <= 10) {
            Ledger.awaitSame(nodes, SOON);
        }
        for (String name : NAMES) {
            network.heal(name);
        }
        awaitWhole();
    }

    /** What a sends to c is lost; c's answers and both ways by b are open. */
    private void isDeafOnOneSide() throws Exception {
        network.deafen("c", addresses.get(0));
        put(nodes.get(0), "deaf-a");
        put(nodes.get(2), "deaf-c");
        Ledger.awaitSame(nodes, SOON);
        network.heal("c");
        awaitWhole();
    }

    private void flaps() throws Exception {
        Random random = new Random(5);
        for (int i = 0; i < 12; i++) {
            network.cut("c", addresses.subList(0, 2));
            LockSupport.parkNanos(Duration.ofMillis(200 + random.nextInt(800)).toNanos());
            putEverywhere("cut" + i, 1);
            network.heal("c");
            LockSupport.parkNanos(Duration.ofMillis(random.nextInt(500)).toNanos());
            putEverywhere("open" + i, 1);
        }
        awaitWhole();
    }

    /** While megabytes trickle to c, its rows still come, and nobody thinks it dead. */
    private void isSlow() throws Exception {
        Path app = Files.createDirectory(folder.resolve("big"));
        byte[] noise = new byte[1 << 20];
        new Random(7).nextBytes(noise);
        Files.write(app.resolve("big.bin"), noise);
        Files.writeString(app.resolve("index.html"), "big");
        network.slow("a", 1000);
        network.slow("b", 1000);
        nodes.get(0).ok("app", "deploy", app.toString(), "--name", "big");
        long begin = System.nanoTime();
        for (int i = 0; i < 5; i++) {
            String key = "slow-" + i;
            put(nodes.get(0), key);
            Await.until("a row overtakes the file", SOON, () -> {
                assertThat(Ledger.state(nodes.get(0), "c")).isIn("alive", "suspect");
                return Ledger.keys(nodes.get(2)).contains(key);
            });
        }
        assertThat(nodes.get(2).ask("big", "GET", "/big.bin", "").statusCode())
                .as("the file was still on its way after %d ms", (System.nanoTime() - begin) / 1_000_000)
                .isNotEqualTo(200);
        network.unslow("a");
        network.unslow("b");
        Await.until(
                "the file has come",
                SOON,
                () -> nodes.get(2).ask("big", "GET", "/big.bin", "").statusCode() == 200);
        awaitWhole();
    }

    private void standsStill() throws Exception {
        NodeUnderTest c = nodes.get(2);
        for (int seconds : new int[] {1, 12, 30}) {
            c.signal("STOP");
            try {
                long begin = System.nanoTime();
                put(nodes.get(0), "still-a-" + seconds);
                put(nodes.get(1), "still-b-" + seconds);
                if (seconds > 12) {
                    // So long that nobody waits for it any more.
                    Ledger.awaitSame(nodes.subList(0, 2), SOON);
                    for (NodeUnderTest other : nodes.subList(0, 2)) {
                        Await.until(
                                "c is given up by " + other.name,
                                SOON,
                                () -> Ledger.state(other, "c").equals("dead"));
                    }
                }
                LockSupport.parkNanos(Duration.ofSeconds(seconds).toNanos() - (System.nanoTime() - begin));
            } finally {
                c.signal("CONT");
            }
            put(c, "still-c-" + seconds);
            awaitWhole();
        }
    }
}
