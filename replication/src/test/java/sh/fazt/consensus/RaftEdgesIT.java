package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.consensus.SwarmConfig.Result;

/** Where Ratis is known to lose what was agreed, to stand still or to be misled: each case of its own. */
class RaftEdgesIT extends RaftNodes {
    /** Several times as long as a voter waits before it stands for election. */
    private static final Duration LONG = Duration.ofSeconds(2);

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
