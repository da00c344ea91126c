package sh.fazt.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One place in the soak's swarm: the node that is there at present, and who uses it. */
final class SoakMember {
    static final int WRITES_A_SECOND = 20;
    /** The app that aliases lead to; it is on every node, always. */
    static final String STAYING = "staying";

    private static final ObjectMapper JSON = new ObjectMapper();
    /** Each writer writes its own keys, again and again. */
    private static final int KEYS = 100;

    final String name;
    final String address;
    final Path folder;
    final Client client = new Client();
    final Governor governor = new Governor();
    /** A copy of its cartridge from before, to be put back. */
    @Nullable
    Path copy;

    private volatile NodeUnderTest node;
    private final AtomicBoolean over;

    SoakMember(String name, String address, Path folder, NodeUnderTest node, AtomicBoolean over) {
        this.name = name;
        this.address = address;
        this.folder = folder;
        this.node = node;
        this.over = over;
    }

    NodeUnderTest node() {
        return node;
    }

    /** Another node is in its place from now on. */
    void replaceBy(NodeUnderTest next) {
        node = next;
        copy = null;
    }

    /** What is wrong by now; empty while nothing is. */
    String broken() {
        return client.broken + governor.broken;
    }

    /** Every key of the ledger with its number, as the node has them; nothing where the app is not. */
    Map<String, Long> values() throws Exception {
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

    long total() throws Exception {
        return JSON.readTree(node.get(Ledger.NAME, "/api/all")).get("total").asLong();
    }

    /** Whether the node has all of this, or later. */
    boolean has(Map<String, Long> what) throws Exception {
        return missing(values(), what).isEmpty();
    }

    private static String missing(Map<String, Long> values, Map<String, Long> what) {
        for (Map.Entry<String, Long> each : what.entrySet()) {
            if (values.getOrDefault(each.getKey(), 0L) < each.getValue()) {
                return each.getKey() + "=" + each.getValue() + ", has " + values.get(each.getKey());
            }
        }
        return "";
    }

    /** What its process holds of the machine, garbage collected. */
    record Holds(long liveMegabytes, long residentMegabytes, long descriptors, long fileMegabytes) {
        static Holds of(NodeUnderTest node) throws Exception {
            long live = node.liveBytes() >> 20;
            Path process = Path.of("/proc", Long.toString(node.pid()));
            long resident = 0;
            for (String line : Files.readAllLines(process.resolve("status"))) {
                if (line.startsWith("VmRSS:")) {
                    resident = Long.parseLong(line.replaceAll("\\D", "")) >> 10;
                }
            }
            try (var descriptors = Files.list(process.resolve("fd"))) {
                return new Holds(live, resident, descriptors.count(), Files.size(node.cartridge) >> 20);
            }
        }
    }

    /** Writes to the node, and reads there what everybody wrote. */
    final class Client extends Thread {
        /** Held for each request, so that whoever holds it knows that none is under way. */
        private final ReentrantLock turn = new ReentrantLock(true);
        /** Each of its keys with the last number that has to stay, and the last that was tried. */
        private final Map<String, Long> acknowledged = new HashMap<>();

        private final Map<String, Long> tried = new HashMap<>();
        private final Map<String, Long> seen = new HashMap<>();
        private boolean binding = true;
        private boolean looking = true;
        private long number;
        private long writes;
        private long refused;
        private volatile String broken = "";

        @Override
        public void run() {
            while (!over.get() && broken.isEmpty()) {
                turn.lock();
                try {
                    write();
                    if (looking && number % WRITES_A_SECOND == 0) {
                        look();
                    }
                } catch (IOException down) {
                    // Killed, or held up for too long: whether it was written is not known.
                } catch (Exception e) {
                    broken = e.toString();
                } finally {
                    turn.unlock();
                }
                LockSupport.parkNanos(Duration.ofSeconds(1).toNanos() / WRITES_A_SECOND);
            }
        }

        private void write() throws Exception {
            number++;
            String key = name + "-" + number % KEYS;
            tried.put(key, number);
            String body = "{\"key\":\"" + key + "\",\"value\":" + number + "}";
            int status = node.ask(Ledger.NAME, "POST", "/api/put", body).statusCode();
            if (status == 507) {
                refused++;
            }
            if (status == 201 && binding) {
                acknowledged.put(key, number);
                writes++;
            }
        }

        /** Reads everything: what this client wrote is there, and nothing is older than it was. */
        private void look() throws Exception {
            Map<String, Long> now = values();
            if (now.isEmpty()) {
                return;
            }
            String forgotten = missing(now, acknowledged);
            String older = missing(now, seen);
            if (!forgotten.isEmpty()) {
                broken = node.name + " forgot its own write: " + forgotten;
            } else if (!older.isEmpty()) {
                broken = node.name + " went back: " + older;
            }
            seen.putAll(now);
        }

        /** Whether what is acknowledged from now on has to stay. */
        void binding(boolean on) {
            turn.lock();
            binding = on;
            turn.unlock();
        }

        /** Whether what the node shows from now on has to be all that it has shown, and what it acknowledged. */
        void looking(boolean on) {
            turn.lock();
            looking = on;
            seen.clear();
            turn.unlock();
        }

        /** What has to stay. */
        Map<String, Long> acknowledged() {
            turn.lock();
            try {
                return Map.copyOf(acknowledged);
            } finally {
                turn.unlock();
            }
        }

        /** What was tried, be it acknowledged or not. */
        Map<String, Long> tried() {
            turn.lock();
            try {
                return Map.copyOf(tried);
            } finally {
                turn.unlock();
            }
        }

        /** How many writes have to stay. */
        long writes() {
            return writes;
        }

        /** How many were tried. */
        long attempts() {
            return number;
        }

        /** How many were refused for want of a disk. */
        long refused() {
            return refused;
        }
    }

    /**
     * Has the swarm agree on one alias after the other, by way of the node, and some later on its end. A change whose
     * answer did not come may be done at any time: of that alias nothing is known from then on, and another name takes
     * its place.
     */
    final class Governor extends Thread {
        private static final int ALIASES = 10;

        private final ReentrantLock turn = new ReentrantLock(true);
        private final int[] generations = new int[ALIASES];
        /** What was agreed of its aliases: that each is there, or is there no more. */
        private final Map<String, Boolean> agreed = new HashMap<>();

        private long changes;
        private volatile String broken = "";

        @Override
        public void run() {
            for (int number = 0; !over.get() && broken.isEmpty(); number++) {
                turn.lock();
                try {
                    change(number % ALIASES);
                } finally {
                    turn.unlock();
                }
                LockSupport.parkNanos(Duration.ofMillis(300).toNanos());
            }
        }

        private void change(int place) {
            String alias = "soak-" + name + "-" + place + "-" + generations[place];
            boolean there = !agreed.getOrDefault(alias, false);
            agreed.remove(alias);
            try {
                int status = node.remote(
                                there ? "PUT" : "DELETE",
                                "/api/aliases/" + alias,
                                there ? "{\"app\":\"" + STAYING + "\"}" : "")
                        .statusCode();
                if (status == 200) {
                    agreed.put(alias, there);
                    changes++;
                } else if (status < 500) {
                    broken = node.name + " answers " + status + " to a change of " + alias;
                }
            } catch (IOException | IllegalStateException down) {
                // As above.
            } catch (Exception e) {
                broken = e.toString();
            }
            if (!agreed.containsKey(alias)) {
                generations[place]++;
            }
        }

        /** Returns when no change is under way, and none begins until it goes on. */
        void pause() {
            turn.lock();
        }

        void goOn() {
            turn.unlock();
        }

        /** To be read when it has ended. */
        Map<String, Boolean> agreed() {
            return agreed;
        }

        long changes() {
            return changes;
        }
    }
}
