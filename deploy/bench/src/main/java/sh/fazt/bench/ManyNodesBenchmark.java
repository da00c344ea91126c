package sh.fazt.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.swarm.SwarmException;
import sh.fazt.swarm.SwarmView;

/**
 * A swarm of many nodes in one process, with links, cartridges and a group as they ship (B1, B3 and B4 with fifty); one
 * more is a process of its own, which can be killed.
 */
public final class ManyNodesBenchmark {
    private static final Scope APP = new Scope("fazt_app_bench");
    private static final String VALUE = "\"" + "x".repeat(180) + "\"";
    private static final String VICTIM = "victim";
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final Duration TOKEN = Duration.ofHours(1);
    private static final int KILLS = 5;
    private static final int ATTEMPTS = 20;
    private static final Random RANDOM = new Random(1);

    private ManyNodesBenchmark() {}

    /** @param args how many nodes, and for how many seconds to write; or {@code victim FOLDER TOKEN} */
    public static void main(String[] args) throws Exception {
        if (args[0].equals(VICTIM)) {
            victim(Path.of(args[1]), args[2]);
            return;
        }
        // Fifty nodes have much to tell.
        Logger.getLogger("").setLevel(Level.SEVERE);
        int count = Integer.parseInt(args[0]);
        Path folder = Files.createTempDirectory("fazt-bench-");
        List<SwarmNode> nodes = new ArrayList<>();
        try {
            for (int i = 0; i < count - 1; i++) {
                SwarmNode node = new SwarmNode(folder, "n" + i);
                nodes.add(node);
                if (i > 0) {
                    SwarmNode first = nodes.get(0);
                    patiently(() -> node.swarm.join(token(first)));
                }
            }
            new Measured(folder, nodes).run(Integer.parseInt(args[1]));
        } finally {
            nodes.forEach(SwarmNode::close);
            WritesBenchmark.delete(folder);
        }
    }

    /** As an owner does who is told to try again: so many nodes on few cores may have no quorum for a moment. */
    private static void patiently(Runnable step) {
        for (int attempt = 1; ; attempt++) {
            try {
                step.run();
                return;
            } catch (SwarmException busy) {
                if (attempt == ATTEMPTS) {
                    throw busy;
                }
                System.err.println("again: " + busy.getMessage());
                LockSupport.parkNanos(10 * EVERY_NANOS);
            }
        }
    }

    private static String token(SwarmNode first) {
        return first.swarm.token(TOKEN).token().text();
    }

    private static void victim(Path folder, String token) throws IOException {
        try (SwarmNode node = new SwarmNode(folder, VICTIM)) {
            if (node.swarm.isAlone()) {
                patiently(() -> node.swarm.join(token));
            }
            System.out.println("joined");
            // Until it is killed, or whoever started it is gone.
            while (System.in.read() >= 0) {}
        }
    }

    private static final class Measured {
        private final Path folder;
        private final List<SwarmNode> nodes;
        private final Map<Object, Long> written = new ConcurrentHashMap<>();
        private final ConcurrentLinkedQueue<Double> millis = new ConcurrentLinkedQueue<>();
        /** Who holds the victim for dead, and since when. */
        private final Map<SwarmNode, Long> missed = new ConcurrentHashMap<>();
        /** Members other than the victim that were held for dead. */
        private final Set<String> wronged = ConcurrentHashMap.newKeySet();

        Measured(Path folder, List<SwarmNode> nodes) {
            this.folder = folder;
            this.nodes = nodes;
            for (SwarmNode node : nodes) {
                node.cartridge.listen(commit -> {
                    long now = System.nanoTime();
                    commit.changed().stream()
                            .filter(change ->
                                    change.table().equals("kv") && !change.key().isEmpty())
                            .map(change -> written.get(change.key().get(0)))
                            .filter(Objects::nonNull)
                            .forEach(at -> millis.add((now - at) / 1e6));
                });
                node.swarm.watch().events().listen(event -> {
                    if (event.kind().equals("member-down") && event.node() != null) {
                        String name = node.swarm.named(event.node()).name();
                        if (name.equals(VICTIM)) {
                            missed.put(node, System.nanoTime());
                        } else {
                            wronged.add(name);
                        }
                    }
                });
            }
        }

        void run(int seconds) throws Exception {
            Process victim = startVictim();
            try {
                BenchNode.until("all see all", this::allAlive);
                write(0, 100);
                millis.clear();
                int writes = seconds * 10;
                write(100, writes);
                double[] took = millis.stream()
                        .mapToDouble(Double::doubleValue)
                        .sorted()
                        .toArray();
                line("B1 propagation, p50, ms", took[took.length / 2]);
                line("B1 propagation, p99, ms", took[took.length * 99 / 100]);
                double[] kills = new double[KILLS];
                for (int i = 0; i < KILLS; i++) {
                    missed.clear();
                    long begin = System.nanoTime();
                    victim.destroyForcibly().waitFor();
                    BenchNode.until("all hold it for dead", () -> missed.size() == nodes.size());
                    kills[i] =
                            (missed.values().stream().mapToLong(at -> at).max().orElseThrow() - begin) / 1e9;
                    victim = startVictim();
                    BenchNode.until("all see all again", this::allAlive);
                }
                Arrays.sort(kills);
                line("B3 kill -9 to dead everywhere, median of " + KILLS + ", s", kills[KILLS / 2]);
                line("B3 the same, worst, s", kills[KILLS - 1]);
                line("B4 dead wrongly meanwhile", wronged.size());
            } finally {
                victim.destroyForcibly().waitFor();
            }
        }

        private void line(String what, double figure) {
            System.out.printf(Locale.ROOT, "%-60s %10.1f%n", what + ", " + (nodes.size() + 1) + " nodes", figure);
        }

        /** Ten writes a second, each on a node by chance, and waits until all have all. */
        private void write(int from, int count) {
            long next = System.nanoTime();
            for (int i = from; i < from + count; i++) {
                String key = Integer.toString(i);
                SwarmNode node = nodes.get(RANDOM.nextInt(nodes.size()));
                written.put(key, System.nanoTime());
                var unused = node.cartridge.write(APP, tx -> {
                    tx.put("kv", List.of(key), Map.of("value", VALUE));
                    return true;
                });
                next += EVERY_NANOS;
                LockSupport.parkNanos(Math.max(0, next - System.nanoTime()));
            }
            BenchNode.until(
                    "all have all",
                    () -> nodes.stream()
                            .allMatch(node -> node.cartridge
                                            .read(rows -> rows.first(
                                                    "SELECT count(*) FROM kv WHERE scope = ?",
                                                    row -> row.integer(0),
                                                    APP.id()))
                                            .orElseThrow()
                                    == from + count));
        }

        private boolean allAlive() {
            LockSupport.parkNanos(EVERY_NANOS);
            return nodes.stream().allMatch(node -> {
                List<SwarmView.Member> members = node.swarm.view().members();
                return members.size() == nodes.size() + 1
                        && members.stream().allMatch(member -> member.state().equals("alive"));
            });
        }

        private Process startVictim() throws IOException {
            String[] token = new String[1];
            patiently(() -> token[0] = token(nodes.get(0)));
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx256m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ManyNodesBenchmark.class.getName(),
                            VICTIM,
                            folder.toString(),
                            token[0])
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader out =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = out.readLine();
            if (!"joined".equals(line)) {
                process.destroyForcibly();
                throw new IllegalStateException("the one to be killed did not join: " + line);
            }
            return process;
        }
    }
}
