package sh.fazt.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConfigFeed;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * This node's own part in the group: opened, founded or taken up again when the node starts, and tended from then on, so
 * that it votes or observes as it shall and is found where it is. Thread-safe; all of it may block.
 */
final class OwnPart {
    private static final Logger LOG = LoggerFactory.getLogger(OwnPart.class);
    private static final Duration CATCH_UP = Duration.ofMinutes(25);

    private final NodeId self;
    private final SwarmOptions options;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final PendingJoin joining;
    private final Joiner joiner;
    private final Roles roles;
    private final ConfigFeed feed;
    private final Levels levels;
    private final Rotation rotation;
    private final Surroundings surroundings;
    private final Consequences consequences;
    private final RandomGenerator random;
    private final BooleanSupplier closed;
    /** Between tries to open it, each time twice as long. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);

    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    /** One question at a time: each may wait for long, and Raft needs the same threads. */
    private final AtomicBoolean tending = new AtomicBoolean();

    OwnPart(
            NodeId self,
            SwarmOptions options,
            SwarmRaft raft,
            SwarmConfig config,
            Records records,
            PendingJoin joining,
            Joiner joiner,
            Roles roles,
            ConfigFeed feed,
            Levels levels,
            Rotation rotation,
            Surroundings surroundings,
            Consequences consequences,
            RandomGenerator random,
            BooleanSupplier closed) {
        this.self = self;
        this.options = options;
        this.raft = raft;
        this.config = config;
        this.records = records;
        this.joining = joining;
        this.joiner = joiner;
        this.roles = roles;
        this.feed = feed;
        this.levels = levels;
        this.rotation = rotation;
        this.surroundings = surroundings;
        this.consequences = consequences;
        this.random = random;
        this.closed = closed;
    }

    /**
     * Goes on where the last run ended, or founds a swarm; tries until it comes about or the node stops. A machine that is
     * just too slow, or whose disk is full for a while, must not leave a node without its part. Blocking.
     */
    void open() {
        long pause = FIRST_PAUSE.toNanos();
        while (!opened() && !closed.getAsBoolean()) {
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE.toNanos());
        }
    }

    private boolean opened() {
        try {
            boolean enters = joiner.enterPending();
            if (enters) {
                LOG.info("a join that was cut off goes on");
            } else if (raft.groupId() == null || records.members().isEmpty() && !joining.pending()) {
                SwarmRecord before = records.swarm();
                found(before == null ? options.name() : before.getName());
            } else if (!raft.open()) {
                rejoin();
            }
            consequences.follow();
            opened.complete(null);
            return true;
        } catch (RuntimeException e) {
            LOG.error("the swarm's group can't be opened and is tried again; data is replicated all the same", e);
            return false;
        }
    }

    /** Waits until it is open. */
    void ready() {
        try {
            opened.get(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SwarmException(SwarmException.Reason.TIMEOUT, "interrupted");
        } catch (ExecutionException | TimeoutException e) {
            throw new SwarmException(
                    SwarmException.Reason.TIMEOUT,
                    "this node's part in the swarm is not open yet: look into its log, then try again");
        }
    }

    /** A swarm of this node alone. */
    void found(String name) {
        raft.initialise();
        byte[] id = new byte[Swarm.ID_BYTES];
        random.nextBytes(id);
        SwarmRecord swarm = SwarmRecord.newBuilder()
                .setId(NodeText.base32(id))
                .setName(name)
                .setEpoch(1)
                .setSchemaLevel(levels.own())
                .build();
        MemberRecord me = MemberRecord.newBuilder()
                .setName(options.name())
                .addAllAddresses(addresses())
                .setSchemaLevel(levels.own())
                .build();
        SwarmConfig.Result result = config.propose(List.of(
                Op.set(records.entry(Records.SWARM, Records.SWARM), Records.SWARM, Records.SWARM, swarm.toByteArray()),
                Op.set(
                        records.entry(Records.MEMBER, self.toString()),
                        Records.MEMBER,
                        self.toString(),
                        me.toByteArray())));
        if (!(result instanceof SwarmConfig.Result.Applied)) {
            throw new IllegalStateException("a swarm of one can't be in conflict with itself: " + result);
        }
        consequences.follow();
    }

    /** After the log was lost, or its end: as a new incarnation, alone or let in again by the others. */
    void rejoin() {
        if (rotation.done().isDone()) {
            return;
        }
        boolean alone = roles.lastVoter() && !joining.pending();
        LOG.warn("this node's vote is lost: it goes on as a new incarnation alone={}", alone);
        if (!alone) {
            joiner.again();
        }
        raft.rejoin(alone);
    }

    /** Where others may dial this node, the likeliest first: its own addresses, then the router's. */
    List<String> addresses() {
        List<String> addresses = new ArrayList<>(options.addresses());
        addresses.addAll(surroundings.mapped());
        return addresses;
    }

    /**
     * Goes on with a join until this node is a member that has caught up.
     *
     * @param caughtUp with its peers' data
     */
    void awaitJoined(BooleanSupplier caughtUp) {
        long end = System.nanoTime() + CATCH_UP.toNanos();
        boolean entered = false;
        while (System.nanoTime() < end && !closed.getAsBoolean()) {
            try {
                tend();
                entered = !joining.pending();
                if (entered && caughtUp.getAsBoolean()) {
                    return;
                }
            } catch (RuntimeException e) {
                // Each step can be repeated, and is, here or by the timer: one that fails does not end the join.
                LOG.warn("a step of the join failed and is tried again", e);
            }
            LockSupport.parkNanos(50_000_000);
        }
        throw new SwarmException(
                SwarmException.Reason.TIMEOUT,
                entered
                        ? "this node is a member but has not caught up yet; it goes on in the background: see"
                                + " \"fazt swarm status\""
                        : "this node was admitted but has no part in its swarm yet (" + joiner.obstacle()
                                + "); it goes on trying: see \"fazt swarm status\"");
    }

    /** What this node has to see to by itself: that it votes, and that it is found where it is. */
    void tend() {
        if (closed.getAsBoolean() || !tending.compareAndSet(false, true)) {
            return;
        }
        try {
            if (rotation.tend()) {
                return;
            }
            roles.tend(feed, joiner);
            if (!joining.pending()) {
                announce();
                levels.tend();
            } else if (opened.isDone() && joiner.goOn()) {
                consequences.follow();
            }
        } finally {
            tending.set(false);
        }
    }

    /** Where this node can be dialled, and its schema level, are agreed too: its record follows, given a quorum. */
    private void announce() {
        if (!opened.isDone() || !raft.status().quorum()) {
            return;
        }
        ConfigEntry entry = records.entry(Records.MEMBER, self.toString());
        MemberRecord now = records.members().get(self);
        if (entry == null || now == null) {
            return;
        }
        MemberRecord then = now.toBuilder()
                .clearAddresses()
                .addAllAddresses(addresses())
                .setSchemaLevel(levels.own())
                .build();
        if (!then.equals(now)) {
            try {
                List<Op> ops = new ArrayList<>(levels.guard(now, then));
                ops.add(Op.set(entry, Records.MEMBER, entry.key(), then.toByteArray()));
                config.propose(ops);
            } catch (ConsensusException e) {
                LOG.debug("what this node says of itself is not agreed yet", e);
            }
        }
    }
}
