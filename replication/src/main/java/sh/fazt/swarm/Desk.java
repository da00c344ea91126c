package sh.fazt.swarm;

import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.NoQuorumException;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.link.JoinAnswer;
import sh.fazt.link.JoinApplication;
import sh.fazt.link.JoinDesk;
import sh.fazt.link.JoinRefusal;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.protocol.swarm.v1.EvictionRecord;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.protocol.swarm.v1.TokenRecord;

/** Issues tokens and decides on applications: using up the token and admitting the member are one agreed change. Thread-safe. */
final class Desk implements JoinDesk {
    private static final int TRIES = 5;
    private static final Duration LONGEST = Duration.ofDays(30);

    private final NodeId self;
    private final Records records;
    private final Agreement agreement;
    private final Evictions evictions;
    private final Levels levels;
    private final SwarmConfig config;
    private final SwarmRaft raft;
    private final InstantSource clock;
    private final SecureRandom random;
    private final Executor io;

    Desk(
            NodeId self,
            Records records,
            Agreement agreement,
            Evictions evictions,
            Levels levels,
            SwarmConfig config,
            SwarmRaft raft,
            InstantSource clock,
            SecureRandom random,
            Executor io) {
        this.self = self;
        this.records = records;
        this.agreement = agreement;
        this.evictions = evictions;
        this.levels = levels;
        this.config = config;
        this.raft = raft;
        this.clock = clock;
        this.random = random;
        this.io = io;
    }

    /**
     * Makes a token for one new node. Blocking.
     *
     * @param addresses where this node can be dialled
     */
    IssuedToken issue(Duration timeToLive, List<String> addresses) {
        if (timeToLive.isNegative() || timeToLive.isZero() || timeToLive.compareTo(LONGEST) > 0) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID, "a token is good for more than nothing and at most 30 days");
        }
        if (addresses.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't make a token: this node has no address at which another could dial it, as it is on no network."
                            + " Connect it to one, or start it with --bind and the address that the other can reach");
        }
        Instant now = clock.instant();
        JoinToken token = JoinToken.mint(self, addresses, random);
        Instant expires = now.plus(timeToLive);
        TokenRecord record = TokenRecord.newBuilder()
                .setSecret(ByteString.copyFrom(token.secret()))
                .setExpiresAtSeconds(expires.getEpochSecond())
                .build();
        agreement.agree(() -> {
            List<Op> ops = new ArrayList<>();
            ops.add(Op.set(null, Records.TOKEN, token.tokenId(), record.toByteArray()));
            for (ConfigEntry old : config.list(Records.TOKEN)) {
                if (Records.token(old).getExpiresAtSeconds() < now.getEpochSecond() - 86_400) {
                    ops.add(Op.delete(old));
                }
            }
            return ops;
        });
        return new IssuedToken(token, expires.truncatedTo(ChronoUnit.SECONDS));
    }

    @Override
    public CompletionStage<JoinAnswer> admit(JoinApplication application) {
        CompletableFuture<JoinAnswer> answer = new CompletableFuture<>();
        io.execute(() -> {
            try {
                answer.complete(decide(application));
            } catch (NoQuorumException e) {
                answer.complete(new JoinAnswer.Refused(
                        JoinRefusal.NO_QUORUM,
                        "the swarm can't admit anybody at the moment: " + e.getMessage()
                                + "; the token is still good, try again when they are back"));
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private JoinAnswer decide(JoinApplication application) {
        for (int i = 0; i < TRIES; i++) {
            ConfigEntry guard = records.entry(Records.SWARM, Records.SWARM);
            SwarmRecord swarm = records.swarm();
            String group = raft.groupId();
            if (guard == null || swarm == null || group == null) {
                return refuse(JoinRefusal.BUSY, "the issuer is starting: try again in a moment");
            }
            ConfigEntry entry = records.entry(Records.TOKEN, application.tokenId());
            if (entry == null) {
                return refuse(
                        JoinRefusal.UNKNOWN_TOKEN,
                        "swarm " + swarm.getName()
                                + ", which the issuer is in, has no such token: it was withdrawn, or it is of a swarm that the issuer has left. Ask for a new one");
            }
            TokenRecord token = Records.token(entry);
            if (!application.provenBy(token.getSecret().toByteArray())) {
                return refuse(JoinRefusal.BAD_PROOF, "the token's secret is not the one that the swarm knows");
            }
            EvictionRecord evicted = evictions.of(application.node()).orElse(null);
            if (evicted != null) {
                return refuse(JoinRefusal.EVICTED, Evictions.text(application.node(), evicted, swarm.getName()));
            }
            String tooOld = levels.refusal(application.schemaLevel());
            if (!tooOld.isEmpty()) {
                return refuse(JoinRefusal.TOO_OLD, tooOld);
            }
            String node = application.node().toString();
            boolean again = token.getUsedBy().equals(node);
            if (!again && !token.getUsedBy().isEmpty()) {
                return refuse(JoinRefusal.USED, "a node has joined with this token already: ask for a new one");
            }
            if (!again && token.getExpiresAtSeconds() <= clock.instant().getEpochSecond()) {
                return refuse(JoinRefusal.EXPIRED, "the token has expired: ask for a new one");
            }
            Map<NodeId, MemberRecord> members = records.members();
            if (again && members.containsKey(application.node())) {
                return admitted(group, swarm, members);
            }
            // A member that left without us, or lost what it knew, comes back as itself: it counts once.
            members.remove(application.node());
            MemberRecord applicant = MemberRecord.newBuilder()
                    .setName(free(application.name(), members))
                    .addAllAddresses(application.addresses())
                    .setSchemaLevel(application.schemaLevel())
                    .build();
            List<Op> ops = new ArrayList<>(levels.guard(members.values(), applicant));
            int voters = Roles.voters(members);
            boolean votes = !application.observer() && voters < Seats.BY_POLICY;
            MemberRecord member = application.observer() || votes
                    ? Seating.record(applicant, votes)
                    : Seating.standsBy(applicant, clock);
            if (votes) {
                // Two that are let in at once must not both take the last seat.
                ops.add(Op.set(guard, guard.kind(), guard.key(), Seats.taken(swarm, voters + 1)));
            }
            ops.add(Op.set(
                    entry,
                    Records.TOKEN,
                    entry.key(),
                    token.toBuilder().setUsedBy(node).build().toByteArray()));
            ops.add(Op.set(records.entry(Records.MEMBER, node), Records.MEMBER, node, member.toByteArray()));
            if (config.propose(ops) instanceof SwarmConfig.Result.Applied) {
                // Agreed, but perhaps not applied here yet.
                config.barrier();
                return admitted(group, swarm, records.members());
            }
        }
        throw new ConsensusException(
                ConsensusException.Reason.CHANGE_FAILED, "too many changes at once: try again in a moment");
    }

    private static JoinAnswer admitted(String group, SwarmRecord swarm, Map<NodeId, MemberRecord> members) {
        Admission.Builder admission = Admission.newBuilder().setGroup(group).setSwarm(swarm);
        members.forEach((id, member) -> admission.putMembers(id.toString(), member));
        return new JoinAnswer.Admitted(admission.build().toByteArray());
    }

    private static JoinAnswer refuse(JoinRefusal reason, String message) {
        return new JoinAnswer.Refused(reason, message);
    }

    /** Names are unique in a swarm: the second home becomes home-2. */
    private static String free(String wanted, Map<NodeId, MemberRecord> members) {
        Set<String> taken = new HashSet<>();
        members.values().forEach(member -> taken.add(member.getName()));
        String name = wanted;
        for (int i = 2; taken.contains(name); i++) {
            name = wanted + "-" + i;
        }
        return name;
    }
}
