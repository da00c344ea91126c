package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.swarm.SwarmNodes.PATIENCE;
import static sh.fazt.swarm.SwarmNodes.offences;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.proto.RaftProtos.TermIndexProto;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.MessageLite;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.link.Channel;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkState;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** An observer that speaks Raft in its own name: nobody follows it, and it is named. Who leads in fact is not taken for one. */
@Timeout(180)
class PretenderIT {
    private static final long LATER = 1_000_000;
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final ExecutorService io = Executors.newFixedThreadPool(8);
    private SwarmNodes nodes;
    private Node home;

    @BeforeEach
    void start() throws IOException {
        nodes = new SwarmNodes(folder);
        home = nodes.node("home");
    }

    @AfterEach
    void stop() {
        nodes.stop();
        io.shutdownNow();
    }

    private Node joined(String name, boolean observer) throws IOException {
        Node node = nodes.node(name);
        node.swarm.join(home.token().text(), observer);
        return node;
    }

    private static String state(Node node, String name) {
        return node.cartridge
                .read(rows -> rows.first("SELECT value FROM raft_state WHERE name = ?", row -> row.text(0), name))
                .orElseThrow();
    }

    private static RaftRpcRequestProto header(Node from, Node to) {
        UUID group = UUID.fromString(state(to, "group"));
        byte[] id = ByteBuffer.allocate(16)
                .putLong(group.getMostSignificantBits())
                .putLong(group.getLeastSignificantBits())
                .array();
        return RaftRpcRequestProto.newBuilder()
                .setRequestorId(ByteString.copyFromUtf8(from.key.id() + ".made-up"))
                .setReplyId(ByteString.copyFromUtf8(to.key.id() + "." + state(to, "incarnation")))
                .setRaftGroupId(RaftGroupIdProto.newBuilder().setId(ByteString.copyFrom(id)))
                .setCallId(1)
                .build();
    }

    /** By the octet that names it. */
    private static Map<Integer, MessageLite> leadersWords(RaftRpcRequestProto header) {
        return Map.of(
                2,
                AppendEntriesRequestProto.newBuilder()
                        .setServerRequest(header)
                        .setLeaderTerm(LATER)
                        .build(),
                3,
                InstallSnapshotRequestProto.newBuilder()
                        .setServerRequest(header)
                        .setLeaderTerm(LATER)
                        .setSnapshotChunk(InstallSnapshotRequestProto.SnapshotChunkProto.newBuilder()
                                .setRequestId("made-up")
                                .setTermIndex(TermIndexProto.newBuilder()
                                        .setTerm(LATER)
                                        .setIndex(LATER))
                                .setDone(true))
                        .build(),
                4,
                StartLeaderElectionRequestProto.newBuilder()
                        .setServerRequest(header)
                        .setLeaderLastEntry(
                                TermIndexProto.newBuilder().setTerm(LATER).setIndex(LATER))
                        .build());
    }

    private static byte[] ask(GrpcLinks links, Node to, int operation, MessageLite request) {
        byte[] body = request.toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = (byte) operation;
        System.arraycopy(body, 0, message, 1, body.length);
        return links.ask(to.key.id(), Channel.RAFT, message, SOON)
                .toCompletableFuture()
                .join();
    }

    private static long elections(Node node) {
        return node.swarm.watch().events().since(0).stream()
                .filter(event -> event.kind().equals("leader"))
                .count();
    }

    private void speaksInVain(Node phone, Node... voters) {
        phone.stop();
        GrpcLinks links = SwarmNodes.program(phone, io, voters);
        try {
            for (Node voter : voters) {
                SwarmView.Named leader =
                        Objects.requireNonNull(voter.swarm.view().leader());
                long elections = elections(voter);
                RaftRpcRequestProto header = header(phone, voter);
                leadersWords(header).forEach((operation, request) -> {
                    long before = offences(phone, voter);
                    byte[] answer = ask(links, voter, operation, request);
                    assertThat(new String(answer, StandardCharsets.UTF_8))
                            .startsWith("\1")
                            .contains(phone.key.id().shortText() + " speaks as the leader, and has no vote");
                    assertThat(offences(phone, voter)).isEqualTo(before + 1);
                });
                for (boolean preVote : new boolean[] {true, false}) {
                    ask(
                            links,
                            voter,
                            1,
                            RequestVoteRequestProto.newBuilder()
                                    .setServerRequest(header)
                                    .setCandidateTerm(LATER)
                                    .setCandidateLastEntry(TermIndexProto.newBuilder()
                                            .setTerm(LATER)
                                            .setIndex(LATER))
                                    .setPreVote(preVote)
                                    .build());
                }
                voter.swarm.alias("by-" + voter.name, "app");
                assertThat(voter.swarm.view().leader()).isEqualTo(leader);
                assertThat(elections(voter)).as("nobody had to be elected").isEqualTo(elections);
                Await.until(
                        "it is named",
                        PATIENCE,
                        () -> voter.swarm.watch().events().since(0).stream()
                                .anyMatch(event -> event.kind().equals("offence")
                                        && Objects.equals(event.node(), phone.key.id())
                                        && event.what().startsWith("speaks as the leader")));
            }
            assertThat(links.states()).allMatch(LinkState::up);
        } finally {
            links.close();
        }
    }

    @Test
    void anObserverThatSpeaksAsTheLeaderIsRefusedAndNamed() throws IOException {
        Node nas = joined("nas", false);
        Node phone = joined("phone", true);
        SwarmNodes.awaitMembers(3, home, nas, phone);
        speaksInVain(phone, home, nas);
    }

    @Test
    void soItIsWhereOneVotesAlone() throws IOException {
        Node phone = joined("phone", true);
        SwarmNodes.awaitMembers(2, home, phone);
        speaksInVain(phone, home);
    }

    /** Where nobody leads, who is linked can't say that it does not: what it tells is taken by nobody all the same. */
    @Test
    void soItIsWhileNobodyLeads() throws IOException {
        Node nas = joined("nas", false);
        Node phone = joined("phone", true);
        SwarmNodes.awaitMembers(3, home, nas, phone);
        nas.stop();
        Await.until("nobody leads", PATIENCE, () -> !home.swarm.view().quorum());
        phone.stop();
        GrpcLinks links = SwarmNodes.program(phone, io, home);
        try {
            RaftRpcRequestProto header = header(phone, home);
            leadersWords(header)
                    .forEach((operation, request) ->
                            assertThat(ask(links, home, operation, request)).startsWith(1));
        } finally {
            links.close();
        }
        nas.start();
        home.swarm.alias("after", "app");
    }

    @Test
    void whoWasPromotedWhileAnotherWasAwayIsFollowedWhenItLeads() throws IOException {
        Node two = joined("two", false);
        Node away = joined("away", false);
        Node later = joined("later", false);
        SwarmNodes.awaitMembers(4, home, two, away, later);
        away.stop();
        home.swarm.promote("later");
        home.swarm.demote("home");
        Await.until("later leads", PATIENCE, () -> {
            SwarmView view = later.swarm.view();
            SwarmView.Named leader = view.leader();
            if (leader != null && leader.name().equals("two")) {
                // It hands over when it stops.
                two.stop();
                two.start();
            }
            return view.quorum() && leader != null && leader.name().equals("later");
        });
        later.swarm.alias("meanwhile", "app");
        away.start();
        Await.until(
                "it follows", PATIENCE, () -> "app".equals(away.swarm.aliases().get("meanwhile")));
        assertThat(Objects.requireNonNull(later.swarm.view().leader()).name()).isEqualTo("later");
        away.swarm.alias("own", "app");
        assertThat(List.of(offences(later, away), offences(later, two))).containsOnly(0L);
    }
}
