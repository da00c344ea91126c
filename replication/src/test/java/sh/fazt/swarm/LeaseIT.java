package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sh.fazt.swarm.SwarmNodes.PATIENCE;
import static sh.fazt.swarm.SwarmNodes.awaitMembers;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.swarm.Leases.Lease;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** Leases over real links: whoever leads, and whatever becomes of it. */
@Timeout(180)
class LeaseIT {
    private static final Duration SHORT = Leases.SHORTEST;

    @TempDir
    Path folder;

    private SwarmNodes swarm;

    @BeforeEach
    void begin() {
        swarm = new SwarmNodes(folder);
    }

    @AfterEach
    void stop() {
        swarm.stop();
    }

    private Node[] three() throws IOException {
        Node home = swarm.node("home");
        Node vps = swarm.node("vps");
        Node office = swarm.node("office");
        vps.swarm.join(home.token().text());
        office.swarm.join(home.token().text());
        awaitMembers(3, home, vps, office);
        return new Node[] {home, vps, office};
    }

    private static Node leader(Node... nodes) {
        Node[] found = new Node[1];
        Await.until("a leader", PATIENCE, () -> {
            for (Node node : nodes) {
                SwarmView.Named leader = node.runs ? node.swarm.view().leader() : null;
                if (leader != null && leader.id().equals(node.key.id().toString())) {
                    found[0] = node;
                }
            }
            return found[0] != null;
        });
        return found[0];
    }

    private static void refused(SwarmException.Reason reason, String text, ThrowingCallable call) {
        assertThatThrownBy(call)
                .hasMessageContaining(text)
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    /** Takes it once it is free; answers when it was asked for, and what it is. */
    private static Lease await(Node node, String name, String holder) {
        Lease[] taken = new Lease[1];
        Await.until(holder + " has " + name, PATIENCE, () -> {
            taken[0] = tryTake(node, name, holder);
            return taken[0] != null;
        });
        return Objects.requireNonNull(taken[0]);
    }

    private static @Nullable Lease tryTake(Node node, String name, String holder) {
        try {
            return node.swarm.leases().take(name, SHORT, holder);
        } catch (SwarmException e) {
            return null;
        }
    }

    @Test
    void oneHolderAtATimeAndTheOthersAreToldWho() throws IOException {
        Node[] nodes = three();
        Lease first = nodes[0].swarm.leases().take("nightly", SHORT, "a");
        assertThat(first.token()).isEqualTo(1);
        assertThat(first.node().name()).isEqualTo("home");
        assertThat(first.left()).isEqualTo(SHORT);
        for (Node other : nodes) {
            refused(
                    SwarmException.Reason.CONFLICT,
                    "lease nightly is held by a through home (token 1) for up to",
                    () -> other.swarm.leases().take("nightly", SHORT, "b"));
            Await.until(
                    "the lease is known on " + other.name,
                    PATIENCE,
                    () -> other.swarm.leases().list().stream()
                            .anyMatch(lease ->
                                    lease.holder().equals("a") && lease.left().compareTo(Duration.ofMinutes(1)) < 0));
        }
        assertThat(nodes[0].swarm
                        .leases()
                        .take("nightly", Duration.ofHours(1), "a")
                        .token())
                .as("the same holder has what it had")
                .isEqualTo(1);
        refused(
                SwarmException.Reason.CONFLICT,
                "held by a",
                () -> nodes[1].swarm.leases().take("nightly", SHORT, "a"));
        assertThat(nodes[2].swarm.leases().renew("nightly", 1, SHORT).left())
                .as("a renewal makes it no shorter")
                .isGreaterThan(Duration.ofMinutes(59));

        assertThat(nodes[1].swarm.leases().release("nightly", 9))
                .isEqualTo(new Leases.Release(
                        false, nodes[1].swarm.leases().release("nightly", 9).text()))
                .extracting(Leases.Release::text)
                .asString()
                .contains("nothing was released")
                .contains("held by a through home");
        assertThat(nodes[1].swarm.leases().release("nightly", 1).released()).isTrue();
        Lease second = nodes[1].swarm.leases().take("nightly", SHORT, "b");
        assertThat(second.token()).isEqualTo(2);
        refused(
                SwarmException.Reason.CONFLICT,
                "held no more with token 1: it is held by b through vps",
                () -> nodes[0].swarm.leases().renew("nightly", 1, SHORT));
        assertThat(nodes[0].swarm.leases().revoke("nightly").text()).contains("it was held by b through vps");
        assertThat(nodes[0].swarm.leases().revoke("nightly").released()).isFalse();
        refused(
                SwarmException.Reason.CONFLICT,
                "nobody holds it",
                () -> nodes[1].swarm.leases().renew("nightly", 2, SHORT));
        assertThat(nodes[0].swarm.leases().take("nightly", SHORT, null).token()).isEqualTo(3);

        for (String bad : List.of("", "Nightly", "-x", "a/b", "x".repeat(64))) {
            refused(
                    SwarmException.Reason.INVALID,
                    "a lease's name",
                    () -> nodes[0].swarm.leases().take(bad, SHORT, "a"));
        }
        for (Duration bad : List.of(Duration.ZERO, SHORT.minusMillis(1), Duration.ofMinutes(61))) {
            refused(
                    SwarmException.Reason.INVALID,
                    "5 s to 1 h",
                    () -> nodes[0].swarm.leases().take("x", bad, "a"));
        }
        refused(
                SwarmException.Reason.INVALID,
                "holder",
                () -> nodes[0].swarm.leases().take("x", SHORT, "a\nb"));
    }

    @Test
    void aHolderKeepsItsLeaseWhenTheLeaderDiesAndNobodyGetsItEarlier() throws IOException {
        Node[] nodes = three();
        Node leader = leader(nodes);
        List<Node> rest = List.of(nodes).stream().filter(node -> node != leader).toList();
        long asked = System.nanoTime();
        Lease held = rest.get(0).swarm.leases().take("nightly", SHORT, "a");
        leader.stop();
        Lease next = await(rest.get(1), "nightly", "b");
        assertThat(System.nanoTime() - asked).as("the new leader counts anew").isGreaterThanOrEqualTo(SHORT.toNanos());
        assertThat(next.token()).isGreaterThan(held.token());
        assertThat(rest.get(1)
                        .swarm
                        .leases()
                        .renew("nightly", next.token(), SHORT)
                        .token())
                .isEqualTo(next.token());
        leader.start();
        awaitMembers(3, nodes);
        assertThat(leader.swarm.leases().renew("nightly", next.token(), SHORT).token())
                .isEqualTo(next.token());
    }

    @Test
    void aHolderThatIsCutOffHasStoppedBeforeTheOthersGiveItAway() throws IOException {
        Node[] nodes = three();
        Node cut = leader(nodes);
        List<Node> rest = List.of(nodes).stream().filter(node -> node != cut).toList();
        Lease held = cut.swarm.leases().take("nightly", SHORT, "a");
        long asked = System.nanoTime();
        cut.swarm.leases().renew("nightly", held.token(), SHORT);
        cut.swarm.online(false);
        refused(
                SwarmException.Reason.NO_QUORUM,
                "can't renew lease nightly without a quorum",
                () -> cut.swarm.leases().renew("nightly", held.token(), SHORT));
        Lease next = await(rest.get(0), "nightly", "b");
        assertThat(System.nanoTime() - asked)
                .as("whoever counts from before it asked has stopped")
                .isGreaterThanOrEqualTo(SHORT.toNanos());
        assertThat(next.token()).isGreaterThan(held.token());
        refused(
                SwarmException.Reason.NO_QUORUM,
                "can't take lease other without a quorum",
                () -> cut.swarm.leases().take("other", SHORT, "a"));
        cut.swarm.online(true);
        awaitMembers(3, nodes);
        Await.until("who was cut off is told", PATIENCE, () -> {
            try {
                cut.swarm.leases().renew("nightly", held.token(), SHORT);
            } catch (SwarmException e) {
                return e.reason() == SwarmException.Reason.CONFLICT;
            }
            throw new AssertionError("two holders");
        });
    }

    @Test
    void tokensGrowThroughRecoveryARestartAndALostLog() throws IOException {
        Node[] nodes = three();
        long token = nodes[0].swarm.leases().take("nightly", SHORT, "a").token();
        nodes[0].swarm.leases().release("nightly", token);
        Node survivor = nodes[2];
        Await.until(
                "the survivor knows",
                PATIENCE,
                () -> survivor.swarm.leases().list().isEmpty());
        // What the others agree on when it is away is what it can't know.
        survivor.stop();
        for (int i = 0; i < 5; i++) {
            token = nodes[0].swarm.leases().take("nightly", SHORT, "a").token();
            assertThat(nodes[1].swarm.leases().release("nightly", token).released())
                    .isTrue();
        }
        nodes[0].stop();
        nodes[1].stop();
        survivor.start();
        survivor.swarm.recover();
        long recovered = survivor.swarm.leases().take("nightly", SHORT, "b").token();
        assertThat(recovered).as("after recovery").isGreaterThan(token);

        survivor.stop();
        survivor.start();
        awaitMembers(3, survivor);
        assertThat(survivor.swarm.leases().take("other", SHORT, "b").token())
                .as("after a restart")
                .isEqualTo(recovered + 1);

        survivor.stop();
        SwarmNodes.delete(survivor.raft());
        survivor.start();
        awaitMembers(3, survivor);
        refused(
                SwarmException.Reason.CONFLICT,
                "held by b",
                () -> survivor.swarm.leases().take("other", SHORT, "c"));
        assertThat(survivor.swarm.leases().take("third", SHORT, "c").token())
                .as("a cartridge without its log may be a copy put back")
                .isGreaterThan(recovered + 1_000_000);
    }

    @Test
    void anObserverTakesThemToo() throws IOException {
        Node home = swarm.node("home");
        Node phone = swarm.node("phone");
        phone.swarm.join(home.token().text(), true);
        Lease held = phone.swarm.leases().take("nightly", SHORT, "a");
        assertThat(home.swarm.leases().list()).singleElement().satisfies(lease -> {
            assertThat(lease.node().name()).isEqualTo("phone");
            assertThat(lease.token()).isEqualTo(held.token());
        });
        assertThat(phone.swarm.leases().list()).hasSize(1);
        refused(
                SwarmException.Reason.CONFLICT,
                "through phone",
                () -> home.swarm.leases().take("nightly", SHORT, "b"));
        assertThat(phone.swarm.leases().release("nightly", held.token()).released())
                .isTrue();
        assertThat(home.swarm.leases().list()).isEmpty();
    }
}
