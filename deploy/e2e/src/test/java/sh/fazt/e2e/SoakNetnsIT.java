package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/**
 * Three processes under load while one fault after the other befalls them: a short while in every check, as long as
 * wanted by {@code deploy/soak}. Checked are every acknowledged write, every change that was agreed on, that no node's
 * view ever goes back, and that memory, files and descriptors stay what they were.
 */
class SoakNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final Duration LENGTH = Duration.ofSeconds(Long.getLong("fazt.soak.seconds", 45));
    private static final long SEED = Long.getLong("fazt.soak.seed", System.nanoTime());
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> NAMES = List.of("a", "b", "c");
    /** Each writer writes its own keys, again and again. */
    private static final int KEYS = 100;

    private static final int WRITES_A_SECOND = 20;

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final List<Governor> governors = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Random random = new Random(SEED);

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
        over.set(true);
        for (Client client : clients) {
            client.join(Duration.ofSeconds(70).toMillis());
        }
        for (Governor governor : governors) {
            governor.join(Duration.ofSeconds(70).toMillis());
        }
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        network.close();
    }

    /** Writes to one node, and reads there what everybody wrote. */
    private final class Client extends Thread {
        private final NodeUnderTest node;
        /** Each of its keys with the last number that was acknowledged, and the last that was tried. */
        private final Map<String, Long> acknowledged = new HashMap<>();

        private final Map<String, Long> tried = new HashMap<>();
        private final Map<String, Long> seen = new HashMap<>();
        private long writes;
        private long attempts;
        private String broken = "";

        Client(NodeUnderTest node) {
            super("client-" + node.name);
            this.node = node;
        }

        @Override
        public void run() {
            for (long number = 1; !over.get() && broken.isEmpty(); number++) {
                String key = node.name + "-" + number % KEYS;
                tried.put(key, number);
                attempts++;
                try {
                    String body = "{\"key\":\"" + key + "\",\"value\":" + number + "}";
                    if (node.ask(Ledger.NAME, "POST", "/api/put", body).statusCode() == 201) {
                        acknowledged.put(key, number);
                        writes++;
                    }
                    if (number % WRITES_A_SECOND == 0) {
                        look();
                    }
                } catch (IOException down) {
                    // Killed, or held up for too long: whether it was written is not known.
                } catch (Exception e) {
                    broken = e.toString();
                }
                LockSupport.parkNanos(Duration.ofSeconds(1).toNanos() / WRITES_A_SECOND);
            }
        }

        /** Reads everything: what this client wrote is there, and nothing is older than it was. */
        private void look() throws Exception {
            Map<String, Long> now = values(node);
            if (now.isEmpty()) {
                return;
            }
            acknowledged.forEach((key, number) -> {
                if (now.getOrDefault(key, 0L) < number) {
                    broken = node.name + " forgot its own write: " + key + "=" + number + ", has " + now.get(key);
                }
            });
            seen.forEach((key, number) -> {
                if (now.getOrDefault(key, 0L) < number) {
                    broken = node.name + " went back: " + key + "=" + number + ", has " + now.get(key);
                }
            });
            seen.putAll(now);
        }
    }

    /**
     * Has the swarm agree on one alias after the other, by way of one node, and some later on its end. A change whose
     * answer did not come may be done at any time: of that alias nothing is known from then on.
     */
    private final class Governor extends Thread {
        private static final int ALIASES = 10;

        private final NodeUnderTest node;
        /** What was agreed of its aliases: that each is there, or is there no more. */
        private final Map<String, Boolean> agreed = new HashMap<>();

        private long changes;
        private String broken = "";

        Governor(NodeUnderTest node) {
            super("governor-" + node.name);
            this.node = node;
        }

        @Override
        public void run() {
            for (int number = 0; !over.get() && broken.isEmpty(); number++) {
                change("PUT", alias(number), "{\"app\":\"" + Ledger.NAME + "\"}", true);
                if (agreed.containsKey(alias(number - ALIASES))) {
                    change("DELETE", alias(number - ALIASES), "", false);
                }
                LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
            }
        }

        private String alias(int number) {
            return "soak-" + node.name + "-" + number;
        }

        private void change(String method, String alias, String body, boolean there) {
            agreed.remove(alias);
            try {
                int status = node.remote(method, "/api/aliases/" + alias, body).statusCode();
                if (status == 200) {
                    agreed.put(alias, there);
                    changes++;
                } else if (status < 500) {
                    broken = node.name + " answers " + status + " to " + method + " of " + alias;
                }
            } catch (IOException | IllegalStateException down) {
                // As above.
            } catch (Exception e) {
                broken = e.toString();
            }
        }
    }

    private static Set<String> aliases(NodeUnderTest node) throws Exception {
        Set<String> aliases = new TreeSet<>();
        for (JsonNode alias : node.api("/api/aliases").get("aliases")) {
            // One that is removed leads nowhere.
            if (!alias.get("app").asText().isEmpty()) {
                aliases.add(alias.get("name").asText());
            }
        }
        return aliases;
    }

    private static Map<String, Long> values(NodeUnderTest node) throws Exception {
        Map<String, Long> values = new HashMap<>();
        var answer = node.ask(Ledger.NAME, "GET", "/api/all", "");
        if (answer.statusCode() == 200) {
            for (JsonNode pair : JSON.readTree(answer.body()).get("pairs")) {
                values.put(
                        pair.get(0).asText().substring("entry/".length()),
                        pair.get(1).asLong());
            }
        }
        return values;
    }

    /** What a process holds of the machine. */
    private record Holds(long megabytes, long descriptors, long fileMegabytes) {
        static Holds of(NodeUnderTest node) throws Exception {
            Path process = Path.of("/proc", Long.toString(node.pid()));
            long resident = 0;
            for (String line : Files.readAllLines(process.resolve("status"))) {
                if (line.startsWith("VmRSS:")) {
                    resident = Long.parseLong(line.replaceAll("\\D", "")) >> 10;
                }
            }
            try (var descriptors = Files.list(process.resolve("fd"))) {
                return new Holds(resident, descriptors.count(), Files.size(node.cartridge) >> 20);
            }
        }
    }

    @Test
    void everyFaultAtRandom() throws Exception {
        System.out.println("soak seed=" + SEED + " seconds=" + LENGTH.toSeconds());
        for (NodeUnderTest node : nodes) {
            Client client = new Client(node);
            clients.add(client);
            client.start();
            Governor governor = new Governor(node);
            governors.add(governor);
            governor.start();
        }
        List<Holds> held = new ArrayList<>();
        long begin = System.nanoTime();
        int faults = 0;
        while (System.nanoTime() - begin < LENGTH.toNanos()) {
            fault();
            faults++;
            LockSupport.parkNanos(Duration.ofMillis(500 + random.nextInt(2500)).toNanos());
            held.add(Holds.of(nodes.get(0)));
            for (Client client : clients) {
                assertThat(client.broken).as("seed %d", SEED).isEmpty();
            }
        }
        over.set(true);
        for (Client client : clients) {
            client.join();
            assertThat(client.broken).as("seed %d", SEED).isEmpty();
        }
        long changes = 0;
        for (Governor governor : governors) {
            governor.join();
            assertThat(governor.broken).as("seed %d", SEED).isEmpty();
            changes += governor.changes;
        }
        Ledger.awaitSame(nodes, SOON);
        Ledger.awaitAlive(nodes, SOON);
        Await.until(
                "all know of the same aliases",
                SOON,
                () -> aliases(nodes.get(0)).equals(aliases(nodes.get(1)))
                        && aliases(nodes.get(1)).equals(aliases(nodes.get(2))));
        Set<String> aliases = aliases(nodes.get(0));
        for (Governor governor : governors) {
            governor.agreed.forEach((alias, there) -> {
                assertThat(aliases.contains(alias))
                        .as("what was agreed of %s holds, seed %d", alias, SEED)
                        .isEqualTo(there);
            });
        }
        assertThat(changes).as("agreed on under load").isPositive();

        long writes = 0;
        long attempts = 0;
        Map<String, Long> values = values(nodes.get(0));
        for (Client client : clients) {
            writes += client.writes;
            attempts += client.attempts;
            client.acknowledged.forEach((key, number) -> assertThat(values.getOrDefault(key, 0L))
                    .as("%s, seed %d", key, SEED)
                    .isBetween(number, client.tried.get(key)));
        }
        long total = JSON.readTree(nodes.get(0).get(Ledger.NAME, "/api/all"))
                .get("total")
                .asLong();
        assertThat(total).as("counted, seed %d", SEED).isBetween(writes, attempts);
        assertThat(writes).as("under load").isGreaterThan(LENGTH.toSeconds() * WRITES_A_SECOND / 4);
        Holds first = held.get(held.size() / 3);
        Holds last = held.get(held.size() - 1);
        System.out.printf(
                "soak faults=%d writes=%d unknown=%d agreed=%d first third %s, end %s%n",
                faults, writes, attempts - writes, changes, first, last);
        assertThat(last.megabytes()).as("memory, from %s to %s", first, last).isLessThan(first.megabytes() + 100);
        assertThat(last.descriptors()).isLessThan(first.descriptors() + 40);
        assertThat(last.fileMegabytes()).isLessThan(first.fileMegabytes() + 8);
    }

    private void fault() throws Exception {
        int victim = random.nextInt(3);
        NodeUnderTest node = nodes.get(victim);
        Duration length = Duration.ofMillis(500 + random.nextInt(6000));
        int kind = random.nextInt(7);
        System.out.println("soak fault="
                + List.of("loss", "deaf", "cut", "slow", "stop", "kill", "flap").get(kind) + " node=" + node.name
                + " millis=" + length.toMillis());
        switch (kind) {
            case 0 -> {
                network.lose(node.name, 5 + random.nextInt(25));
                LockSupport.parkNanos(length.toNanos());
                network.heal(node.name);
            }
            case 1 -> {
                network.deafen(node.name, addresses.get((victim + 1) % 3));
                LockSupport.parkNanos(length.toNanos());
                network.heal(node.name);
            }
            case 2 -> {
                network.cut(node.name, List.of(addresses.get((victim + 1) % 3), addresses.get((victim + 2) % 3)));
                LockSupport.parkNanos(length.toNanos());
                network.heal(node.name);
            }
            case 3 -> {
                network.slow(node.name, 200 + random.nextInt(2000));
                LockSupport.parkNanos(length.toNanos());
                network.unslow(node.name);
            }
            case 4 -> {
                node.signal("STOP");
                LockSupport.parkNanos(length.toNanos());
                node.signal("CONT");
            }
            case 5 -> {
                if (victim == 0) {
                    // Its memory is watched, so that one lives on.
                    return;
                }
                node.kill();
                LockSupport.parkNanos(length.toNanos());
                node.start();
                Await.until(
                        node.name + " serves again",
                        SOON,
                        () -> node.ask(Ledger.NAME, "GET", "/", "").statusCode() == 200);
            }
            default -> {
                for (int i = 0; i < 5; i++) {
                    network.cut(node.name, List.of(addresses.get((victim + 1) % 3)));
                    LockSupport.parkNanos(
                            Duration.ofMillis(100 + random.nextInt(500)).toNanos());
                    network.heal(node.name);
                    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(500)).toNanos());
                }
            }
        }
    }
}
