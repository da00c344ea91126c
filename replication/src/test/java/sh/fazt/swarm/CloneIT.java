package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.testkit.Await;

/** A copied cartridge that becomes a node of its own. */
@Timeout(120)
class CloneIT {
    @TempDir
    Path folder;

    @Test
    void aCloneIsANodeOfItsOwnWithAllData() throws Exception {
        String swarm;
        try (SwarmNode home = new SwarmNode(folder, "home")) {
            home.set("a", "1");
            home.swarm.alias("shop", "app");
            swarm = home.swarm.view().swarm().id();
        }
        for (String suffix : List.of("", ".key")) {
            Files.copy(folder.resolve("home" + suffix), folder.resolve("copy" + suffix));
        }
        NodeId made;
        try (SqliteCartridge copy =
                SqliteCartridge.open(folder.resolve("copy"), CartridgeOptions.standard(), Swarm.schemas())) {
            made = Clone.of(copy, folder.resolve("copy.key"), folder.resolve("copy.raft"));
        }
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode copy = new SwarmNode(folder, "copy")) {
            assertThat(copy.key.id()).isEqualTo(made).isNotEqualTo(home.key.id());
            Await.until(
                    "the copy is a swarm of one",
                    Duration.ofSeconds(40),
                    () -> copy.swarm.view().quorum());
            assertThat(copy.swarm.view().swarm().id()).isNotEqualTo(swarm);
            assertThat(copy.swarm.aliases()).containsEntry("shop", "app");
            assertThat(copy.pairs()).containsEntry("a", "1");
            home.set("b", "2");
            copy.set("c", "3");
            copy.join(home);
            Await.until(
                    "they agree",
                    Duration.ofSeconds(40),
                    () -> home.pairs().size() == 3 && copy.pairs().equals(home.pairs()));
            assertThat(home.swarm.alarms() + copy.swarm.alarms()).isZero();
        }
    }
}
