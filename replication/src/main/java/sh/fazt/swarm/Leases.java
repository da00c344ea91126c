package sh.fazt.swarm;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.consensus.v1.LeaseRecord;
import sh.fazt.protocol.consensus.v1.LeaseReply;
import sh.fazt.protocol.consensus.v1.LeaseRequest;
import sh.fazt.protocol.swarm.v1.MemberRecord;

/**
 * Names that one holder at a time has, swarm-wide and for a time. Whoever takes one gets a fencing token, a number that
 * is greater than that of every holder before; what the lease protects should refuse a lesser one than it has seen,
 * since a holder that was asleep may not know yet that its lease is over. Thread-safe; what changes something blocks.
 *
 * <p>A holder counts its time from before it asked, and ends before that is over: the swarm lets it last that long at
 * least, whatever becomes of its leader.
 */
public final class Leases {
    /** Below this a change of the leader would end it. */
    public static final Duration SHORTEST = Duration.ofSeconds(5);
    /** A holder that is gone keeps the name for as long. */
    public static final Duration LONGEST = Duration.ofHours(1);

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
    private static final Pattern HOLDER = Pattern.compile("[^\\p{Cntrl}]{1,100}");

    private final NodeId self;
    private final SwarmConfig config;
    private final Agreement agreement;
    private final Supplier<Map<NodeId, MemberRecord>> members;
    private final RandomGenerator random;

    Leases(
            NodeId self,
            SwarmConfig config,
            Agreement agreement,
            Supplier<Map<NodeId, MemberRecord>> members,
            RandomGenerator random) {
        this.self = self;
        this.config = config;
        this.agreement = agreement;
        this.members = members;
        this.random = random;
    }

    /**
     * A lease that somebody holds. Immutable.
     *
     * @param holder as it calls itself
     * @param node   through which member it was taken
     * @param token  its fencing token
     * @param left   how long it goes on without another renewal, or a little longer
     */
    public record Lease(String name, String holder, SwarmView.Named node, long token, Duration ttl, Duration left) {}

    /**
     * What came of letting go. Immutable.
     *
     * @param released false when nobody held it, or not with that token: nothing changed
     * @param text     for a person
     */
    public record Release(boolean released, String text) {}

    /** Every lease that somebody holds as far as this node knows, by name. */
    public List<Lease> list() {
        return config.leases().stream()
                .map(each -> lease(each.name(), each.lease(), each.left()))
                .toList();
    }

    /**
     * Takes a lease that is free. The same holder through the same member has what it had, for longer. Blocking.
     *
     * @param holder who that is: no two may share it; null for a new one
     * @throws SwarmException {@code CONFLICT} when somebody else holds it, {@code NO_QUORUM, INVALID, TIMEOUT}
     */
    public Lease take(String name, Duration ttl, @Nullable String holder) {
        checkTtl(ttl);
        String who = holder == null ? "holder-" + Long.toUnsignedString(random.nextLong(), 36) : holder;
        if (!HOLDER.matcher(who).matches()) {
            throw invalid("a lease's holder is a text of 1 to 100 characters and no control character");
        }
        LeaseReply reply = ask(
                "take lease " + name,
                request(name)
                        .setTake(LeaseRequest.Take.newBuilder()
                                .setHolder(who)
                                .setNode(self.toString())
                                .setTtlMs(ttl.toMillis())));
        if (reply.getFull()) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT,
                    "can't take lease " + name + ": the swarm has as many leases as it keeps; release some, see \"fazt"
                            + " swarm lease list\"");
        }
        if (!reply.getDone()) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT, "lease " + name + " is held by " + holder(name, reply));
        }
        return lease(name, reply);
    }

    /**
     * Lets a lease go on, for its holder. Blocking.
     *
     * @throws SwarmException {@code CONFLICT} when that token's time is over, {@code NO_QUORUM, INVALID, TIMEOUT}
     */
    public Lease renew(String name, long token, Duration ttl) {
        checkTtl(ttl);
        LeaseReply reply = ask(
                "renew lease " + name,
                request(name)
                        .setRenew(
                                LeaseRequest.Renew.newBuilder().setToken(token).setTtlMs(ttl.toMillis())));
        if (!reply.getDone()) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT,
                    "lease " + name + " is held no more with token " + token + ": "
                            + (reply.hasLease()
                                    ? "it is held by " + holder(name, reply)
                                    : "it ran out or was released, and nobody holds it; take it again"));
        }
        return lease(name, reply);
    }

    /** Lets go of a lease, for its holder. Blocking. */
    public Release release(String name, long token) {
        LeaseReply reply = ask("release lease " + name, request(name).setRelease(token));
        return reply.getDone()
                ? new Release(true, "lease " + name + " is free")
                : new Release(
                        false,
                        "nothing was released: lease " + name + " is held no more with token " + token + "; "
                                + (reply.hasLease() ? "it is held by " + holder(name, reply) : "nobody holds it"));
    }

    /** Takes a lease from whoever holds it, who hears of it at its next renewal. Blocking. */
    public Release revoke(String name) {
        LeaseReply reply = ask("release lease " + name, request(name).setRevoke(true));
        return reply.getDone()
                ? new Release(true, "lease " + name + " is free; it was held by " + who(lease(name, reply)))
                : new Release(false, "nothing was released: nobody holds lease " + name);
    }

    private LeaseReply ask(String what, LeaseRequest.Builder request) {
        LeaseReply[] reply = new LeaseReply[1];
        agreement.guarded(what, () -> reply[0] = config.lease(request.build()));
        return reply[0];
    }

    private static LeaseRequest.Builder request(String name) {
        if (!NAME.matcher(name).matches()) {
            throw invalid("a lease's name has 1 to 63 of a-z, 0-9, \".\", \"_\" and \"-\" and begins with a letter or"
                    + " digit; not \"" + name + "\"");
        }
        return LeaseRequest.newBuilder().setName(name);
    }

    private static void checkTtl(Duration ttl) {
        if (ttl.compareTo(SHORTEST) < 0 || ttl.compareTo(LONGEST) > 0) {
            throw invalid("a lease lasts from 5 s to 1 h from one renewal to the next, not " + ttl.toSeconds() + " s");
        }
    }

    private static SwarmException invalid(String text) {
        return new SwarmException(SwarmException.Reason.INVALID, text);
    }

    private String holder(String name, LeaseReply reply) {
        Lease lease = lease(name, reply);
        return who(lease) + " for up to " + (lease.left().toSeconds() + 1) + " s more unless it is renewed";
    }

    private static String who(Lease lease) {
        String node = lease.node().name();
        return lease.holder() + " through " + (node.isEmpty() ? "a node that is no member now" : node) + " (token "
                + lease.token() + ")";
    }

    private Lease lease(String name, LeaseReply reply) {
        return lease(name, reply.getLease(), Duration.ofMillis(reply.getLeftMs()));
    }

    private Lease lease(String name, LeaseRecord record, Duration left) {
        return new Lease(
                name,
                record.getHolder(),
                Members.named(NodeId.parse(record.getNode()), members.get()),
                record.getToken(),
                Duration.ofMillis(record.getTtlMs()),
                left);
    }
}
