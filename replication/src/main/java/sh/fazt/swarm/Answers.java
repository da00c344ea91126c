package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.FencedReplica;

/** What other members ask of this one. An answer is made on {@code io}, where it may block. */
record Answers(
        Links links,
        Records records,
        SwarmConfig config,
        SwarmRaft raft,
        Evictions evictions,
        Rotation rotation,
        FencedReplica replica,
        ExecutorService io)
        implements Links.Handler {

    private static final byte[] DONE = {};
    private static final byte[] OBSERVE = {1};

    @Override
    public void message(NodeId from, byte[] message) {
        // Members only ask.
    }

    @Override
    public CompletionStage<byte[]> request(NodeId from, byte[] request) {
        return CompletableFuture.supplyAsync(() -> answer(from, request), io);
    }

    private byte[] answer(NodeId from, byte[] request) {
        MemberRecord member = records.members().get(from);
        if (member == null) {
            throw new IllegalStateException("you are no member of this swarm");
        }
        Ask ask = parse(from, request);
        if (!ask.getAddMe().isEmpty()) {
            if (!ask.getAddMe().startsWith(from + ".")) {
                throw new IllegalStateException("a node speaks for itself only");
            }
            if (member.getObserver()) {
                return OBSERVE;
            }
            raft.addVoter(from, ask.getAddMe());
        } else if (ask.getForgetMe()) {
            ConfigEntry entry = records.entry(Records.MEMBER, from.toString());
            if (entry != null) {
                config.propose(List.of(Op.delete(entry)));
            }
        } else if (!ask.getHold().isEmpty()) {
            return evictions.held(NodeId.parse(ask.getHold())).toByteArray();
        } else if (!ask.getRelease().isEmpty()) {
            replica.release(NodeId.parse(ask.getRelease()));
        } else if (ask.hasChangeKey()) {
            rotation.accept(from, ask.getChangeKey());
        }
        return DONE;
    }

    private Ask parse(NodeId from, byte[] request) {
        try {
            return Ask.parseFrom(request);
        } catch (InvalidProtocolBufferException e) {
            links.malformed(from, Channel.SWARM);
            throw new IllegalArgumentException("that is no question", e);
        }
    }
}
