package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmConfig.Result;
import sh.fazt.identity.NodeId;
import sh.fazt.sim.RegisterHistory;
import sh.fazt.sim.RegisterHistory.Operation;

/** What many clients are told of agreed registers while the leader changes and links are cut: it is linearizable. */
@Timeout(120)
class RegistersIT extends RaftNodes {
    private static final int CLIENTS = 6;
    private static final Duration LENGTH = Duration.ofSeconds(12);

    private final List<RegisterHistory> histories =
            List.of(new RegisterHistory(), new RegisterHistory(), new RegisterHistory());
    private final AtomicInteger values = new AtomicInteger();

    private static @Nullable String value(Node node, String key) {
        return node.config.get("alias", key).map(RegistersIT::value).orElse(null);
    }

    private static @Nullable String value(ConfigEntry entry) {
        return entry.version() == 0 ? null : new String(entry.value(), StandardCharsets.UTF_8);
    }

    private void change(Node by, int register) {
        String key = "register" + register;
        ConfigEntry before = by.config.get("alias", key).orElse(null);
        String next = "v" + values.incrementAndGet();
        Operation change =
                histories.get(register).change(before == null ? null : value(before), next, System.nanoTime());
        try {
            Result result =
                    by.config.propose(List.of(Op.set(before, "alias", key, next.getBytes(StandardCharsets.UTF_8))));
            if (result instanceof Result.Conflict conflict) {
                change.saw(value(conflict.now()), System.nanoTime());
            } else {
                change.done(System.nanoTime());
            }
        } catch (ConsensusException unanswered) {
            // It may have happened.
        }
    }

    private void read(Node by, int register) {
        Operation read = histories.get(register).read(System.nanoTime());
        try {
            by.config.barrier();
            read.saw(value(by, "register" + register), System.nanoTime());
        } catch (ConsensusException unanswered) {
            // Nobody was told anything.
        }
    }

    @Test
    void whatClientsAreToldIsLinearizableWhileTheLeaderChangesAndLinksAreCut() {
        group(3);
        long end = System.nanoTime() + LENGTH.toNanos();
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        List<CompletableFuture<Void>> runs = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Node by = nodes.get(i % nodes.size());
            Random random = new Random(i);
            runs.add(CompletableFuture.runAsync(
                    () -> {
                        while (System.nanoTime() < end) {
                            int register = random.nextInt(histories.size());
                            if (random.nextInt(5) < 2) {
                                read(by, register);
                            } else {
                                change(by, register);
                            }
                        }
                    },
                    clients));
        }
        Set<NodeId> leaders = new HashSet<>();
        Random random = new Random(42);
        while (System.nanoTime() < end) {
            Node leads = leader(nodes);
            leaders.add(leads.id);
            List<Node> others = allBut(leads);
            Node other = others.get(random.nextInt(others.size()));
            switch (random.nextInt(4)) {
                case 0 -> network.cut(leads.id, other.id);
                case 1 -> network.cut(others.get(0).id, others.get(1).id);
                case 2 -> network.isolated.add(leads.id);
                default -> leads.raft.transfer();
            }
            LockSupport.parkNanos(Duration.ofMillis(1000).toNanos());
            network.heal();
            LockSupport.parkNanos(Duration.ofMillis(400).toNanos());
        }
        runs.forEach(run -> assertThat(run).succeedsWithin(PATIENCE));
        clients.shutdown();
        assertThat(leaders).as("who led").hasSizeGreaterThan(1);
        for (int i = 0; i < histories.size(); i++) {
            assertThat(histories.get(i).answered()).as("answers").isGreaterThan(20);
            assertThat(histories.get(i).isLinearizable())
                    .as("there is an order that explains what was told of register " + i)
                    .isTrue();
        }
    }

    @Test
    void aReadWithoutABarrierIsNotAndOneWithABarrierWaits() {
        group(3);
        Node leader = leader(nodes);
        Node late = allBut(leader).get(0);
        change(leader, 0);
        awaitAlias(late, "register0", "v1");
        network.isolated.add(late.id);
        change(leader, 0);
        assertThat(leader.alias("register0")).isEqualTo("v2");
        assertThat(histories.get(0).isLinearizable()).isTrue();
        assertThatThrownBy(late.config::barrier).isInstanceOf(ConsensusException.class);
        Operation stale = histories.get(0).read(System.nanoTime());
        stale.saw(value(late, "register0"), System.nanoTime());
        assertThat(histories.get(0).isLinearizable())
                .as("what it has by itself is of before")
                .isFalse();
        histories.get(0).drop(stale);
        network.heal();
        read(late, 0);
        assertThat(histories.get(0).answered()).isEqualTo(3);
        assertThat(histories.get(0).isLinearizable()).isTrue();
    }
}
