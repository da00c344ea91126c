package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmConfig.Result;
import sh.fazt.protocol.consensus.v1.Outcome;
import sh.fazt.testkit.Await;

/** Where Ratis is known to lose what was agreed, to stand still or to be misled; over any links. */
abstract class RaftEdges extends RaftNodes {
    /** Longer than any voter waits before it stands for election. */
    static final Duration LONG = Duration.ofMillis(1500);

    /** So patient that a slow machine alone causes no election. */
    static final Timings CALM = new Timings(Duration.ofMillis(600), Duration.ofMillis(1200), Timings.SILENCE);

    /** What a voter has forgotten when it starts again. */
    enum Forgotten {
        END_OF_LOG,
        END_OF_CARTRIDGE,
        LOG_AND_END_OF_CARTRIDGE
    }

    /** Two of three have agreed, the third lags. Then one of the two is away, and the other has forgotten. */
    void oneOfTwoThatAgreedForgets(Forgotten what) throws IOException {
        group(3);
        Node away = leader(nodes);
        Node forgets = allBut(away).get(0);
        Node lags = allBut(away).get(1);
        assertThat(away.set("shop", "old")).isInstanceOf(Result.Applied.class);
        awaitAlias(forgets, "shop", "old");
        awaitAlias(lags, "shop", "old");
        forgets.stop();
        Path copy = Files.createDirectory(folder.resolve("copy"));
        copy(forgets.file(), copy.resolve("db"));
        copy(forgets.log(), copy.resolve("raft"));
        forgets.boot();
        assertThat(forgets.raft.open()).isTrue();
        network.isolated.add(lags.id);
        assertThat(away.set("shop", "new")).isInstanceOf(Result.Applied.class);
        awaitAlias(forgets, "shop", "new");
        forgets.stop();
        away.stop();

        if (what != Forgotten.END_OF_CARTRIDGE) {
            delete(forgets.log());
        }
        if (what == Forgotten.END_OF_LOG) {
            copy(copy.resolve("raft"), forgets.log());
        }
        if (what == Forgotten.END_OF_CARTRIDGE || what == Forgotten.LOG_AND_END_OF_CARTRIDGE) {
            Files.delete(forgets.file());
            copy(copy.resolve("db"), forgets.file());
        }
        forgets.boot();
        boolean opened = forgets.raft.open();
        assertThat(opened).as("only a log that has all of it is opened").isEqualTo(what == Forgotten.END_OF_CARTRIDGE);
        if (!opened) {
            forgets.raft.rejoin(false);
        }
        network.heal();
        if (opened) {
            Node leads = leader(allBut(away));
            assertThat(leads.set("other", "yes")).isInstanceOf(Result.Applied.class);
            assertThat(leads.alias("shop")).isEqualTo("new");
        } else {
            stays(() -> {
                assertThat(forgets.raft.status().quorum()).isFalse();
                assertThat(lags.raft.status().quorum()).isFalse();
            });
        }
        away.boot();
        assertThat(away.raft.open()).isTrue();
        if (!opened) {
            leader(allBut(forgets)).raft.addVoter(forgets.id, forgets.raft.peerId());
        }
        for (Node node : nodes) {
            awaitAlias(node, "shop", "new");
        }
        assertThat(forgets.set("on", "yes")).isInstanceOf(Result.Applied.class);
    }

    @Test
    void twoThatLostEachOtherForAMomentFinishWhatWasHalfDone() {
        group(2);
        Node leader = leader(nodes);
        assertThat(leader.set("shop", "old")).isInstanceOf(Result.Applied.class);
        ConfigEntry old = leader.config.get("alias", "shop").orElseThrow();
        RaftServer.Division division = Objects.requireNonNull(leader.raft.host().division());
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        network.cut(nodes.get(0).id, nodes.get(1).id);
        CompletableFuture<Outcome> half = CompletableFuture.supplyAsync(
                () -> leader.raft.leader().propose(SwarmConfig.command(List.of(change(old, "half"))), PATIENCE),
                leader.io);
        Await.until(
                "an entry that only the leader has",
                PATIENCE,
                () -> !Objects.equals(division.getRaftLog().getLastEntryTermIndex(), last));
        Await.until(
                "nobody leads", Duration.ofSeconds(8), () -> !division.getInfo().isLeader());
        network.heal();
        assertThat(half)
                .succeedsWithin(PATIENCE)
                .as("it happened once, though it was asked for until it was agreed")
                .matches(Outcome::getApplied);
        assertThat(leader(nodes).set("after", "yes")).isInstanceOf(Result.Applied.class);
        for (Node node : nodes) {
            awaitAlias(node, "after", "yes");
            assertThat(node.alias("shop")).isEqualTo("half");
        }
    }

    /** The worst moment: the change is agreed, and whoever asked for it does not hear so. */
    @Test
    void ofAChainOfChangesOverALeaderThatIsKilledNoneIsLostAndNoneHappensTwice() {
        timings = CALM;
        group(3);
        Node leader = leader(nodes);
        Node asks = allBut(leader).get(0);
        AtomicInteger answers = new AtomicInteger();
        network.loses = (to, question) -> {
            if (!to.equals(leader.id) || question[0] != LeaderRequests.MARK || answers.incrementAndGet() < 10) {
                return false;
            }
            network.isolated.add(leader.id);
            return true;
        };
        List<Long> versions = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ConfigEntry before = asks.config.get("alias", "count").orElse(null);
            assertThat(before == null ? 0 : Integer.parseInt(asks.alias("count")))
                    .isEqualTo(i);
            assertThat(asks.config.propose(List.of(change(before, String.valueOf(i + 1)))))
                    .as("nobody else changes it")
                    .isInstanceOf(Result.Applied.class);
            versions.add(asks.config.get("alias", "count").orElseThrow().version());
        }
        assertThat(network.isolated).as("the leader was killed").contains(leader.id);
        assertThat(versions).isSorted().doesNotHaveDuplicates();
        leader.stop();
        network.heal();
        leader.boot();
        assertThat(leader.raft.open()).isTrue();
        for (Node node : nodes) {
            awaitAlias(node, "count", "20");
            assertThat(node.config.get("alias", "count").orElseThrow().version())
                    .isEqualTo(versions.get(19));
        }
    }

    @Test
    void aSnapshotThatIsCutOffHalfWayComesAllTheSameAndLeavesNothingBehind() throws IOException {
        group(3);
        Node leader = leader(nodes);
        Node late = allBut(leader).get(0);
        late.stop();
        String large = "x".repeat(60_000);
        for (int i = 0; i < 12; i++) {
            leader.set("large" + i, large);
        }
        for (int i = 0; i < 200; i++) {
            leader.set("n", "v" + i);
        }
        AtomicInteger chunks = new AtomicInteger();
        AtomicBoolean cut = new AtomicBoolean();
        network.breaks = (to, question) -> {
            if (to.equals(late.id) && question[0] == LinkServerRpc.SNAPSHOT && chunks.incrementAndGet() == 4) {
                cut.set(true);
            }
            return to.equals(late.id) && cut.get();
        };
        late.boot();
        assertThat(late.raft.open()).isTrue();
        Await.until("the cut", PATIENCE, cut::get);
        assertThat(late.alias("large0")).isEmpty();
        Path temporary =
                late.log().resolve(Objects.requireNonNull(late.raft.groupId())).resolve("tmp");
        assertThat(temporary).isNotEmptyDirectory();
        stays(() -> assertThat(chunks)
                .as("nobody is sent a snapshot without pause who refuses it")
                .hasValueLessThan(4 + 10));
        int before = chunks.get();
        RaftServer server = late.raft.host().running();
        cut.set(false);
        awaitAlias(late, "n", "v199");
        assertThat(late.alias("large11")).isEqualTo(large);
        assertThat(chunks).as("the snapshot, from its beginning").hasValueGreaterThan(before + 5);
        assertThat(late.raft.host().running())
                .as("Ratis goes on with it, and need not be opened again")
                .isSameAs(server);
        late.stop();
        late.boot();
        assertThat(late.raft.open()).isTrue();
        assertThat(temporary)
                .satisfiesAnyOf(
                        none -> assertThat(none).doesNotExist(),
                        none -> assertThat(none).isEmptyDirectory());
        assertThat(late.set("on", "yes")).isInstanceOf(Result.Applied.class);
    }

    private static Op change(@Nullable ConfigEntry before, String value) {
        return Op.set(before, "alias", before == null ? "count" : before.key(), value.getBytes(StandardCharsets.UTF_8));
    }

    /** For as long as an election would take. */
    static void stays(Runnable asserted) {
        long end = System.nanoTime() + LONG.toNanos();
        while (System.nanoTime() < end) {
            asserted.run();
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }
}
