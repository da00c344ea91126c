package sh.fazt.swarm;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.link.GrpcLinks;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * The swarm's schema level. Each release has one, and each member's record says that of the release which the member
 * runs. The swarm agrees on a level once every member that counts has it; from then on what releases of a lower one would
 * misread may be written, so these are shut out: none joins, and none has a link. The agreed level never falls.
 * Thread-safe.
 */
final class Levels {
    private static final Logger LOG = LoggerFactory.getLogger(Levels.class);

    private final int own;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final PendingJoin joining;
    private final Supplier<Set<NodeId>> silent;
    private final SwarmEvents events;
    /** What was agreed when it was last looked at; 0 before. Confined to {@link #follow}'s caller. */
    private int followed;

    /**
     * @param own    of this node's release
     * @param silent members that were away for so long that nothing waits for them
     */
    Levels(
            int own,
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            PendingJoin joining,
            Supplier<Set<NodeId>> silent,
            SwarmEvents events) {
        this.own = own;
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.joining = joining;
        this.silent = silent;
        this.events = events;
    }

    /** Of this node's release. */
    int own() {
        return own;
    }

    /** Of a member's release, by its own word. */
    static int of(MemberRecord member) {
        return Math.max(1, member.getSchemaLevel());
    }

    /** What the swarm that this node is in, or enters, has agreed on; 0 while nothing is agreed. */
    int agreed() {
        return agreed(joining.pending() ? joining.swarm() : records.swarm());
    }

    private static int agreed(@Nullable SwarmRecord swarm) {
        return swarm == null ? 0 : Math.max(1, swarm.getSchemaLevel());
    }

    /** That this node's release is too old for its swarm, and what to do; empty when it is not. */
    String tooOld() {
        int agreed = agreed();
        return own >= agreed
                ? ""
                : "this node's fazt is too old for its swarm: it has schema level " + own
                        + ", and the swarm has agreed on level " + agreed
                        + ". It serves and keeps what is written here, but has no link with any member until fazt is"
                        + " updated on it";
    }

    /** Why a node of that level can't join through this one; empty when it can. */
    String refusal(int level) {
        int agreed = agreed();
        if (own < agreed) {
            return "the issuer can't let anybody in: " + tooOld();
        }
        return level >= agreed
                ? ""
                : "the fazt of the node that wants to join is too old: it has schema level " + level
                        + ", and the swarm has agreed on level " + agreed
                        + ". Update fazt on it, then join with the same token";
    }

    /** Lets the links follow, and tells the owner what changed. One caller at a time. */
    void follow(GrpcLinks links) {
        int agreed = agreed();
        if (agreed == 0 || agreed == followed) {
            return;
        }
        links.schemaLevels(own, agreed);
        String tooOld = tooOld();
        if (!tooOld.isEmpty()) {
            LOG.error("no link with any member why={}", tooOld);
            events.add("schema-level", null, "this node is shut out until it is updated", tooOld);
        } else if (followed != 0 && agreed > followed) {
            events.add(
                    "schema-level",
                    null,
                    "the swarm has agreed on schema level " + agreed,
                    "every member that counts has it; nodes with an older fazt have no link and can't join any more");
        }
        followed = agreed;
    }

    /** Where this node leads: raises the agreed level to what every member that counts has. Blocking. */
    void tend() {
        ConfigEntry entry = records.entry(Records.SWARM, Records.SWARM);
        SwarmRecord swarm = records.swarm();
        if (!raft.status().leads() || entry == null || swarm == null) {
            return;
        }
        Map<NodeId, MemberRecord> counting = records.members();
        int agreed = agreed(swarm);
        if (counting.values().stream().allMatch(member -> of(member) <= agreed)) {
            return;
        }
        counting.keySet().removeAll(silent.get());
        int all = counting.values().stream().mapToInt(Levels::of).min().orElse(0);
        if (all > agreed) {
            byte[] raised = swarm.toBuilder().setSchemaLevel(all).build().toByteArray();
            try {
                // When somebody's level changed meanwhile it is in conflict, see guard, and looked at again.
                config.propose(List.of(Op.set(entry, Records.SWARM, entry.key(), raised)));
                LOG.info("every member that counts has schema level {}: it is agreed on", all);
            } catch (ConsensusException e) {
                LOG.debug("schema level {} is not agreed yet", all, e);
            }
        }
    }

    /** What a change of a member's record includes, so that it and a raised level don't miss each other. */
    List<Op> guard(MemberRecord before, MemberRecord after) {
        return of(before) == of(after) ? List.of() : guard();
    }

    /** What the admission of a member includes: nothing where the others have no higher level to be raised to. */
    List<Op> guard(Collection<MemberRecord> others, MemberRecord admitted) {
        return others.stream().allMatch(other -> of(other) <= of(admitted)) ? List.of() : guard();
    }

    private List<Op> guard() {
        ConfigEntry entry = records.entry(Records.SWARM, Records.SWARM);
        return entry == null ? List.of() : List.of(Op.set(entry, entry.kind(), entry.key(), entry.value()));
    }
}
