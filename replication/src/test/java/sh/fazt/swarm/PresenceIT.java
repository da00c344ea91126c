package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** A phone that pays for what it sends: it is away, not dead. */
@Timeout(120)
class PresenceIT {
    @TempDir
    Path folder;

    private SwarmNodes nodes;

    @BeforeEach
    void start() {
        nodes = new SwarmNodes(folder);
    }

    @AfterEach
    void stop() {
        nodes.stop();
    }

    private static void awaitState(Node of, String state, Node seenBy) {
        Await.until(
                of.name + " is " + state + " to " + seenBy.name,
                SwarmNodes.PATIENCE,
                () -> state(of, seenBy).equals(state));
    }

    private static String state(Node of, Node seenBy) {
        return seenBy.swarm.view().members().stream()
                .filter(member -> member.node().id().equals(of.key.id().toString()))
                .map(SwarmView.Member::state)
                .findFirst()
                .orElse("none");
    }

    @Test
    void whoPaysForWhatItSendsIsAwayObservesAndIsNeverDeclaredDead() throws IOException {
        Node home = nodes.node("home");
        Node phone = nodes.node("phone");
        phone.swarm.setLink("default", "metered", "on");
        phone.swarm.join(home.token().text());
        awaitState(phone, "away", home);
        assertThat(home.swarm.view().members())
                .filteredOn(member -> member.node().name().equals("phone"))
                .extracting(SwarmView.Member::role)
                .as("who votes is asked each second")
                .containsExactly("observer");
        assertThatThrownBy(() -> home.swarm.promote("phone")).hasMessageContaining("metered off");
        assertThatThrownBy(() -> phone.swarm.promote("phone")).hasMessageContaining("metered off");
        home.swarm.alias("shop", "app");
        Await.until(
                "it is told what changes all the same",
                SwarmNodes.PATIENCE,
                () -> "app".equals(phone.swarm.aliases().get("shop")));
        phone.thread.execute(() -> LockSupport.parkNanos(8_000_000_000L));
        long end = System.nanoTime() + 8_000_000_000L;
        while (System.nanoTime() < end) {
            assertThat(state(phone, home)).isEqualTo("away");
            LockSupport.parkNanos(50_000_000);
        }
        phone.swarm.setLink("default", "metered", "off");
        awaitState(phone, "alive", home);
    }
}
