package sh.fazt.swarm;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConfigFeed;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.membership.MemberState;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * Who votes and who observes. The member's record says what a member shall be; the Raft group follows it: a member that
 * shall vote asks to be added, one that shall observe is taken out by the leader and lets go of its log only when a
 * voter tells that it is out, since before that its vote may be needed. Thread-safe; what changes something blocks.
 */
final class Roles implements ConfigFeed.Facts {
    private static final Logger LOG = LoggerFactory.getLogger(Roles.class);
    /** More voters make every change slower and are hardly ever up all at once. */
    static final int MOST = 5;
    /** How long a change of a role is waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** How long a voter is without a leader before it asks the others whether it still belongs to them. */
    private static final Duration LOST = Duration.ofSeconds(5);

    private final NodeId self;
    private final Supplier<String> swarmId;
    private final SwarmRaft raft;
    private final Records records;
    private final Agreement agreement;
    private final PendingJoin joining;
    private final Supplier<Map<NodeId, MemberRecord>> members;
    private final Function<NodeId, MemberState> states;
    private final BooleanSupplier pays;
    private final Seating seating;
    private long heardGroup = System.nanoTime();
    /** That this node's group was given up, for its owner; empty while there is nothing to say. */
    private volatile String fenced = "";

    private volatile int gaveWayTo;

    /**
     * @param members of the swarm, those of an admission included
     * @param states  what is believed of a member
     * @param pays    whether this node pays for what it sends
     */
    Roles(
            NodeId self,
            Supplier<String> swarmId,
            SwarmRaft raft,
            Records records,
            Agreement agreement,
            PendingJoin joining,
            Supplier<Map<NodeId, MemberRecord>> members,
            Function<NodeId, MemberState> states,
            BooleanSupplier pays,
            Seating seating) {
        this.self = self;
        this.swarmId = swarmId;
        this.raft = raft;
        this.records = records;
        this.agreement = agreement;
        this.joining = joining;
        this.members = members;
        this.states = states;
        this.pays = pays;
        this.seating = seating;
    }

    @Override
    public String swarm() {
        return swarmId.get();
    }

    @Override
    public int epoch() {
        SwarmRecord record = records.swarm();
        return record == null ? 0 : record.getEpoch();
    }

    @Override
    public int gaveWayTo() {
        return gaveWayTo;
    }

    @Override
    public Set<NodeId> voters() {
        return those(member -> !member.getObserver());
    }

    @Override
    public Set<NodeId> observers() {
        return those(MemberRecord::getObserver);
    }

    @Override
    public boolean metered() {
        return pays.getAsBoolean();
    }

    @Override
    public Set<NodeId> former() {
        SwarmRecord record = records.swarm();
        Set<NodeId> former = new HashSet<>();
        if (record != null) {
            record.getFormerVotersList().forEach(id -> former.add(NodeId.parse(id)));
            former.retainAll(members.get().keySet());
        }
        return former;
    }

    private Set<NodeId> those(Predicate<MemberRecord> role) {
        Set<NodeId> those = new HashSet<>();
        members.get().forEach((id, member) -> {
            if (role.test(member)) {
                those.add(id);
            }
        });
        return those;
    }

    /** Whether no other member votes. */
    boolean lastVoter() {
        Set<NodeId> others = new HashSet<>(voters());
        others.remove(self);
        return others.isEmpty();
    }

    /** How many of these vote. */
    static int voters(Map<NodeId, MemberRecord> members) {
        return (int) members.values().stream()
                .filter(member -> !member.getObserver())
                .count();
    }

    /** Lets an observer vote; returns when it does. Blocking. */
    void promote(NodeId node, Runnable tend) {
        MemberRecord member = member(node);
        String what = "promote " + member.getName();
        quorum(what);
        MemberState state = node.equals(self) ? MemberState.ALIVE : states.apply(node);
        if (state == MemberState.AWAY || node.equals(self) && pays.getAsBoolean()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't " + what + ": it pays for what it sends, and who votes is asked each second whether it is"
                            + " there. \"fazt swarm link set default metered off\" on " + member.getName()
                            + " says that it does not");
        }
        if (state != MemberState.ALIVE) {
            throw new SwarmException(
                    SwarmException.Reason.UNREACHABLE,
                    "can't " + what + ": it does not answer, and a voter that is away only stands in the way. Try"
                            + " again when \"fazt swarm status\" shows it alive");
        }
        change(node, false, () -> {
            if (!member(node).getObserver()) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't " + what + ": it is a voter already" + (voting(node) ? "" : ", about to vote"));
            }
            if (voters().size() >= MOST) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't " + what + ": a swarm has at most " + MOST
                                + " voters. \"fazt swarm demote NODE\" makes room");
            }
        });
        await(what, () -> voting(node), tend);
    }

    /** Lets a voter observe; returns when it is out of the group. Blocking. */
    void demote(NodeId node, Runnable tend) {
        MemberRecord member = member(node);
        String what = "demote " + member.getName();
        quorum(what);
        change(node, true, () -> {
            if (member(node).getObserver()) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID, "can't " + what + ": it is an observer already");
            }
            if (voters().size() == 1) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't " + what + ": it is the last voter, and nobody could change members or aliases any more."
                                + " \"fazt swarm promote NODE\" another first");
            }
            if (!voting(node) && states.apply(node) == MemberState.ALIVE) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't " + what + ": it is about to vote. Wait until \"fazt swarm status\" shows it as a"
                                + " voter, then try again");
            }
        });
        agreement.guarded(what, () -> raft.removeVoter(node));
        await(what, () -> !voting(node) && (!node.equals(self) || raft.observing()), tend);
    }

    private boolean voting(NodeId node) {
        RaftStatus status = raft.status();
        return status.voters().contains(node) && (!node.equals(self) || !raft.observing());
    }

    private MemberRecord member(NodeId node) {
        MemberRecord member = records.members().get(node);
        if (member == null) {
            throw new SwarmException(
                    SwarmException.Reason.NOT_FOUND, "node " + node.shortText() + " is no member of this swarm");
        }
        return member;
    }

    private void quorum(String what) {
        RaftStatus status = raft.status();
        if (!status.quorum()) {
            throw agreement.noQuorum(what, status.unreachable(), status.voters().size());
        }
    }

    private void change(NodeId node, boolean observer, Runnable rules) {
        agreement.agree(() -> {
            // Roles change one after the other: two at once could take the last two voters out.
            ConfigEntry guard = records.entry(Records.SWARM, Records.SWARM);
            ConfigEntry entry = records.entry(Records.MEMBER, node.toString());
            SwarmRecord swarm = records.swarm();
            if (entry == null || guard == null || swarm == null) {
                throw new SwarmException(SwarmException.Reason.TIMEOUT, "nothing is agreed here yet: try again");
            }
            rules.run();
            int voters = voters().size();
            return List.of(
                    Op.set(
                            guard,
                            guard.kind(),
                            guard.key(),
                            observer ? Seats.left(swarm, voters - 1) : Seats.taken(swarm, voters + 1)),
                    Op.set(
                            entry,
                            entry.kind(),
                            entry.key(),
                            Seating.record(member(node), !observer).toByteArray()));
        });
    }

    private void await(String what, BooleanSupplier done, Runnable tend) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
                throw new SwarmException(
                        SwarmException.Reason.TIMEOUT,
                        "it is agreed to " + what + ", but it is not done yet; it goes on in the background: see"
                                + " \"fazt swarm status\"");
            }
            tend.run();
            LockSupport.parkNanos(50_000_000);
        }
    }

    /** Brings this node and, where it leads, the group to what the records say. Blocking. */
    void tend(ConfigFeed feed, Joiner joiner) {
        boolean met = feed.tend();
        if (joining.pending()) {
            return;
        }
        MemberRecord me = records.members().get(self);
        if (raft.observing()) {
            // What it knew before it observed may still call it a voter.
            if (me != null
                    && !me.getObserver()
                    && feed.fetch()
                    && !those(MemberRecord::getObserver).contains(self)) {
                LOG.info("this member is to vote now");
                fenced = "";
                joiner.again();
                raft.rejoin(false);
            }
            return;
        }
        RaftStatus status = raft.status();
        if (status.leads()) {
            takeOut(status);
        }
        seating.tend(status);
        if (status.quorum()) {
            heardGroup = System.nanoTime();
        }
        boolean out = me != null && me.getObserver();
        boolean lost = out || System.nanoTime() - heardGroup > LOST.toNanos();
        if (lost || met) {
            letGo(feed, lost);
        }
    }

    /** What the owner has to know of this node's part in the group; empty when there is nothing. */
    String fenced() {
        return fenced;
    }

    /** This node is in another swarm now. */
    void startOver() {
        fenced = "";
        gaveWayTo = 0;
        heardGroup = System.nanoTime();
    }

    /** What was to be taken out, but was not: whoever began it is gone. */
    private void takeOut(RaftStatus status) {
        Map<NodeId, MemberRecord> known = records.members();
        for (NodeId voter : status.voters()) {
            MemberRecord member = known.get(voter);
            if (member != null && member.getObserver() && !voter.equals(self)) {
                try {
                    raft.removeVoter(voter);
                } catch (ConsensusException e) {
                    LOG.debug("{} is not out of the group yet", voter.shortText(), e);
                }
            }
        }
    }

    /**
     * Whoever is out of the group must not stand for election: it would only be told to shut down. And a group of an
     * earlier epoch is none any more, quorum or not: the owner let the others go on without it.
     *
     * @param lost whether this node is without its group; else only a later epoch counts
     */
    private void letGo(ConfigFeed feed, boolean lost) {
        for (ConfigFeed.Standing standing : feed.standings()) {
            boolean given = standing.epoch() > epoch();
            boolean newer = given || lost && standing.epoch() == epoch() && standing.version() >= raft.configVersion();
            if (standing.quorum() && newer && !standing.voters().contains(self)) {
                LOG.info(
                        "this node is out of the group, and observes from now on told-by={}",
                        standing.from().shortText());
                if (given) {
                    // Who has not met the others yet would tell that all is as it was, and that this node votes.
                    gaveWayTo = standing.epoch();
                    fenced = "this node's part of the swarm was given up by \"fazt swarm recover\" elsewhere (epoch "
                            + standing.epoch() + "): it follows the others now, and members and aliases that were"
                            + " changed here meanwhile are as they are there. \"fazt swarm promote NODE\" lets it vote"
                            + " again";
                    LOG.warn("the group is given up why={}", fenced);
                }
                raft.becomeObserver();
                feed.fetch();
                return;
            }
        }
    }
}
