package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.ConfigFeed;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Applicant;
import sh.fazt.link.Channel;
import sh.fazt.link.JoinAnswer;
import sh.fazt.link.JoinCall;
import sh.fazt.link.JoinRefusal;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * The way from an admission to a voter that has heard all that is agreed. Each step can be repeated, so that a join that
 * was interrupted anywhere goes on. One caller at a time.
 */
final class Joiner {
    private static final Logger LOG = LoggerFactory.getLogger(Joiner.class);
    private static final Duration ASK = Duration.ofSeconds(20);
    private static final Duration CALL = Duration.ofSeconds(45);
    /** How long a leader has to tell whoever it added, before it is asked again. */
    private static final Duration AGAIN = Duration.ofSeconds(2);

    /** What says nothing of the issuer but that it is not where the token says. */
    private static final Set<JoinRefusal> ELSEWHERE =
            Set.of(JoinRefusal.UNREACHABLE, JoinRefusal.WRONG_KEY, JoinRefusal.STRANGER);

    private final NodeKey key;
    private final SwarmOptions options;
    private final Cartridge cartridge;
    private final Links links;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final PendingJoin pending;
    private final Surroundings surroundings;
    private final ConfigFeed feed;
    private final ExecutorService io;
    private volatile String obstacle = "";
    private long asked = System.nanoTime() - AGAIN.toNanos();

    Joiner(
            NodeKey key,
            SwarmOptions options,
            Cartridge cartridge,
            Links links,
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            PendingJoin pending,
            Surroundings surroundings,
            ConfigFeed feed,
            ExecutorService io) {
        this.key = key;
        this.options = options;
        this.cartridge = cartridge;
        this.links = links;
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.pending = pending;
        this.surroundings = surroundings;
        this.feed = feed;
        this.io = io;
    }

    /** Shows the token to its issuer and enters the group that this node is admitted to. Blocking. */
    void admit(JoinToken token, boolean observer) {
        Admission admitted = apply(token, observer);
        LOG.info(
                "admitted swarm={} members={} group={} left={}",
                admitted.getSwarm().getName(),
                admitted.getMembersCount(),
                admitted.getGroup(),
                raft.groupId());
        synchronized (this) {
            pending.keep(admitted);
            enter();
        }
    }

    private Admission apply(JoinToken token, boolean observer) {
        JoinAnswer answer = call(token, observer);
        if (answer instanceof JoinAnswer.Refused refused && ELSEWHERE.contains(refused.reason())) {
            List<String> near = surroundings.find(token.issuer(), token.addresses());
            if (!near.isEmpty()) {
                LOG.info("the issuer was heard of on the local network addresses={}", near);
                answer = call(token.at(near), observer);
            }
        }
        if (answer instanceof JoinAnswer.Refused refused) {
            throw new SwarmException(reason(refused.reason()), refused.message());
        }
        try {
            return Admission.parseFrom(((JoinAnswer.Admitted) answer).admission());
        } catch (InvalidProtocolBufferException e) {
            throw new SwarmException(
                    SwarmException.Reason.UNREACHABLE,
                    "the issuer answered something that this fazt does not understand");
        }
    }

    private JoinAnswer call(JoinToken token, boolean observer) {
        Applicant applicant = new Applicant(options.name(), options.addresses(), observer, options.schemaLevel());
        return JoinCall.join(token, key, applicant, CALL, io)
                .toCompletableFuture()
                .join();
    }

    private static SwarmException.Reason reason(JoinRefusal refusal) {
        return switch (refusal) {
            case EXPIRED, USED, UNKNOWN_TOKEN, BAD_PROOF, WRONG_KEY -> SwarmException.Reason.BAD_TOKEN;
            case NO_QUORUM -> SwarmException.Reason.NO_QUORUM;
            case EVICTED, TOO_OLD -> SwarmException.Reason.CONFLICT;
            case BUSY, NOT_UNDERSTOOD, UNREACHABLE, STRANGER -> SwarmException.Reason.UNREACHABLE;
        };
    }

    /** Enters the group that this node was admitted to, unless it has. Answers whether it had not. Blocking. */
    synchronized boolean enterPending() {
        if (!pending.pending() || pending.group().equals(raft.groupId())) {
            return false;
        }
        enter();
        return true;
    }

    /** Leaves what this node agreed on alone for the group that it was admitted to. */
    private void enter() {
        // What this node alone knew of its owner gives way to what the swarm knows.
        cartridge.forget(Scope.SYSTEM).toCompletableFuture().join();
        MemberRecord me = pending.members().get(key.id());
        if (me != null && me.getObserver()) {
            raft.prepareObserve(pending.group());
        } else {
            raft.prepareJoin(pending.group());
        }
    }

    /** This member has to be let in again as a voter, by those that it knows. */
    void again() {
        SwarmRecord record = records.swarm();
        String group = raft.groupId();
        if (!pending.pending() && record != null && group != null) {
            Admission.Builder again = Admission.newBuilder().setGroup(group).setSwarm(record);
            records.members().forEach((id, member) -> again.putMembers(id.toString(), member));
            pending.keep(again.build());
        }
    }

    /**
     * One step towards being a voter that has heard the whole log; answers true when this was the last. Blocking.
     */
    boolean goOn() {
        // What the group says that this node leaves is not said of the one that it enters.
        if (enterPending()) {
            return false;
        }
        if (raft.observing()) {
            if (feed.fetch() && records.members().containsKey(key.id())) {
                pending.forget();
                return true;
            }
            return false;
        }
        RaftStatus status = raft.status();
        if (status.voters().contains(key.id()) && status.quorum()) {
            try {
                config.barrier();
            } catch (ConsensusException e) {
                obstacle = String.valueOf(e.getMessage());
                LOG.debug("the log is not heard to its end yet", e);
                return false;
            }
            if (records.members().containsKey(key.id())) {
                pending.forget();
                return true;
            }
        } else if (System.nanoTime() - asked > AGAIN.toNanos()) {
            askToVote();
        }
        return false;
    }

    /** What the last step failed by; empty when that is not known. */
    String obstacle() {
        return obstacle;
    }

    /** Asks whoever it is linked to. */
    private void askToVote() {
        obstacle = "no member of it is linked"
                + links.states().stream()
                        .filter(state -> !state.up() && state.lastError() != null)
                        .map(state -> ": node " + state.peer().shortText() + ", " + state.lastError())
                        .findFirst()
                        .orElse("");
        Ask ask = Ask.newBuilder().setAddMe(raft.peerId()).build();
        for (LinkState state : links.states()) {
            if (state.up()) {
                try {
                    byte[] no = links.ask(state.peer(), Channel.SWARM, ask.toByteArray(), ASK)
                            .toCompletableFuture()
                            .join();
                    if (no.length > 0) {
                        LOG.info("this member is not to vote: it observes");
                        raft.becomeObserver();
                    }
                    asked = System.nanoTime();
                    obstacle = "it was added, and hears nothing of the group yet";
                    return;
                } catch (CompletionException e) {
                    Throwable cause = e.getCause();
                    obstacle = "node " + state.peer().shortText() + " did not add it: "
                            + (cause == null ? e : cause).getMessage();
                    LOG.debug("could not be added by {}", state.peer().shortText(), e);
                }
            }
        }
    }
}
