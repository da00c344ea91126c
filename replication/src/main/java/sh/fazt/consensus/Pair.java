package sh.fazt.consensus;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.util.LifeCycle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.VoterState;

/**
 * Two voters need each other, so a group of two is stuck for good when one can't vote in it any more: it vanished at
 * the moment at which it was added, and waits to be told that it is a voter by a leader who waits for its vote; or it
 * lost its log and is another incarnation now. When that one says so itself, the other may go on alone: whatever was
 * agreed by both it has. Thread-safe.
 */
final class Pair {
    private static final Logger LOG = LoggerFactory.getLogger(Pair.class);
    /** The octet that is the question. */
    static final byte ASK = 103;

    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final RaftHost host;
    private final Links links;

    Pair(RaftHost host, Links links) {
        this.host = host;
        this.links = links;
    }

    /** Whether this node's group is of itself and that one, without a quorum, and that one says it can't vote. Blocking. */
    boolean brokenBy(NodeId other) {
        RaftServer.Division division = host.division();
        if (division == null || !host.oneOfTwo() || host.status().quorum()) {
            return false;
        }
        for (RaftPeer peer : division.getGroup().getPeers()) {
            if (LinkTransport.PeerNames.node(peer.getId()).equals(other)) {
                VoterState state = ask(other);
                return !state.getPeer().isEmpty()
                        && !(state.getPeer().equals(peer.getId().toString()) && state.getVotes());
            }
        }
        return false;
    }

    private VoterState ask(NodeId other) {
        try {
            return VoterState.parseFrom(links.ask(other, Channel.RAFT, new byte[] {ASK}, PATIENCE)
                    .toCompletableFuture()
                    .get(PATIENCE.toMillis() + 200, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | InvalidProtocolBufferException e) {
            LOG.debug("{} does not say whether it votes", other.shortText(), e);
        }
        return VoterState.getDefaultInstance();
    }

    /** What this node answers. */
    VoterState state() {
        RaftServer.Division division = host.division();
        return division == null
                ? VoterState.getDefaultInstance()
                : VoterState.newBuilder()
                        .setPeer(division.getId().toString())
                        .setVotes(division.getInfo().getLifeCycleState() == LifeCycle.State.RUNNING)
                        .build();
    }
}
