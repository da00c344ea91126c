package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.link.Applicant;
import sh.fazt.link.JoinAnswer;
import sh.fazt.link.JoinCall;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** Whole swarms in one process: real links, cartridges and groups. */
@Timeout(120)
class SwarmIT {
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

    @Test
    void aNodeJoinsAfterTheFounderIsGone() throws IOException {
        Node founder = nodes.node("founder");
        founder.swarm.alias("shop", "app");
        Node second = nodes.node("second");
        second.swarm.join(founder.token().text());
        founder.swarm.leave(false, Scope::id);
        SwarmNodes.awaitMembers(1, second);
        founder.stop();
        Node third = nodes.node("third");
        third.swarm.join(second.token().text());
        SwarmNodes.awaitMembers(2, second, third);
        assertThat(third.swarm.aliases()).containsEntry("shop", "app");
        third.swarm.alias("other", "app");
        assertThat(third.swarm.aliases()).containsEntry("other", "app");
    }

    @Test
    void aNodeThatWasAloneAndLostItsLogCanBeJoined() throws IOException {
        Node one = nodes.node("one");
        one.swarm.alias("shop", "app");
        String id = one.swarm.view().swarm().id();
        one.stop();
        SwarmNodes.delete(one.raft());
        one.start();
        Node two = nodes.node("two");
        two.swarm.join(one.token().text());
        SwarmNodes.awaitMembers(2, one, two);
        assertThat(two.swarm.view().swarm().id()).isEqualTo(id);
        assertThat(two.swarm.aliases()).containsEntry("shop", "app");
    }

    @Test
    void aNodeWhosePartCanNotBeOpenedAtTheStartTriesAgain() throws IOException {
        AtomicInteger tries = new AtomicInteger();
        nodes.random = new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                if (bytes.length == Swarm.ID_BYTES && tries.incrementAndGet() <= 2) {
                    throw new IllegalStateException("as when no leader is elected in time");
                }
                super.nextBytes(bytes);
            }
        };
        Node one = nodes.node("one");
        one.swarm.alias("shop", "app");
        assertThat(tries).hasValue(3);
        Node two = nodes.node("two");
        two.swarm.join(one.token().text());
        SwarmNodes.awaitMembers(2, one, two);
    }

    @Test
    void aMemberThatLostItsLogVotesAgain() throws IOException {
        Node one = nodes.node("one");
        Node two = nodes.node("two");
        two.swarm.join(one.token().text());
        Node three = nodes.node("three");
        three.swarm.join(one.token().text());
        SwarmNodes.awaitMembers(3, one, two, three);
        two.stop();
        SwarmNodes.delete(two.raft());
        one.swarm.alias("meanwhile", "app");
        two.start();
        SwarmNodes.awaitMembers(3, one, two, three);
        two.swarm.alias("after", "app");
        assertThat(two.swarm.aliases()).containsKeys("meanwhile", "after");
    }

    @Test
    void ofTwoMembersTheOneThatLostItsWholeLogVotesAgain() throws IOException {
        Node one = nodes.node("one");
        Node two = nodes.node("two");
        two.swarm.join(one.token().text());
        SwarmNodes.awaitMembers(2, one, two);
        one.swarm.alias("before", "app");
        two.stop();
        SwarmNodes.delete(two.raft());
        two.start();
        Await.until(
                "a quorum of two",
                Duration.ofSeconds(60),
                () -> two.swarm.view().quorum());
        two.swarm.alias("after", "app");
        assertThat(two.swarm.aliases()).containsKeys("before", "after");
    }

    @Test
    void aJoinThatWasCutOffBeforeItsGroupGoesOn() throws IOException {
        Node one = nodes.node("one");
        Node two = nodes.node("two");
        SwarmNodes.awaitMembers(1, two);
        JoinAnswer answer = JoinCall.join(
                        one.token(),
                        two.key,
                        new Applicant("two", two.addresses(), false, SwarmOptions.SCHEMA_LEVEL),
                        Duration.ofSeconds(20),
                        two.io)
                .toCompletableFuture()
                .join();
        two.stop();
        try (SqliteCartridge file = two.file()) {
            // What a crash leaves right after the admission was noted.
            new PendingJoin(file).keep(Admission.parseFrom(((JoinAnswer.Admitted) answer).admission()));
        }
        two.start();
        SwarmNodes.awaitMembers(2, one, two);
        assertThat(two.swarm.view().swarm()).isEqualTo(one.swarm.view().swarm());
    }

    @Test
    void aNodeOnNoNetworkSaysWhyItMakesNoToken() throws IOException {
        Node one = nodes.node("one");
        one.onNetwork = false;
        one.restart(SwarmOptions.SCHEMA_LEVEL);
        assertThatThrownBy(one::token)
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.INVALID))
                .hasMessageContaining("no address");
    }

    @Test
    void aSwarmWhoseFoundingWasCutOffIsFounded() throws IOException {
        Node one = nodes.node("one");
        SwarmNodes.awaitMembers(1, one);
        one.stop();
        try (SqliteCartridge file = one.file()) {
            // What a crash leaves between the group and its first records.
            file.writeLocal(tx -> tx.execute("DELETE FROM config_entry"))
                    .toCompletableFuture()
                    .join();
        }
        one.start();
        assertThat(one.swarm.init("again").swarm().name()).isEqualTo("again");
        SwarmNodes.awaitMembers(1, one);
    }
}
