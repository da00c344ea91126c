package sh.fazt.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkException;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/** Parting from others: by leaving them, or by going on without those that are lost. Methods block. */
record Departure(
        NodeId self,
        Members members,
        SwarmRaft raft,
        SwarmConfig config,
        Roles roles,
        Agreement agreement,
        Records records,
        Placements placements,
        Handover handover,
        Links links) {
    private static final Logger LOG = LoggerFactory.getLogger(Departure.class);
    private static final Duration ASK = Duration.ofSeconds(20);
    /** Two sides that recover from one epoch come to the same once in 65,536 times. */
    private static final int EPOCH_STEP = 1 << 16;

    /**
     * Has the others do without this node, which then can start over.
     *
     * @param force  succeed also when the others can't agree, or lack some of what is here
     * @param called what an owner calls a scope
     */
    void leave(boolean force, Function<Scope, String> called) {
        if (members.isAlone()) {
            throw new SwarmException(
                    SwarmException.Reason.ALONE, "this node is a swarm of one: there is nothing to leave");
        }
        if (!force && !raft.observing() && roles.lastVoter()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't leave: this node is the last voter, and nobody could change members or aliases any more."
                            + " \"fazt swarm promote NODE\" another first");
        }
        List<String> only = placements.onlyOn(self);
        if (!force && !only.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't leave: only this node keeps " + String.join(", ", only)
                            + ", and the others would be without. \"fazt swarm place APP\" elsewhere first, or leave"
                            + " with --force");
        }
        RaftStatus status = raft.status();
        if (!force && status.quorum()) {
            String lacking = handover.lacking(called);
            if (!lacking.isEmpty()) {
                throw new SwarmException(
                        SwarmException.Reason.CONFLICT,
                        "can't leave: the others would be without some of what is here, as no other member has all of "
                                + lacking + ". Wait until one has it and leave then, or leave with --force: all of it"
                                + " stays on this node, which then is in no swarm");
            }
        }
        try {
            if (!status.quorum()) {
                throw agreement.noQuorum(
                        "leave the swarm", status.unreachable(), status.voters().size());
            }
            if (!raft.observing()) {
                agreement.guarded("leave the swarm", () -> raft.removeVoter(self));
            }
            if (!sayGoodbye()) {
                LOG.warn("left without good-bye: the others still list this node");
            }
        } catch (SwarmException e) {
            if (!force) {
                throw new SwarmException(
                        e.reason(),
                        e.getMessage() + ". Wait for them, or \"fazt swarm leave --force\" to leave without them: this"
                                + " node is then a swarm of one with all its data, and they count it as a voter until"
                                + " it joins them again");
            }
            LOG.warn("left without the others, who still count on this node why={}", e.getMessage());
        }
    }

    private List<String> former() {
        return roles.voters().stream()
                .filter(id -> !id.equals(self))
                .map(NodeId::toString)
                .sorted()
                .toList();
    }

    /** Has somebody take this node off the list, which only a voter can do. Answers whether somebody did. */
    private boolean sayGoodbye() {
        byte[] ask = Ask.newBuilder().setForgetMe(true).build().toByteArray();
        boolean letGo = false;
        for (NodeId peer : linked()) {
            if (!linked().contains(peer)) {
                continue;
            }
            try {
                links.ask(peer, Channel.SWARM, ask, ASK).toCompletableFuture().join();
                return true;
            } catch (CompletionException e) {
                LOG.debug("{} did not take the good-bye", peer.shortText(), e);
                // Whoever hears that this node is off the list cuts its link, the one that was asked too.
                letGo |= e.getCause() instanceof LinkException failure
                        && failure.reason() == LinkException.Reason.BROKEN;
            }
        }
        return letGo;
    }

    private List<NodeId> linked() {
        return links.states().stream()
                .filter(LinkState::up)
                .map(LinkState::peer)
                .toList();
    }

    /** After the majority is lost for good: this node decides alone. Blocking. */
    void recover(RandomGenerator chance) {
        if (members.all().size() <= 1) {
            throw new SwarmException(SwarmException.Reason.ALONE, "this node decides alone already");
        }
        if (raft.status().quorum()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "the swarm has its quorum: there is nothing to recover. To take a member out, let it leave or evict it");
        }
        boolean observed = raft.observing();
        // A fencing token of before the epoch is raised may be one that the lost ones have given out.
        try (SwarmConfig.Pause leases = config.pauseLeases()) {
            agreement.guarded("recover", () -> raft.recoverForce());
            agreement.agree(() -> decideAlone(observed, chance));
        }
    }

    private List<Op> decideAlone(boolean observed, RandomGenerator chance) {
        List<Op> ops = new ArrayList<>();
        ConfigEntry entry = records.entry(Records.SWARM, Records.SWARM);
        SwarmRecord record = records.swarm();
        if (entry != null && record != null) {
            int epoch = record.getEpoch() + 1 + chance.nextInt(EPOCH_STEP);
            ops.add(config.tokensOfEpoch(epoch));
            ops.add(Op.set(
                    entry,
                    Records.SWARM,
                    Records.SWARM,
                    record.toBuilder()
                            .setEpoch(epoch)
                            .clearFormerVoters()
                            .addAllFormerVoters(observed ? List.of() : former())
                            .build()
                            .toByteArray()));
        }
        records.members().forEach((id, member) -> {
            ConfigEntry kept = records.entry(Records.MEMBER, id.toString());
            if (kept == null) {
                return;
            }
            if (id.equals(self)) {
                byte[] voter = Seating.record(member, true).toByteArray();
                ops.add(Op.set(kept, Records.MEMBER, kept.key(), voter));
            } else if (observed) {
                // Nobody believes a voter that they know as an observer: those may only join anew.
                ops.add(Op.delete(kept));
            } else if (!member.getObserver()) {
                // They learn of the epoch when they meet this node, and follow it.
                byte[] observer = Seating.record(member, false).toByteArray();
                ops.add(Op.set(kept, Records.MEMBER, kept.key(), observer));
            }
        });
        return ops;
    }
}
