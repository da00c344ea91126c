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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmConfig.Result;
import sh.fazt.protocol.consensus.v1.Outcome;
import sh.fazt.testkit.Await;

/** Where Ratis is known to lose what was agreed, to stand still or to be misled: each case of its own. */
class RaftEdgesIT extends RaftNodes {
    /** Several times as long as a voter waits before it stands for election. */
    private static final Duration LONG = Duration.ofSeconds(2);

    /** So patient that a slow machine alone causes no election. */
    private static final Timings CALM = new Timings(Duration.ofMillis(600), Duration.ofMillis(1200));

    /** What a voter has forgotten when it starts again. */
    enum Forgotten {
        END_OF_LOG,
        END_OF_CARTRIDGE,
        LOG_AND_END_OF_CARTRIDGE
    }

    /** Two of three have agreed, the third lags. Then one of the two is away, and the other has forgotten. */
    @ParameterizedTest
    @EnumSource
    void nobodyIsElectedWhoseVotersForgotWhatWasAgreed(Forgotten what) throws IOException {
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
    void whoDoesNotReachOneOfTheOthersCostsNoElection() {
        timings = CALM;
        group(3);
        Node leader = leader(nodes);
        Node far = allBut(leader).get(0);
        Node hub = allBut(leader).get(1);
        long term = leader.raft.status().term();
        List<Runnable> cuts = List.of(
                () -> network.cut(leader.id, far.id),
                () -> network.deafen(leader.id, far.id),
                () -> network.deafen(far.id, leader.id));
        for (int i = 0; i < cuts.size(); i++) {
            cuts.get(i).run();
            stays(() -> expectTerm(leader, term, hub));
            assertThat(hub.set("cut" + i, "yes")).isInstanceOf(Result.Applied.class);
            network.heal();
            awaitAlias(far, "cut" + i, "yes");
        }
        expectTerm(leader, term, hub, far);
    }

    @Test
    void aVoterThatComesAndGoesCostsNoElection() {
        timings = CALM;
        group(3);
        Node leader = leader(nodes);
        Node flaps = allBut(leader).get(0);
        Node hub = allBut(leader).get(1);
        long term = leader.raft.status().term();
        for (int i = 0; i < 3; i++) {
            network.isolated.add(flaps.id);
            assertThat(hub.set("cut" + i, "yes")).isInstanceOf(Result.Applied.class);
            stays(() -> expectTerm(leader, term, hub));
            network.heal();
            awaitAlias(flaps, "cut" + i, "yes");
            expectTerm(leader, term, hub, flaps);
        }
    }

    private static void expectTerm(Node leader, long term, Node... others) {
        assertThat(leader.raft.status().leads()).isTrue();
        assertThat(leader.raft.status().term()).isEqualTo(term);
        for (Node other : others) {
            assertThat(other.raft.status().term()).isEqualTo(term);
        }
    }

    /** Ratis lets a leader that hears nobody wait for ten seconds, and then elections take as long as that. */
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

    private static Op change(@Nullable ConfigEntry before, String value) {
        return Op.set(before, "alias", before == null ? "count" : before.key(), value.getBytes(StandardCharsets.UTF_8));
    }

    /** For as long as several elections would take. */
    private static void stays(Runnable asserted) {
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
