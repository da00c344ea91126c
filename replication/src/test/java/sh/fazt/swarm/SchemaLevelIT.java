package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.JoinToken;
import sh.fazt.link.LinkState;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** Members of several releases: real links, cartridges and groups. */
@Timeout(240)
class SchemaLevelIT {
    private static final int OLD = SwarmOptions.SCHEMA_LEVEL;
    private static final int NEW = OLD + 1;

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

    private static void awaitLevels(Node at, int agreed, Integer... members) {
        Await.until(
                at.name + " knows level " + agreed + " of members with " + List.of(members),
                SwarmNodes.PATIENCE,
                () -> {
                    SwarmView view = at.swarm.view();
                    return view.quorum()
                            && view.schemaLevel() == agreed
                            && view.members().stream()
                                    .map(SwarmView.Member::schemaLevel)
                                    .sorted()
                                    .toList()
                                    .equals(List.of(members));
                });
    }

    private Node[] three() throws IOException {
        Node one = nodes.node("one");
        Node two = nodes.node("two");
        two.swarm.join(one.token().text());
        Node three = nodes.node("three");
        three.swarm.join(one.token().text());
        SwarmNodes.awaitMembers(3, one, two, three);
        return new Node[] {one, two, three};
    }

    private static String problem(Node at, Node with) {
        return at.swarm.view().members().stream()
                .filter(member -> member.node().id().equals(with.key.id().toString()))
                .map(SwarmView.Member::problem)
                .collect(Collectors.joining());
    }

    private static boolean told(Node node, String what) {
        return node.swarm.watch().events().since(0).stream()
                .anyMatch(event ->
                        event.kind().equals("schema-level") && event.what().contains(what));
    }

    @Test
    void aLevelIsAgreedOnceEveryMemberHasItAndNoSooner() throws IOException {
        Node[] all = three();
        awaitLevels(all[0], OLD, OLD, OLD, OLD);
        all[0].restart(NEW);
        awaitLevels(all[1], OLD, OLD, OLD, NEW);
        all[1].restart(NEW);
        awaitLevels(all[2], OLD, OLD, NEW, NEW);
        // It may still go back, and says so.
        all[1].restart(OLD);
        awaitLevels(all[2], OLD, OLD, OLD, NEW);
        Node four = nodes.node("four", OLD);
        four.swarm.join(all[0].token().text());
        awaitLevels(four, OLD, OLD, OLD, OLD, NEW);
        all[1].restart(NEW);
        all[2].restart(NEW);
        awaitLevels(four, OLD, OLD, NEW, NEW, NEW);
        assertThat(told(four, "agreed")).isFalse();
        four.restart(NEW);
        for (Node node : all) {
            awaitLevels(node, NEW, NEW, NEW, NEW, NEW);
            Await.until("an event of it", SwarmNodes.PATIENCE, () -> told(node, "has agreed on schema level " + NEW));
        }
    }

    @Test
    void aMemberThatWentBackBelowTheLevelIsShutOutUntilItIsUpdated() throws IOException {
        Node[] all = three();
        for (Node node : all) {
            node.restart(NEW);
        }
        awaitLevels(all[2], NEW, NEW, NEW, NEW);
        Node back = all[2];
        back.restart(OLD);
        String update = "update fazt on node " + back.key.id().shortText();
        for (Node node : List.of(all[0], all[1])) {
            Await.until(
                    "both ends know why",
                    SwarmNodes.PATIENCE,
                    () -> problem(node, back).endsWith(update)
                            && problem(back, node).endsWith(update));
        }
        assertThat(back.swarm.view().warning()).contains("schema level " + OLD, "agreed on level " + NEW, "updated");
        assertThat(told(back, "shut out")).isTrue();
        assertThatThrownBy(() -> back.swarm.alias("shop", "app"))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.INVALID))
                .hasMessageContaining("too old for its swarm");
        // The others do without it.
        all[0].swarm.alias("shop", "app");
        assertThat(back.swarm.aliases()).isEmpty();
        back.restart(NEW);
        Await.until(
                "it has what it missed",
                SwarmNodes.PATIENCE,
                () -> back.swarm.aliases().containsKey("shop"));
        assertThat(back.swarm.view().warning()).isEmpty();
        assertThat(back.swarm.tooOld()).isEmpty();
    }

    @Test
    void aNodeBelowTheLevelJoinsWithTheSameTokenOnceItIsUpdated() throws IOException {
        Node one = nodes.node("one", NEW);
        awaitLevels(one, NEW, NEW);
        Node two = nodes.node("two", OLD);
        JoinToken token = one.token();
        assertThatThrownBy(() -> two.swarm.join(token.text()))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.CONFLICT))
                .hasMessageContaining("schema level " + OLD)
                .hasMessageContaining("Update fazt on it, then join with the same token");
        two.restart(NEW);
        two.swarm.join(token.text());
        awaitLevels(two, NEW, NEW, NEW);
    }

    @Test
    void anIssuerBelowItsOwnLevelLetsNobodyIn() throws IOException {
        Node one = nodes.node("one", NEW);
        awaitLevels(one, NEW, NEW);
        one.restart(OLD);
        Node two = nodes.node("two", NEW);
        assertThatThrownBy(() -> two.swarm.join(one.token().text()))
                .isInstanceOf(SwarmException.class)
                .hasMessageContaining("the issuer can't let anybody in: this node's fazt is too old");
    }

    @Test
    void aMemberThatWasAwayForAMonthIsNotWaitedFor() throws IOException {
        Node[] all = three();
        Node away = all[2];
        away.stop();
        for (Node node : List.of(all[0], all[1])) {
            node.restart(NEW);
        }
        awaitLevels(all[0], OLD, OLD, NEW, NEW);
        long then = Instant.now().minus(Duration.ofDays(31)).toEpochMilli();
        for (Node node : List.of(all[0], all[1])) {
            node.cartridge
                    .writeLocal(tx -> tx.execute(
                            "INSERT INTO fazt_heard VALUES (?, ?) ON CONFLICT (node) DO UPDATE SET at = excluded.at",
                            away.key.id().bytes(),
                            then))
                    .toCompletableFuture()
                    .join();
        }
        awaitLevels(all[0], NEW, OLD, NEW, NEW);
        away.restart(OLD);
        Await.until(
                "it is told",
                SwarmNodes.PATIENCE,
                () -> problem(away, all[0])
                        .endsWith("update fazt on node " + away.key.id().shortText()));
        assertThat(away.swarm.linkStates().values()).noneMatch(LinkState::up);
        away.restart(NEW);
        awaitLevels(away, NEW, NEW, NEW, NEW);
    }

    @Test
    void aSwarmOfReleasesThatToldNoLevelAgreesOnOneOnceItIsUpdated() throws IOException {
        Node one = nodes.node("one");
        awaitLevels(one, OLD, OLD);
        one.stop();
        try (SqliteCartridge file = one.file()) {
            // As the releases before levels wrote their records.
            file.writeLocal(tx -> {
                        for (String kind : List.of(Records.SWARM, Records.MEMBER)) {
                            byte[] value = tx.first(
                                            "SELECT value FROM config_entry WHERE kind = ?", row -> row.bytes(0), kind)
                                    .orElseThrow();
                            tx.execute(
                                    "UPDATE config_entry SET value = ? WHERE kind = ?",
                                    withoutLevel(kind, value),
                                    kind);
                        }
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        }
        // The log would bring them back; alone it begins anew behind what the cartridge says.
        SwarmNodes.delete(one.raft());
        one.schemaLevel = 1;
        one.start();
        awaitLevels(one, 1, 1);
        one.restart(OLD);
        awaitLevels(one, OLD, OLD);
    }

    private static byte[] withoutLevel(String kind, byte[] value) {
        try {
            return kind.equals(Records.SWARM)
                    ? SwarmRecord.parseFrom(value).toBuilder()
                            .clearSchemaLevel()
                            .build()
                            .toByteArray()
                    : MemberRecord.parseFrom(value).toBuilder()
                            .clearSchemaLevel()
                            .build()
                            .toByteArray();
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }
}
