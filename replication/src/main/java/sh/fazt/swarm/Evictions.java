package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.EvictionRecord;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.Fences;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.Cuts;
import sh.fazt.sync.FencedReplica;
import sh.fazt.sync.Fencing;

/**
 * Members that are shut out for good: what is agreed of them, and what follows from it. First every member that is
 * reached takes nothing more of the node and says how far it has its rows; then the node stops voting; then one agreed
 * change takes its member record, sets its fence, and withdraws every open token, for it knew their secrets. A crash in
 * between leaves a member without a vote, which can be evicted again.
 *
 * <p>Thread-safe; what changes or asks something blocks.
 */
final class Evictions {
    private static final Logger LOG = LoggerFactory.getLogger(Evictions.class);
    private static final Duration ASK = Duration.ofSeconds(5);

    private final NodeId self;
    private final SqliteCartridge cartridge;
    private final FencedReplica replica;
    private final Links links;
    private final Cuts cuts;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final Agreement agreement;
    private final InstantSource clock;

    /** What is agreed, by node. */
    private volatile Map<NodeId, EvictionRecord> evicted = Map.of();

    /** What a member said of this node's own eviction; empty while it is none. */
    private volatile String told = "";

    Evictions(
            NodeId self,
            SqliteCartridge cartridge,
            FencedReplica replica,
            Links links,
            Cuts cuts,
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            Agreement agreement) {
        this.self = self;
        this.cartridge = cartridge;
        this.replica = replica;
        this.links = links;
        this.cuts = cuts;
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.agreement = agreement;
        this.clock = cartridge.clock()::now;
        links.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                told = "";
            }

            @Override
            public void down(NodeId peer, String reason) {
                // Links see to that.
            }

            @Override
            public void evicted(NodeId peer, String reason) {
                if (links.states().stream().noneMatch(state -> state.peer().equals(peer))) {
                    // A last word of the swarm that this node has left.
                    return;
                }
                if (told.isEmpty()) {
                    LOG.error("this node was evicted peer={} why={}", peer.shortText(), reason);
                }
                told = reason;
            }
        });
    }

    // ---- what follows from what is agreed ----

    /**
     * Takes over what is agreed.
     *
     * @param hearing whether the log is still being heard: then what was known is not forgotten
     */
    void follow(boolean hearing) {
        Map<NodeId, EvictionRecord> now = new LinkedHashMap<>(hearing ? evicted : Map.of());
        now.putAll(records.evicted());
        evicted = Map.copyOf(now);
        Map<NodeId, Map<Scope, VersionVector>> fences = new HashMap<>();
        now.forEach((node, record) -> fences.put(node, Fencing.upTo(node, record.getFencesList())));
        replica.fence(fences);
    }

    /** Every evicted node, with what it is told when it comes back. */
    Map<NodeId, String> told(String swarmName) {
        Map<NodeId, String> texts = new HashMap<>();
        evicted.forEach((node, record) -> texts.put(node, text(node, record, swarmName)));
        return texts;
    }

    static String text(NodeId node, EvictionRecord record, String swarmName) {
        if (!record.getSuccessor().isEmpty()) {
            return "this is the old key of " + record.getName() + " (" + node.shortText() + "), which goes on in swarm "
                    + swarmName + " under a new one since " + Instant.ofEpochSecond(record.getAtSeconds())
                    + ", as node " + record.getSuccessor()
                    + ": the old key is never let in again. To let a copy of its cartridge join anew, stop it, give it"
                    + " a new identity with \"fazt swarm clone\", start it, and join with a new token";
        }
        return "node " + record.getName() + " (" + node.shortText() + ") was evicted from swarm " + swarmName + " at "
                + Instant.ofEpochSecond(record.getAtSeconds())
                + ": its key is never let in again. To let its cartridge join anew, stop it, give it a new identity"
                + " with \"fazt swarm clone\", start it, and join with a new token";
    }

    /** The nodes that go on under another key, each with its new id. */
    Map<NodeId, NodeId> successors() {
        Map<NodeId, NodeId> successors = new HashMap<>();
        evicted.forEach((node, record) -> {
            if (!record.getSuccessor().isEmpty()) {
                successors.put(node, NodeId.parse(record.getSuccessor()));
            }
        });
        return successors;
    }

    Optional<EvictionRecord> of(NodeId node) {
        return Optional.ofNullable(evicted.get(node));
    }

    /** What a member said of this node's own eviction; empty while it is none. */
    String toldUs() {
        return told;
    }

    /** This node is in another swarm now. */
    void startOver() {
        told = "";
    }

    /** Sees to what is left over: a vote, or rows that this node took before it heard. Blocking, but for the rows. */
    void tend() {
        Map<NodeId, EvictionRecord> now = evicted;
        if (now.isEmpty()) {
            return;
        }
        RaftStatus status = raft.status();
        if (status.leads()) {
            for (NodeId voter : status.voters()) {
                if (now.containsKey(voter)) {
                    try {
                        raft.removeVoter(voter);
                    } catch (ConsensusException e) {
                        LOG.debug("the vote of an evicted node is not taken yet", e);
                    }
                }
            }
        }
        cuts.turn();
    }

    // ---- evicting ----

    /** That this node can't be meant, or is evicted already. */
    void check(String text) {
        evicted.forEach((node, record) -> {
            if (record.getName().equals(text)
                    || text.length() >= 4 && node.toString().startsWith(text)) {
                boolean member = records.members().values().stream()
                        .anyMatch(other -> other.getName().equals(text));
                if (!member) {
                    throw new SwarmException(
                            SwarmException.Reason.CONFLICT,
                            record.getName() + " (" + node.shortText()
                                    + (record.getSuccessor().isEmpty()
                                            ? ") was evicted already, at "
                                            : ") has a new key, and its old one was shut out already, at ")
                                    + Instant.ofEpochSecond(record.getAtSeconds()) + ": there is nothing left to do");
                }
            }
        });
    }

    /**
     * Shuts a member out for good.
     *
     * @throws SwarmException {@code INVALID, NO_QUORUM, TIMEOUT, CONFLICT}
     */
    void evict(NodeId node) {
        MemberRecord member = records.members().get(node);
        String name = member == null ? node.shortText() : member.getName();
        if (node.equals(self)) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    name + " is this node, which can't evict itself: let another member do it, or take this node out"
                            + " with \"fazt swarm leave\"");
        }
        shutOut(
                "evict " + name,
                node,
                List.of(),
                fences -> change(node, EvictionRecord.newBuilder().setName(name).setBy(self.toString()), fences));
        LOG.warn("a member was evicted node={} name={}", node.shortText(), name);
    }

    /**
     * Shuts a key out for good: has its rows held, takes its vote, and agrees.
     *
     * @param what   in words
     * @param own    how far the node itself says that its rows go
     * @param change what to agree, when its rows stay up to these fences
     */
    void shutOut(String what, NodeId node, List<Fence> own, Function<List<Fence>, List<Op>> change) {
        RaftStatus status = raft.status();
        if (!status.quorum()) {
            throw agreement.noQuorum(what, status.unreachable(), status.voters().size());
        }
        List<NodeId> remaining = new ArrayList<>(status.voters());
        remaining.remove(node);
        if (remaining.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't " + what + ": it is the only voter, and without it nobody decides. Make another"
                            + " member a voter first");
        }
        try {
            Map<NodeId, Fences> told = hold(node);
            // Asked for now, as a change of the voters that those who remain can't confirm would hang in the air.
            if (!Fencing.isEnough(remaining, told.keySet())) {
                List<NodeId> silent = new ArrayList<>(remaining);
                silent.removeAll(told.keySet());
                throw agreement.noQuorum(what, silent, remaining.size());
            }
            if (status.voters().contains(node)) {
                agreement.guarded(what, () -> raft.removeVoter(node));
            }
            List<Fences> all = new ArrayList<>(told.values());
            all.add(Fences.newBuilder().addAllFences(own).build());
            List<Fence> fences = Fencing.highest(node, all);
            agreement.agree(() -> change.apply(fences));
        } catch (SwarmException e) {
            release(node);
            throw e;
        }
    }

    /**
     * Takes the node's record, notes up to where its rows stay, and withdraws every open token, for it knew their
     * secrets.
     */
    List<Op> change(NodeId node, EvictionRecord.Builder record, List<Fence> fences) {
        List<Op> ops = new ArrayList<>();
        ConfigEntry member = records.entry(Records.MEMBER, node.toString());
        if (member != null) {
            ops.add(Op.delete(member));
        }
        ops.add(Op.set(
                records.entry(Records.EVICTED, node.toString()),
                Records.EVICTED,
                node.toString(),
                record.setAtSeconds(
                                clock.instant().truncatedTo(ChronoUnit.SECONDS).getEpochSecond())
                        .addAllFences(fences)
                        .build()
                        .toByteArray()));
        for (ConfigEntry token : config.list(Records.TOKEN)) {
            if (Records.token(token).getUsedBy().isEmpty()) {
                ops.add(Op.delete(token));
            }
        }
        return ops;
    }

    // ---- fences ----

    /** Has everybody who answers take nothing more of the node, and tell how far they have its rows. */
    private Map<NodeId, Fences> hold(NodeId node) {
        byte[] ask = Ask.newBuilder().setHold(node.toString()).build().toByteArray();
        Map<NodeId, CompletableFuture<byte[]>> answers = new LinkedHashMap<>();
        for (LinkState state : links.states()) {
            if (state.up() && !state.peer().equals(node)) {
                answers.put(
                        state.peer(),
                        links.ask(state.peer(), Channel.SWARM, ask, ASK).toCompletableFuture());
            }
        }
        Map<NodeId, Fences> told = new LinkedHashMap<>();
        told.put(self, held(node));
        answers.forEach((peer, answer) -> {
            try {
                told.put(peer, Fences.parseFrom(answer.join()));
            } catch (CompletionException | InvalidProtocolBufferException e) {
                LOG.info("a member does not say how far it has the rows peer={}", peer.shortText());
            }
        });
        return told;
    }

    private void release(NodeId node) {
        replica.release(node);
        byte[] ask = Ask.newBuilder().setRelease(node.toString()).build().toByteArray();
        for (LinkState state : links.states()) {
            if (state.up() && !state.peer().equals(node)) {
                // Where it does not arrive the hold ends by itself.
                links.ask(state.peer(), Channel.SWARM, ask, ASK);
            }
        }
    }

    /** Takes nothing more of a node for now; answers how far this node has its rows. Blocking. */
    Fences held(NodeId node) {
        replica.hold(node);
        return written(node);
    }

    /** How far this node has a node's rows. Blocking. */
    Fences written(NodeId node) {
        // What was handed to the writer before is in the vectors after this.
        cartridge.writeLocal(tx -> true).toCompletableFuture().join();
        return Fencing.written(node, replica.vectors());
    }
}
