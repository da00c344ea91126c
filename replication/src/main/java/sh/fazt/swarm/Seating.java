package sh.fazt.swarm;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.membership.MemberState;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * Has members that stand by take voters' seats, where this node leads; {@link Seats} says which. Confined to one caller at
 * a time; blocks.
 */
final class Seating {
    private static final Logger LOG = LoggerFactory.getLogger(Seating.class);

    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final Function<NodeId, MemberState> states;
    private final InstantSource clock;
    private final Duration patience;
    /**
     * Since when a voter does not answer this node while it leads, by its nanoseconds. Whoever leads next counts anew,
     * and so does a machine that slept: that only makes it later.
     */
    private final Map<NodeId, Long> silentSince = new HashMap<>();

    /**
     * @param states   what is believed of a member
     * @param patience how long a voter may be silent
     */
    Seating(
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            Function<NodeId, MemberState> states,
            InstantSource clock,
            Duration patience) {
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.states = states;
        this.clock = clock;
        this.patience = patience;
    }

    /** A member's record when it votes from now on, or observes, because its owner or the swarm said so. */
    static MemberRecord record(MemberRecord member, boolean votes) {
        return member.toBuilder()
                .setObserver(!votes)
                .clearStandsBySinceSeconds()
                .build();
    }

    /** The same when it observes only because others have the seats. */
    static MemberRecord standsBy(MemberRecord member, InstantSource clock) {
        return member.toBuilder()
                .setObserver(true)
                .setStandsBySinceSeconds(clock.instant().getEpochSecond())
                .build();
    }

    /** One change at most. */
    void tend(RaftStatus status) {
        if (!status.leads()) {
            silentSince.clear();
            return;
        }
        // Versions first: what is changed after is in conflict then.
        ConfigEntry guard = records.entry(Records.SWARM, Records.SWARM);
        Map<NodeId, ConfigEntry> entries = records.entries(Records.MEMBER);
        SwarmRecord swarm = records.swarm();
        if (guard == null || swarm == null) {
            return;
        }
        Map<NodeId, MemberRecord> members = records.members();
        members.keySet().retainAll(entries.keySet());
        Seats.Change change = seats(status, swarm, members).next().orElse(null);
        if (change == null) {
            return;
        }
        NodeId takes = change.takes();
        try {
            String from = "nobody: it was free";
            List<Op> ops = new ArrayList<>();
            // Whoever else leads, admits a voter or changes a role meanwhile stands in the way of this.
            ops.add(Op.set(guard, guard.kind(), guard.key(), guard.value()));
            ops.add(set(entries, takes, record(of(members, takes), true)));
            if (change instanceof Seats.Change.Replace replace) {
                NodeId silent = replace.silent();
                // It goes first: beside it, a newcomer that fails at once could cost the majority.
                raft.removeVoter(silent);
                ops.add(set(entries, silent, standsBy(of(members, silent), clock)));
                from = silent.shortText();
            }
            if (config.propose(ops) instanceof SwarmConfig.Result.Applied) {
                LOG.info("a member takes a voter's seat member={} from={}", takes.shortText(), from);
            }
        } catch (ConsensusException e) {
            LOG.debug("{} does not take a seat yet", takes.shortText(), e);
        }
    }

    private Seats seats(RaftStatus status, SwarmRecord swarm, Map<NodeId, MemberRecord> members) {
        Set<NodeId> voters = new HashSet<>();
        List<NodeId> waiting = new ArrayList<>();
        members.forEach((id, member) -> {
            if (!member.getObserver()) {
                voters.add(id);
            } else if (member.getStandsBySinceSeconds() != 0 && states.apply(id) == MemberState.ALIVE) {
                waiting.add(id);
            }
        });
        waiting.sort(Comparator.comparing((NodeId id) -> of(members, id).getStandsBySinceSeconds())
                .thenComparing(Comparator.naturalOrder()));
        Set<NodeId> group = Set.copyOf(status.voters());
        Set<NodeId> quiet = new HashSet<>(voters);
        quiet.removeAll(group);
        quiet.addAll(status.unreachable());
        silentSince.keySet().retainAll(quiet);
        long now = System.nanoTime();
        Map<NodeId, Duration> silent = new HashMap<>();
        for (NodeId id : quiet) {
            silent.put(id, Duration.ofNanos(now - silentSince.computeIfAbsent(id, unheard -> now)));
        }
        return new Seats(Seats.wanted(swarm), voters, group, silent, waiting, patience);
    }

    private static MemberRecord of(Map<NodeId, MemberRecord> members, NodeId id) {
        return Objects.requireNonNull(members.get(id));
    }

    private static Op set(Map<NodeId, ConfigEntry> entries, NodeId id, MemberRecord member) {
        return Op.set(entries.get(id), Records.MEMBER, id.toString(), member.toByteArray());
    }
}
