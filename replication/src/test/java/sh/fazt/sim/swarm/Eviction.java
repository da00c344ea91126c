package sh.fazt.sim.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.Fences;
import sh.fazt.sync.Fencing;

/**
 * One member shuts another out, by the steps of {@code Evictions}: everybody who answers holds back what else it writes
 * and says how far it has its rows; then its vote goes; then it is agreed. Whoever does this may end at any moment.
 */
final class Eviction {
    private static final Duration ASK = Duration.ofSeconds(5);

    private final SimulatedSwarm swarm;
    private final SimulatedNode by;
    private final SimulatedNode node;
    private final Links links;
    private final Map<NodeId, Fences> told = new TreeMap<>();
    private int open;

    private Eviction(SimulatedNode by, SimulatedNode node) {
        this.swarm = by.swarm;
        this.by = by;
        this.node = node;
        this.links = by.links();
    }

    static void begin(SimulatedNode by, SimulatedNode node) {
        if (by.isRunning() && by != node && by.swarm.agreement.reachesMost(by)) {
            by.swarm.world.trace("%s evicts %s", by.name, node.name);
            new Eviction(by, node).hold();
        }
    }

    private void hold() {
        byte[] ask = Ask.newBuilder().setHold(node.id.toString()).build().toByteArray();
        List<SimulatedNode> peers = peers();
        open = 1 + peers.size();
        take(by, by.held(node.id));
        peers.forEach(
                peer -> take(peer, links.ask(peer.id, Channel.SWARM, ask, ASK).thenApply(Eviction::read)));
    }

    private List<SimulatedNode> peers() {
        return swarm.linked(by).stream().filter(peer -> peer != node).toList();
    }

    private static Fences read(byte[] answer) {
        try {
            return Fences.parseFrom(answer);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private void take(SimulatedNode from, CompletionStage<Fences> answer) {
        answer.whenComplete((fences, failed) -> {
            if (failed == null) {
                told.put(from.id, fences);
            }
            if (--open == 0) {
                decide();
            }
        });
    }

    private void decide() {
        List<NodeId> staying = swarm.agreement.votersBut(node);
        if (!Fencing.isEnough(staying, told.keySet())) {
            release();
            return;
        }
        swarm.agreement.takeVote(
                by,
                node,
                () -> swarm.agreement.propose(
                        by, swarm.eviction(node, Fencing.highest(node.id, told.values())), () -> {}, this::release),
                this::release);
    }

    private void release() {
        if (by.isRunning() && by.links() == links) {
            by.released(node.id);
            byte[] ask = Ask.newBuilder().setRelease(node.id.toString()).build().toByteArray();
            peers().forEach(peer -> links.ask(peer.id, Channel.SWARM, ask, ASK));
        }
    }

    /** What a member answers, as {@code Answers} does. */
    static final class Answers implements Links.Handler {
        private final SimulatedNode node;

        Answers(SimulatedNode node) {
            this.node = node;
        }

        @Override
        public void message(NodeId from, byte[] message) {
            // Members only ask.
        }

        @Override
        public CompletionStage<byte[]> request(NodeId from, byte[] request) {
            if (!node.admits(from)) {
                return CompletableFuture.failedFuture(new IllegalStateException("you are no member of this swarm"));
            }
            try {
                Ask ask = Ask.parseFrom(request);
                if (!ask.getRelease().isEmpty()) {
                    node.released(NodeId.parse(ask.getRelease()));
                    return CompletableFuture.completedFuture(new byte[0]);
                }
                return node.held(NodeId.parse(ask.getHold())).thenApply(Fences::toByteArray);
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
        }
    }
}
