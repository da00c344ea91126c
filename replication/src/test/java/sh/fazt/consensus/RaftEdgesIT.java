package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.consensus.SwarmConfig.Result;
import sh.fazt.link.Channel;
import sh.fazt.testkit.Await;

/** And what needs no links between processes. */
class RaftEdgesIT extends RaftEdges {
    @ParameterizedTest
    @EnumSource(names = {"END_OF_LOG", "END_OF_CARTRIDGE"})
    void nobodyIsElectedWhoseVotersForgotWhatWasAgreed(Forgotten what) throws IOException {
        oneOfTwoThatAgreedForgets(what);
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
        for (int i = 0; i < 2; i++) {
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

    /** Only who led has the entry and can be elected, and Ratis lets it wait for ten seconds before it stands again. */
    @Test
    void whoLedAndIsTheOnlyOneThatCanStandsAgainSoon() {
        RaftProperties properties = Properties.make(folder, Timings.STANDARD);
        assertThat(RaftServerConfigKeys.LeaderElection.leaderStepDownWaitTime(properties)
                        .toLong(TimeUnit.SECONDS))
                .isLessThan(4);
    }

    @Test
    void nobodySpeaksInAnothersNameNorToAnEarlierIncarnation() throws Exception {
        timings = CALM;
        group(3);
        Node leader = leader(nodes);
        Node hears = allBut(leader).get(0);
        Node forges = allBut(leader).get(1);
        AtomicReference<byte[]> heard = new AtomicReference<>(new byte[0]);
        network.tap = (to, question) -> {
            if (to.equals(hears.id) && question[0] == LinkServerRpc.APPEND) {
                heard.set(question);
            }
        };
        Await.until("a heartbeat", PATIENCE, () -> Objects.requireNonNull(heard.get()).length > 0);
        byte[] genuine = Objects.requireNonNull(heard.get());
        AppendEntriesRequestProto append =
                AppendEntriesRequestProto.parseFrom(ByteString.copyFrom(genuine, 1, genuine.length - 1));
        long term = hears.raft.status().term();
        byte[] later = rpc(append.toBuilder().setLeaderTerm(term + 100).build());
        assertThat(ask(leader, hears, genuine)).as("the same, by whose it is").startsWith("\0");
        assertThat(ask(forges, hears, later)).contains(forges.id.shortText() + " speaks as " + leader.raft.peerId());
        assertThat(network.malformed).as("it is named for it").containsExactly(forges.id);
        byte[] nobody = rpc(append.toBuilder()
                .setServerRequest(append.getServerRequest().toBuilder().setRequestorId(ByteString.EMPTY))
                .build());
        assertThat(ask(forges, hears, nobody)).contains("speaks as");
        assertThat(network.malformed).hasSize(2);
        assertThat(hears.raft.status().term()).isEqualTo(term);

        hears.raft.rejoin(false);
        assertThat(ask(leader, hears, later)).contains("a later incarnation");
        assertThat(network.malformed).as("a leader may not have heard of it").hasSize(2);
        forges.raft.addVoter(hears.id, hears.raft.peerId());
        assertThat(ask(leader, hears, later)).contains("a later incarnation");
        assertThat(hears.set("on", "yes")).isInstanceOf(Result.Applied.class);
        assertThat(hears.raft.status().term()).isLessThan(term + 100);
    }

    /** Ratis closes it under a lock, and waits there for its threads for clients, which may wait for that lock. */
    @Test
    void aLeaderThatTakesItselfOutAnswersWhoAsksIt() throws Exception {
        group(3);
        Node leader = leader(nodes);
        RaftHost host = leader.raft.host();
        List<RaftPeer> all =
                List.copyOf(Objects.requireNonNull(host.division()).getGroup().getPeers());
        List<Thread> asks = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int asker = i;
            Thread thread = new Thread(() -> {
                while (!host.dead()) {
                    leader.set("of" + asker, "any");
                }
            });
            thread.setDaemon(true);
            thread.start();
            asks.add(thread);
        }
        host.running()
                .setConfigurationAsync(new SetConfigurationRequest(
                        host.client(),
                        host.running().getId(),
                        host.groupId(),
                        host.nextCall(),
                        SetConfigurationRequest.Arguments.newBuilder()
                                .setServersInNewConf(all.stream()
                                        .filter(peer -> !peer.getId()
                                                .equals(host.running().getId()))
                                        .toList())
                                .setServersInCurrentConf(all)
                                .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                                .build()))
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        for (Thread thread : asks) {
            thread.join(PATIENCE.toMillis());
            assertThat(thread.isAlive()).as("it waits for ever").isFalse();
        }
    }

    @Test
    void aLeaderIsTakenOutOnceAnotherLeads() {
        group(3);
        Node leader = leader(nodes);
        long refuseUntil = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
        network.breaks =
                (to, question) -> question[0] == LinkServerRpc.START_ELECTION && System.nanoTime() < refuseUntil;
        leader.raft.removeVoter(leader.id);
        assertThat(leader.raft.host().dead()).as("Ratis has closed it").isFalse();
        assertThat(allBut(leader).get(0).set("after", "yes")).isInstanceOf(Result.Applied.class);
    }

    @Test
    void whereNobodyTakesTheLeadItIsNotTakenOut() {
        group(3);
        Node leader = leader(nodes);
        network.breaks = (to, question) -> question[0] == LinkServerRpc.START_ELECTION;
        assertThatThrownBy(() -> leader.raft.removeVoter(leader.id))
                .hasMessageContaining("it leads the group, and no other voter could take over from it");
        assertThat(leader.raft.status().voters()).hasSize(3);
        assertThat(leader.set("after", "yes")).isInstanceOf(Result.Applied.class);
    }

    private static byte[] rpc(AppendEntriesRequestProto append) {
        byte[] body = append.toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = LinkServerRpc.APPEND;
        System.arraycopy(body, 0, message, 1, body.length);
        return message;
    }

    private static String ask(Node asks, Node answers, byte[] question) throws Exception {
        byte[] answer = asks.links
                .ask(answers.id, Channel.RAFT, question, PATIENCE)
                .toCompletableFuture()
                .get();
        return new String(answer, StandardCharsets.UTF_8);
    }

    @Test
    void ofThreeTheOneInWhoseLogABitIsAnotherHasToBeAddedAnew() throws IOException {
        Node damaged = group(3).get(2);
        damage(damaged, log -> {
            log[log.length / 2] ^= 1;
            return log;
        });
        assertThat(damaged.raft.open()).isFalse();
        assertThat(leader(nodes.subList(0, 2)).set("meanwhile", "yes")).isInstanceOf(Result.Applied.class);
        damaged.raft.rejoin(false);
        nodes.get(0).raft.addVoter(damaged.id, damaged.raft.peerId());
        awaitAlias(damaged, "a", "v4");
        awaitAlias(damaged, "meanwhile", "yes");
        assertThat(damaged.set("on", "yes")).isInstanceOf(Result.Applied.class);
    }

    @Test
    void twoThatJoinOneAtTheSameMomentBothVote() {
        Node one = group(1).get(0);
        one.set("before", "yes");
        List<CompletableFuture<Void>> joins = new ArrayList<>();
        CountDownLatch ready = new CountDownLatch(2);
        for (Node next : List.of(new Node(2), new Node(3))) {
            next.raft.prepareJoin(Objects.requireNonNull(one.raft.groupId()));
            joins.add(CompletableFuture.runAsync(
                    () -> {
                        ready.countDown();
                        Await.until("both", PATIENCE, () -> ready.getCount() == 0);
                        one.raft.addVoter(next.id, next.raft.peerId());
                    },
                    one.io));
        }
        joins.forEach(join -> assertThat(join).succeedsWithin(PATIENCE));
        assertThat(one.raft.status().voters()).hasSize(3);
        for (Node node : nodes) {
            awaitAlias(node, "before", "yes");
            assertThat(node.set("by-" + node.name, "yes")).isInstanceOf(Result.Applied.class);
        }
    }
}
