package sh.fazt.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** {@code fazt swarm lock} between processes of three nodes: contention, loss, a cut, and what commands answer. */
class LeaseSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private final List<Process> locks = new ArrayList<>();

    private NodeUnderTest start(String name) throws Exception {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), List.of("--port", "0", "--swarm-port", "0"));
        nodes.add(node);
        return node.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (Process lock : locks) {
            lock.descendants().forEach(ProcessHandle::destroyForcibly);
            lock.destroyForcibly();
        }
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private List<NodeUnderTest> three() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        NodeUnderTest c = start("c");
        b.join(a);
        c.join(a);
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " votes among three", SOON, () -> {
                JsonNode status = node.status();
                return status.get("quorum").asBoolean()
                        && status.get("members").size() == 3
                        && !status.get("members").toString().contains("joining");
            });
        }
        return nodes;
    }

    /** A command under the lease "job"; what it says goes to a file of its own. */
    private Process lock(NodeUnderTest node, String said, List<String> flags, String script) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                NodeUnderTest.executable().toString(), "swarm", "lock", "job", "--db", node.cartridge.toString()));
        command.addAll(flags);
        command.addAll(List.of("--", "sh", "-c", script));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        Archives.lend(builder.environment());
        Process process = builder.redirectErrorStream(true)
                .redirectOutput(folder.resolve(said).toFile())
                .start();
        locks.add(process);
        return process;
    }

    private String said(String file) throws IOException {
        Path path = folder.resolve(file);
        return Files.exists(path) ? Files.readString(path, UTF_8) : "";
    }

    private int code(Process process, String said) throws Exception {
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as(said(said)).isTrue();
        return process.exitValue();
    }

    @Test
    void oneAtATimeHoweverManyWant() throws Exception {
        List<NodeUnderTest> three = three();
        // Not atomic on purpose: two at once lose a count.
        String script = "n=$(cat count 2>/dev/null || echo 0); echo begin $FAZT_LEASE_TOKEN >> journal; sleep 0.3;"
                + " echo $((n + 1)) > count; echo end $FAZT_LEASE_TOKEN >> journal";
        List<Process> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            all.add(lock(three.get(i % 2), "said" + i, List.of("--ttl", "10s", "--wait", "2m"), script));
        }
        for (int i = 0; i < 6; i++) {
            assertThat(code(all.get(i), "said" + i)).as(said("said" + i)).isZero();
        }
        assertThat(said("count").strip()).isEqualTo("6");
        String[] journal = said("journal").split("\n");
        assertThat(journal).hasSize(12);
        long last = 0;
        for (int i = 0; i < 12; i += 2) {
            long token = Long.parseLong(journal[i].substring("begin ".length()));
            assertThat(token).as("tokens grow").isGreaterThan(last);
            assertThat(journal[i + 1]).isEqualTo("end " + token);
            last = token;
        }
        assertThat(three.get(2).ok("swarm", "lease", "list").get("leases")).isEmpty();
    }

    @Test
    void aHolderThatIsCutOffHasEndedBeforeTheNextBegins() throws Exception {
        List<NodeUnderTest> three = three();
        NodeUnderTest a = three.get(0);
        NodeUnderTest b = three.get(1);
        // It does not listen, so it has to be killed.
        Process first = lock(
                a, "first", List.of("--ttl", "6s"), "trap '' TERM; while :; do echo a >> journal; sleep 0.1; done");
        Await.until("the first runs", SOON, () -> said("journal").contains("a"));
        assertThat(a.rest("PUT", "/api/swarm/links", "application/json", "{\"online\":false}".getBytes(UTF_8))
                        .statusCode())
                .isEqualTo(200);
        Process second = lock(
                b, "second", List.of("--ttl", "6s", "--wait", "2m"), "echo b >> journal; sleep 3; echo b >> journal");
        assertThat(code(second, "second")).as(said("second")).isZero();
        assertThat(code(first, "first")).as(said("first")).isEqualTo(125);
        assertThat(said("first")).contains("lease job is lost").contains("was killed");
        assertThat(said("journal")).matches("(a\n)+(b\n){2}");
        NodeUnderTest.Run refused = a.fazt("swarm", "lock", "job", "--wait", "0", "true");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("can't take lease job without a quorum: b, c of 3 voters don't answer");
    }

    /** As the system does where memory is short: nothing of the holder's own can end its command then. */
    @Test
    void aHolderThatIsKilledTakesItsCommandWithIt() throws Exception {
        NodeUnderTest a = start("a");
        // What it started ends when it is told to; it itself does not listen.
        Process first = lock(
                a,
                "first",
                List.of("--ttl", "20s"),
                "sh -c 'trap \"echo told >> inner; exit 0\" TERM; while :; do echo on >> inner; sleep 0.1; done' &"
                        + " trap '' TERM; while :; do echo a >> journal; sleep 0.1; done");
        Await.until(
                "both run, for longer than it takes to begin",
                SOON,
                () -> said("journal").length() > 100 && said("inner").contains("on"));
        first.destroyForcibly();
        Process second = lock(
                a, "second", List.of("--ttl", "20s", "--wait", "2m"), "echo b >> journal; sleep 2; echo b >> journal");
        assertThat(code(second, "second")).as(said("second")).isZero();
        assertThat(said("journal")).matches("(a\n)+(b\n){2}");
        assertThat(said("inner")).matches("(on\n)+told\n");
        assertThat(said("first")).contains("the process that held lease job was killed");
    }

    @Test
    void commandsAnswerWhatBecameOfThem() throws Exception {
        NodeUnderTest a = start("a");
        assertThat(code(lock(a, "own", List.of(), "exit 7"), "own")).isEqualTo(7);
        NodeUnderTest.Run none = a.fazt("swarm", "lock", "job");
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.err()).contains("swarm lock NAME [--ttl 30s] [--wait 1m] -- COMMAND...");
        assertThat(a.fazt("swarm", "lock", "Job", "true").err()).contains("a lease's name");
        assertThat(a.fazt("swarm", "lock", "job", "--ttl", "2s", "true").err()).contains("5 s to 1 h");
        assertThat(a.fazt("swarm", "lock", "job", "no-such-program").code()).isEqualTo(127);
        assertThat(a.fazt("swarm", "lock", "job", folder.toString()).code()).isEqualTo(126);
        assertThat(a.ok("swarm", "lease", "list").get("leases"))
                .as("released again")
                .isEmpty();

        Process held = lock(
                a,
                "held",
                List.of("--ttl", "15s"),
                "trap 'echo told >> journal; exit 0' TERM; echo on >> journal; while :; do sleep 0.1; done");
        Await.until("it runs", SOON, () -> said("journal").contains("on"));
        NodeUnderTest.Run busy = a.fazt("swarm", "lock", "job", "--wait", "0", "true");
        assertThat(busy.code()).isEqualTo(124);
        assertThat(busy.err()).contains("lease job is held by sh-").contains("through a");
        JsonNode lease = a.ok("swarm", "lease", "list").get("leases").get(0);
        assertThat(lease.get("name").asText()).isEqualTo("job");
        assertThat(lease.get("token").asLong()).isEqualTo(4);
        assertThat(a.fazt("swarm", "lease", "release", "job").code()).isEqualTo(2);
        assertThat(a.ok("swarm", "lease", "release", "job", "--force")
                        .get("released")
                        .asBoolean())
                .isTrue();
        assertThat(code(held, "held")).as(said("held")).isEqualTo(125);
        assertThat(said("journal")).isEqualTo("on\ntold\n");
        assertThat(said("held")).contains("held no more with token 4").contains("was told to end and did");

        Process stopped = lock(
                a,
                "stopped",
                List.of(),
                "trap 'echo bye >> journal; exit 0' TERM; echo up >> journal; while :; do sleep 0.1; done");
        Await.until("it runs", SOON, () -> said("journal").contains("up"));
        stopped.destroy();
        code(stopped, "stopped");
        assertThat(said("journal")).as(said("stopped")).endsWith("up\nbye\n");
        assertThat(a.ok("swarm", "lease", "list").get("leases"))
                .as("released on the way out")
                .isEmpty();

        a.stop();
        NodeUnderTest.Run noNode = a.fazt("swarm", "lock", "job", "true");
        assertThat(noNode.code()).isEqualTo(1);
        assertThat(noNode.err()).contains("no node is running");
    }
}
