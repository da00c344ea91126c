package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** Members outside the group: what they follow, what they may change, how they come in and go out. */
@Timeout(180)
class ObserverIT {
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

    private static String role(Node of, Node from) {
        return from.swarm.view().members().stream()
                .filter(member -> member.node().id().equals(of.key.id().toString()))
                .map(SwarmView.Member::role)
                .findFirst()
                .orElse("none");
    }

    private static void awaitRole(Node of, String role, Node... seenBy) {
        for (Node from : seenBy) {
            Await.until(
                    of.name + " is " + role + " to " + from.name,
                    SwarmNodes.PATIENCE,
                    () -> role(of, from).equals(role));
        }
    }

    private static void awaitAlias(Node node, String label, String app) {
        Await.until(
                label + " on " + node.name,
                SwarmNodes.PATIENCE,
                () -> app.equals(node.swarm.aliases().get(label)));
    }

    private Node joined(String name, Node issuer, boolean observer) throws IOException {
        Node node = nodes.node(name);
        node.swarm.join(issuer.token().text(), observer);
        return node;
    }

    @Test
    void anObserverFollowsChangesThingsAndIsNotCounted() throws IOException {
        Node one = nodes.node("one");
        one.swarm.alias("shop", "app");
        Node phone = joined("phone", one, true);
        awaitRole(phone, "observer", one, phone);
        assertThat(phone.swarm.aliases()).containsEntry("shop", "app");
        assertThat(phone.swarm.view().leader()).isEqualTo(one.swarm.view().leader());
        one.swarm.alias("later", "app");
        awaitAlias(phone, "later", "app");
        phone.swarm.alias("own", "app");
        assertThat(phone.swarm.aliases()).as("seen at once by who changed it").containsEntry("own", "app");
        assertThat(one.swarm.aliases()).containsEntry("own", "app");
        Node two = joined("two", phone, false);
        awaitRole(two, "voter", one, phone);
        phone.stop();
        two.swarm.alias("asleep", "app");
        assertThat(one.swarm.view().quorum()).isTrue();
        phone.start();
        awaitAlias(phone, "asleep", "app");
        Await.until(
                "the same version",
                SwarmNodes.PATIENCE,
                () -> phone.swarm.view().configVersion() == one.swarm.view().configVersion());
        phone.swarm.leave(false, Scope::id);
        SwarmNodes.awaitMembers(2, one, two);
        SwarmNodes.awaitMembers(1, phone);
    }

    @Test
    void aFourthObservesByItselfAndRolesChangeHands() throws IOException {
        Node one = nodes.node("one");
        Node two = joined("two", one, false);
        assertThat(one.swarm.view().warning()).contains("2 voters");
        Node three = joined("three", one, false);
        assertThat(one.swarm.view().warning()).isEmpty();
        Node four = joined("four", two, false);
        awaitRole(four, "observer", one, two, three, four);
        assertThat(four.swarm.promote("four").warning()).contains("4 voters");
        awaitRole(four, "voter", one, two, three, four);
        assertThat(one.swarm.watch().events().since(0))
                .filteredOn(event -> event.kind().equals("role"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.node()).isEqualTo(four.key.id());
                    assertThat(event.what()).startsWith("votes");
                });
        four.swarm.alias("four", "app");
        assertThatThrownBy(() -> one.swarm.promote("four")).hasMessageContaining("voter already");
        SwarmView.Named leads = one.swarm.view().leader();
        Node leader = leads != null && leads.name().equals("one") ? one : two;
        Node other = leader == one ? two : one;
        other.swarm.demote(leader.name);
        awaitRole(leader, "observer", one, two, three, four);
        assertThat(other.swarm.view().quorum()).isTrue();
        leader.swarm.alias("still", "app");
        awaitAlias(three, "still", "app");
        leader.stop();
        leader.start();
        awaitRole(leader, "observer", leader, other);
        awaitAlias(leader, "still", "app");
    }

    @Test
    void theLastVoterStaysAndWhoIsAwayIsNotPromoted() throws IOException {
        Node one = nodes.node("one");
        Node phone = joined("phone", one, true);
        assertThatThrownBy(() -> one.swarm.demote("one")).hasMessageContaining("last voter");
        assertThatThrownBy(() -> one.swarm.leave(false, Scope::id)).hasMessageContaining("last voter");
        assertThatThrownBy(() -> one.swarm.demote("phone")).hasMessageContaining("observer already");
        phone.stop();
        Await.until(
                "phone is missed",
                SwarmNodes.PATIENCE,
                () -> one.swarm.view().members().stream()
                        .anyMatch(member -> member.state().equals("left")));
        assertThatThrownBy(() -> one.swarm.promote("phone"))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.UNREACHABLE));
        phone.start();
        one.stop();
        Await.until("no quorum", SwarmNodes.PATIENCE, () -> !phone.swarm.view().quorum());
        assertThatThrownBy(() -> phone.swarm.promote("phone"))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.NO_QUORUM));
        assertThat(phone.swarm.recover().quorum())
                .as("the only one left can be made to decide")
                .isTrue();
        phone.swarm.alias("alone", "app");
    }

    @Test
    void aVoterThatWasDemotedWhileItWasAwayObservesWhenItIsBack() throws IOException {
        Node one = nodes.node("one");
        Node two = joined("two", one, false);
        Node three = joined("three", one, false);
        SwarmNodes.awaitMembers(3, one, two, three);
        three.stop();
        one.swarm.demote("three");
        one.swarm.alias("meanwhile", "app");
        three.start();
        awaitAlias(three, "meanwhile", "app");
        awaitRole(three, "observer", one, two, three);
        three.swarm.alias("after", "app");
        assertThat(one.swarm.aliases()).containsEntry("after", "app");
    }

    @Test
    void whoWasGivenUpByARecoveryFollowsWhenItMeetsTheLaterEpoch() throws IOException {
        Node one = nodes.node("one");
        Node two = joined("two", one, false);
        Node three = joined("three", one, false);
        SwarmNodes.awaitMembers(3, one, two, three);
        one.swarm.alias("before", "app");
        one.swarm.online(false);
        Await.until(
                "one is without a quorum",
                SwarmNodes.PATIENCE,
                () -> !one.swarm.view().quorum());
        Await.until("two and three go on under one of them", SwarmNodes.PATIENCE, () -> {
            SwarmView view = two.swarm.view();
            SwarmView.Named leader = view.leader();
            return view.quorum() && leader != null && !leader.name().equals("one");
        });
        two.swarm.alias("other-side", "app");
        assertThat(one.swarm.recover().quorum()).isTrue();
        one.swarm.alias("recovered", "app");
        one.swarm.online(true);
        for (Node given : new Node[] {two, three}) {
            awaitAlias(given, "recovered", "app");
            awaitRole(given, "observer", one, given);
            assertThat(given.swarm.view().warning()).contains("given up", "promote");
            assertThat(given.swarm.aliases()).as("what the other side agreed").doesNotContainKey("other-side");
        }
        two.swarm.promote("two");
        awaitRole(two, "voter", one, two, three);
        two.swarm.alias("after", "app");
        awaitAlias(three, "after", "app");
    }

    @Test
    void ofTwoSidesThatBothRecoverOneGivesWay() throws IOException {
        Node one = nodes.node("one");
        Node two = joined("two", one, false);
        Node phone = joined("phone", one, true);
        SwarmNodes.awaitMembers(3, one, two, phone);
        one.swarm.online(false);
        for (Node alone : new Node[] {one, two}) {
            Await.until(
                    alone.name + " is without a quorum",
                    SwarmNodes.PATIENCE,
                    () -> !alone.swarm.view().quorum());
            assertThat(alone.swarm.recover().quorum()).isTrue();
            alone.swarm.alias("decided-by", alone.name);
        }
        awaitAlias(phone, "decided-by", "two");
        one.swarm.online(true);
        Await.until(
                "one of them gives way",
                SwarmNodes.PATIENCE,
                () -> role(one, two).equals(role(one, one))
                        && role(two, one).equals(role(two, two))
                        && role(one, one).equals("observer") != role(two, two).equals("observer"));
        Node later = role(one, one).equals("observer") ? two : one;
        Node given = later == one ? two : one;
        for (Node node : new Node[] {one, two, phone}) {
            awaitAlias(node, "decided-by", later.name);
        }
        assertThat(given.swarm.view().warning()).contains("given up", "promote");
        assertThat(later.swarm.view().warning()).doesNotContain("given up");
        given.swarm.alias("after", "app");
        awaitAlias(phone, "after", "app");
    }
}
