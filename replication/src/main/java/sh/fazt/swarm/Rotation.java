package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.IdentityException;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.LeaseRecord;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.EvictionRecord;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.PlacementRecord;
import sh.fazt.protocol.swarm.v1.SignedKeyChange;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * A node gets a new key, and with it a new id, and stays the member that it is. The next key lies beside the old one
 * before anybody hears of it, and from then on the node writes under it. Then a voter that it is linked to is asked: as in an
 * eviction it takes the old key's vote, and one agreed change deletes and fences the old member and makes the new one.
 * Last, the node starts again, under the new key, as a member that has to be let in to the group.
 *
 * <p>The answer may be lost, so a node with a next key finds out by itself: it is agreed when the records or a member
 * say so; and it never will be once this node's record was written anew with the next key still there, for what was
 * asked names the record's version. Then the next key goes. Until one of both is known it stays.
 *
 * <p>Thread-safe; what changes or asks something blocks.
 */
final class Rotation {
    private static final Logger LOG = LoggerFactory.getLogger(Rotation.class);
    /** An answer waits for a change of the voters and one of the records. */
    private static final Duration ASK = Duration.ofSeconds(60);
    /** How long it is waited for what came of it, when the answer did not tell. */
    private static final Duration PATIENCE = Duration.ofSeconds(45);

    private final OwnKey own;
    private final SqliteCartridge cartridge;
    private final Links links;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final Members members;
    private final Roles roles;
    private final Agreement agreement;
    private final Evictions evictions;
    private final Supplier<String> swarmId;
    private final CompletableFuture<NodeId> done = new CompletableFuture<>();
    /** While this node waits for answers nothing is concluded from their absence. */
    private volatile boolean asking;

    private volatile boolean agreed;

    Rotation(
            OwnKey own,
            SqliteCartridge cartridge,
            Links links,
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            Members members,
            Roles roles,
            Agreement agreement,
            Evictions evictions,
            Supplier<String> swarmId) {
        this.own = own;
        this.cartridge = cartridge;
        this.links = links;
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.members = members;
        this.roles = roles;
        this.agreement = agreement;
        this.evictions = evictions;
        this.swarmId = swarmId;
    }

    private NodeId self() {
        return own.key().id();
    }

    // ---- the node whose key it is ----

    /**
     * Changes this node's key; returns the new id once the swarm has agreed and the node has to start again.
     *
     * @param tend sees to what is left over, this change included
     * @throws SwarmException {@code NO_QUORUM, INVALID, UNREACHABLE, TIMEOUT, CONFLICT}
     */
    NodeId rotate(Runnable tend) {
        MemberRecord me = records.members().get(self());
        String what = "change the key of " + (me == null ? self().shortText() : me.getName());
        RaftStatus status = raft.status();
        if (!status.quorum()) {
            throw agreement.noQuorum(what, status.unreachable(), status.voters().size());
        }
        boolean alone = members.isAlone();
        if (!alone && !raft.observing() && roles.lastVoter()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't " + what + ": it is the last voter, and the observers would believe nobody any more. \"fazt"
                            + " swarm promote NODE\" another first");
        }
        List<NodeId> voters = alone ? List.of() : linkedVoters();
        if (!alone && voters.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.UNREACHABLE,
                    "can't " + what + ": no other voter is linked, and one has to take it to the others. Try again when"
                            + " \"fazt swarm status\" shows a voter alive");
        }
        if (own.next() != null) {
            // Of an earlier change it must be known first what came of it.
            await(what, "an earlier change of it is not decided yet", tend);
            if (done.isDone()) {
                return done.join();
            }
        }
        String refusal = "";
        // A second time, for this node may just have told others of a new address, and its record was another then.
        for (int i = 0; i < 2 && !done.isDone(); i++) {
            refusal = attempt(what, voters);
            await(what, refusal, tend);
        }
        if (!done.isDone()) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT,
                    "can't " + what + ": " + refusal + ". Nothing has changed: this node keeps its key");
        }
        return done.join();
    }

    /** Makes the next key and asks for it; answers why it was refused, empty when it is agreed. */
    private String attempt(String what, List<NodeId> voters) {
        ConfigEntry entry = records.entry(Records.MEMBER, self().toString());
        if (entry == null) {
            throw new SwarmException(
                    SwarmException.Reason.TIMEOUT,
                    "can't " + what + ": this node has not heard yet that it is a member. Try again in a moment");
        }
        asking = true;
        try {
            NodeKey next = prepare(what);
            SignedKeyChange signed = KeyChanges.sign(
                    own.key(),
                    next,
                    swarmId.get(),
                    entry.version(),
                    evictions.written(self()).getFencesList());
            return voters.isEmpty() ? decideAlone(signed) : ask(voters, signed);
        } finally {
            asking = false;
        }
    }

    private List<NodeId> linkedVoters() {
        return links.states().stream()
                .filter(LinkState::up)
                .map(LinkState::peer)
                .filter(roles.voters()::contains)
                .toList();
    }

    private NodeKey prepare(String what) {
        try {
            return own.prepare();
        } catch (IdentityException e) {
            throw new SwarmException(SwarmException.Reason.INVALID, "can't " + what + ": " + e.getMessage());
        }
    }

    /** Answers why it was refused; empty when it is agreed. */
    private String decideAlone(SignedKeyChange signed) {
        KeyChanges.Checked change = KeyChanges.check(signed, self(), swarmId.get());
        try {
            agreement.agree(() -> ops(change, change.fences()));
            agreed = true;
            return "";
        } catch (SwarmException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Asks one voter after the other; answers why the last refused, empty when it is agreed. */
    private String ask(List<NodeId> voters, SignedKeyChange signed) {
        byte[] ask = Ask.newBuilder().setChangeKey(signed).build().toByteArray();
        String refusal = "";
        for (NodeId voter : voters) {
            try {
                links.ask(voter, Channel.SWARM, ask, ASK).toCompletableFuture().join();
                agreed = true;
                return "";
            } catch (CompletionException e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                refusal = Members.named(voter, members.all()).name() + " answered: " + cause.getMessage();
                LOG.info("a voter did not change this node's key peer={} why={}", voter.shortText(), refusal);
            }
        }
        return refusal;
    }

    /** Returns when it is known whether the next key is agreed to. */
    private void await(String what, String obstacle, Runnable tend) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (own.next() != null && !done.isDone()) {
            if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
                throw new SwarmException(
                        SwarmException.Reason.TIMEOUT,
                        "it is not known yet whether the swarm agreed to " + what + " (" + obstacle
                                + "). This node finds out by itself once it reaches a majority, and goes on under the"
                                + " new key or the old one: see \"fazt swarm status\"");
            }
            tend.run();
            LockSupport.parkNanos(50_000_000);
        }
    }

    /** Finds out what came of a change; answers true once it is agreed and this node has nothing more to see to. */
    boolean tend() {
        NodeKey next = own.next();
        if (done.isDone()) {
            return true;
        }
        if (next == null || asking) {
            return false;
        }
        if (agreed
                || records.members().containsKey(next.id())
                || evictions.toldUs().contains(next.id().toString())) {
            finish(next.id());
            return true;
        }
        ConfigEntry entry = records.entry(Records.MEMBER, self().toString());
        if (entry != null && raft.status().quorum()) {
            try {
                // What was asked is of this version of the record: after this nobody can agree to it any more.
                if (config.propose(List.of(Op.set(entry, entry.kind(), entry.key(), entry.value())))
                        instanceof SwarmConfig.Result.Applied) {
                    LOG.warn("a change of this node's key was not agreed: it keeps its key");
                    own.drop();
                }
            } catch (ConsensusException e) {
                LOG.debug("it is not known yet whether the next key is agreed to", e);
            }
        }
        return false;
    }

    /** Notes, in one transaction, all that the next start needs to go on under the new key. */
    private void finish(NodeId next) {
        Map<NodeId, MemberRecord> all = members.all();
        MemberRecord me = all.remove(self());
        if (me != null) {
            all.putIfAbsent(next, me);
        }
        SwarmRecord swarm = records.swarm();
        String group = raft.groupId();
        if (swarm == null || group == null) {
            throw new IllegalStateException("this node is in no swarm whose agreement it could follow");
        }
        Admission.Builder admission = Admission.newBuilder().setGroup(group).setSwarm(swarm);
        all.forEach((id, member) -> admission.putMembers(id.toString(), member));
        // What the others agreed on may not be heard here; without it this node would go on to trust its old key.
        List<Op> unheard = presumed(next);
        cartridge
                .writeLocal(tx -> {
                    if (all.size() > 1) {
                        PendingJoin.keep(tx, admission.build());
                    }
                    SwarmRaft.disown(tx, unheard);
                    OwnKey.agreed(tx, next);
                    return true;
                })
                .toCompletableFuture()
                .join();
        LOG.warn("this node's key is changed before={} after={}", self().shortText(), next.shortText());
        done.complete(next);
    }

    private List<Op> presumed(NodeId next) {
        List<Fence> fences = evictions.written(self()).getFencesList();
        while (true) {
            ConfigEntry entry = records.entry(Records.MEMBER, self().toString());
            if (entry == null) {
                return List.of();
            }
            try {
                return ops(new KeyChanges.Checked(self(), next, entry.version(), fences), fences);
            } catch (SwarmException e) {
                ConfigEntry now = records.entry(Records.MEMBER, self().toString());
                if (e.reason() != SwarmException.Reason.CONFLICT || now != null && now.version() == entry.version()) {
                    throw e;
                }
                // It is heard here at this very moment.
            }
        }
    }

    /** Completes with the new id, when this process has to start again under it. */
    CompletableFuture<NodeId> done() {
        return done;
    }

    /** What the owner has to know of it; empty while nothing is open. */
    String text() {
        return own.next() == null || asking || done.isDone()
                ? ""
                : "a change of this node's key was begun, and it is not known yet whether the swarm agreed; it finds out"
                        + " once it reaches a majority";
    }

    // ---- the voter that is asked ----

    /** Agrees on another member's new key with the others. */
    void accept(NodeId from, SignedKeyChange signed) {
        if (own.next() != null) {
            // Two voters that took each other's vote at once could leave none.
            throw new IllegalStateException("it is changing its own key: try again in a moment");
        }
        KeyChanges.Checked change = KeyChanges.check(signed, from, swarmId.get());
        config.barrier();
        MemberRecord member = records.members().get(from);
        String name = member == null ? from.shortText() : member.getName();
        // What can't be agreed to, as what is asked once more, is refused before the vote is taken.
        ops(change, change.fences());
        evictions.shutOut("change the key of " + name, from, change.fences(), fences -> ops(change, fences));
        LOG.warn(
                "a member has a new key name={} before={} after={}",
                name,
                from.shortText(),
                change.after().shortText());
    }

    private List<Op> ops(KeyChanges.Checked change, List<Fence> fences) {
        String before = change.before().toString();
        String after = change.after().toString();
        ConfigEntry entry = records.entry(Records.MEMBER, before);
        MemberRecord member = records.members().get(change.before());
        if (entry == null || member == null || entry.version() != change.version()) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT,
                    "the member's record was changed at the same moment: look, then try again");
        }
        if (evictions.of(change.after()).isPresent()) {
            throw new SwarmException(SwarmException.Reason.INVALID, "the new key was shut out of the swarm before");
        }
        List<Op> ops = new ArrayList<>(evictions.change(
                change.before(),
                EvictionRecord.newBuilder()
                        .setName(member.getName())
                        .setBy(before)
                        .setSuccessor(after),
                fences));
        ops.add(Op.set(null, Records.MEMBER, after, member.toByteArray()));
        records.placements().forEach((app, placement) -> {
            PlacementRecord moved = placement.toBuilder()
                    .clearNodes()
                    .addAllNodes(renamed(placement.getNodesList(), before, after))
                    .clearLazy()
                    .addAllLazy(renamed(placement.getLazyList(), before, after))
                    .build();
            if (!moved.equals(placement)) {
                ops.add(Op.set(records.entry(Records.PLACEMENT, app), Records.PLACEMENT, app, moved.toByteArray()));
            }
        });
        for (ConfigEntry lease : config.list(SwarmConfig.LEASE)) {
            LeaseRecord held = lease(lease);
            if (held.getNode().equals(before)) {
                LeaseRecord moved = held.toBuilder().setNode(after).build();
                ops.add(Op.set(lease, lease.kind(), lease.key(), moved.toByteArray()));
            }
        }
        SwarmRecord swarm = records.swarm();
        if (swarm != null && swarm.getFormerVotersList().contains(before)) {
            SwarmRecord renamed = swarm.toBuilder()
                    .clearFormerVoters()
                    .addAllFormerVoters(renamed(swarm.getFormerVotersList(), before, after))
                    .build();
            ops.add(Op.set(
                    records.entry(Records.SWARM, Records.SWARM), Records.SWARM, Records.SWARM, renamed.toByteArray()));
        }
        return ops;
    }

    private static LeaseRecord lease(ConfigEntry entry) {
        try {
            return LeaseRecord.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the record of lease " + entry.key() + " is damaged", e);
        }
    }

    private static List<String> renamed(List<String> nodes, String before, String after) {
        return nodes.stream().map(node -> node.equals(before) ? after : node).toList();
    }
}
