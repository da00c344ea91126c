package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.identity.NodeId;
import sh.fazt.testkit.Await;

/** Cartridges that are put back without some of what lay beside them. */
@Timeout(120)
class RestoredIT {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    @TempDir
    Path folder;

    @Test
    void aBackupWithoutItsKeyIsANewNodeThatCanJoinItsSwarmAgain() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office")) {
            home.swarm.init("mine");
            home.swarm.alias("shop", "app");
            home.set("a", "1");
            office.join(home);
            office.cartridge.backup(folder.resolve("back"));
            home.set("b", "2");
            try (SwarmNode back = new SwarmNode(folder, "back")) {
                SwarmView alone = awaitAlone(back);
                assertThat(alone.swarm().name()).isEqualTo("mine");
                assertThat(alone.swarm().id())
                        .isNotEqualTo(home.swarm.view().swarm().id());
                assertThat(alone.warning()).contains("one other", "fazt swarm join", "fazt swarm evict");
                assertThat(back.swarm.aliases()).containsEntry("shop", "app");
                assertThat(back.pairs()).containsEntry("a", "1");
                back.swarm.alias("blog", "other");
                back.swarm.token(Duration.ofHours(1));
                back.set("c", "3");
            }
            try (SwarmNode back = new SwarmNode(folder, "back")) {
                assertThat(awaitAlone(back).warning()).contains("fazt swarm join");
                assertThat(back.swarm.aliases()).containsEntry("blog", "other");
                back.join(home);
                assertThat(back.swarm.view().warning()).doesNotContain("restored");
                assertThat(back.swarm.view().members()).hasSize(3);
                Await.until(
                        "nothing is lost of what the restored one wrote",
                        PATIENCE,
                        () -> home.pairs().size() == 3 && back.pairs().equals(home.pairs()));
                assertThat(home.swarm.alarms() + office.swarm.alarms() + back.swarm.alarms())
                        .isZero();
            }
        }
    }

    @Test
    void anObserversBackupIsAVoterOfItsOwn() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            home.swarm.alias("shop", "app");
            phone.swarm.join(home.swarm.token(Duration.ofHours(1)).token().text(), true);
            phone.cartridge.backup(folder.resolve("back"));
        }
        try (SwarmNode back = new SwarmNode(folder, "back")) {
            awaitAlone(back);
            assertThat(back.swarm.aliases()).containsEntry("shop", "app");
            back.swarm.alias("blog", "other");
        }
    }

    @Test
    void aNodeAloneGoesOnWhateverIsLeftBesideItsCartridge() throws Exception {
        NodeId first;
        try (SwarmNode home = new SwarmNode(folder, "home")) {
            home.swarm.init("mine");
            home.swarm.alias("shop", "app");
            first = home.key.id();
        }
        SwarmNodes.delete(folder.resolve("home.raft"));
        try (SwarmNode home = new SwarmNode(folder, "home")) {
            assertThat(home.key.id()).isEqualTo(first);
            expectWhatWasAgreed(home);
        }
        Files.delete(folder.resolve("home.key"));
        try (SwarmNode home = new SwarmNode(folder, "home")) {
            assertThat(home.key.id()).as("the log is of another node").isNotEqualTo(first);
            expectWhatWasAgreed(home);
        }
    }

    private static void expectWhatWasAgreed(SwarmNode node) {
        SwarmView alone = awaitAlone(node);
        assertThat(alone.swarm().name()).isEqualTo("mine");
        assertThat(alone.warning()).isEmpty();
        assertThat(node.swarm.aliases()).containsEntry("shop", "app");
        node.swarm.alias("blog", "other");
    }

    private static SwarmView awaitAlone(SwarmNode node) {
        Await.until(node.name + " is a swarm of one", PATIENCE, () -> {
            SwarmView view = node.swarm.view();
            return view.quorum()
                    && view.members().size() == 1
                    && view.members().get(0).node().id().equals(node.key.id().toString());
        });
        return node.swarm.view();
    }
}
