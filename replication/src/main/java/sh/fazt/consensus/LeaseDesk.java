package sh.fazt.consensus;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.protocol.consensus.v1.LeaseClock;
import sh.fazt.protocol.consensus.v1.LeaseRecord;
import sh.fazt.protocol.consensus.v1.LeaseReply;
import sh.fazt.protocol.consensus.v1.LeaseRequest;

/**
 * What the leader decides about leases: names that one holder at a time has, for a time, with a number that grows with
 * each new holder (the fencing token; M. Kleppmann, How to do distributed locking, 2016).
 *
 * <p>No wall clock has a say. The swarm's <i>lease time</i> is milliseconds that leaders saw pass: each agreed change
 * of a lease carries it, in the record {@link #CLOCK}, and whoever decides next adds what passed here, by a clock that
 * nobody sets, since it first saw that record. So a leader that is new, was asleep or whose date is wrong lets leases
 * last longer, never shorter. As every change of a lease is a compare-and-set of that record too, nothing can have come
 * between what was seen and what is decided. A holder that counts from before it asked therefore ends first.
 *
 * <p>Thread-safe.
 */
final class LeaseDesk {
    static final String LEASE = "lease";
    static final String CLOCK = "lease-clock";
    /** Each is a record that every node keeps; to take out all of them has to fit into one entry of the log. */
    static final int MOST = 1000;
    /** More tokens than a swarm gives between a backup and the day that it is put back. */
    private static final long REOPENED = 1L << 20;
    /** By which power of two the tokens of one epoch are apart from those of the next. */
    private static final int EPOCH_BITS = 32;

    private final Records records;
    private final LongSupplier nanos;
    private @Nullable Seen seen;
    private volatile boolean paused;

    /** What is agreed, as this node has applied it. */
    interface Records {
        @Nullable
        ConfigEntry lease(String kind, String key);

        List<ConfigEntry> leases();
    }

    /** The clock's record, and when this node saw it first. */
    record Seen(long version, LeaseClock clock, long at) {}

    /**
     * What comes of a request. Immutable.
     *
     * @param reply  the answer, once the changes are agreed
     * @param ops    the changes; none for a refusal
     * @param sure   whether the refusal holds also when this node leads no more without knowing
     * @param clock  as these changes write it
     * @param from   what its time was counted from
     * @param at     when that time was told
     */
    record Decision(LeaseReply reply, List<Op> ops, boolean sure, LeaseClock clock, Seen from, long at) {}

    /** @param nanos a clock that never goes faster than time and may stand still while the machine sleeps */
    LeaseDesk(Records records, LongSupplier nanos) {
        this.records = records;
        this.nanos = nanos;
    }

    /** Begins to count from what is agreed, if this node has not yet. */
    synchronized void look() {
        look(records.lease(CLOCK, CLOCK));
    }

    /** The log is another one now: what was seen of the last says nothing. */
    synchronized void forget() {
        seen = null;
    }

    /** While the owner recovers, tokens of the epoch that is given up must not be given out. */
    void pause(boolean on) {
        paused = on;
    }

    boolean paused() {
        return paused;
    }

    private Seen look(@Nullable ConfigEntry entry) {
        long version = entry == null ? 0 : entry.version();
        Seen before = seen;
        if (before != null && before.version() == version) {
            return before;
        }
        Seen now = new Seen(version, clock(entry), nanos.getAsLong());
        seen = now;
        return now;
    }

    /** What this node wrote was agreed, as this version: it counts from when it told the time, not from now. */
    synchronized void agreed(Decision decision, long version) {
        Seen last = seen;
        boolean own = last != null && last.version() == version && last.clock().equals(decision.clock());
        if (own || last == decision.from()) {
            seen = new Seen(version, decision.clock(), decision.at());
        }
    }

    /** How long each lease goes on, in milliseconds, as far as this node knows; those that are over are left out. */
    synchronized List<Running> running() {
        Seen from = look(records.lease(CLOCK, CLOCK));
        long now = from.clock().getNowMs() + (nanos.getAsLong() - from.at()) / 1_000_000;
        List<Running> running = new ArrayList<>();
        for (ConfigEntry entry : records.leases()) {
            LeaseRecord lease = lease(entry);
            if (lease.getExpiresMs() > now) {
                running.add(new Running(entry.key(), lease, lease.getExpiresMs() - now));
            }
        }
        return running;
    }

    /** A lease that somebody holds. */
    record Running(String name, LeaseRecord lease, long leftMillis) {}

    /** Decides by what this node has applied; what it says holds if its changes are agreed. */
    synchronized Decision decide(LeaseRequest request) {
        ConfigEntry clockEntry = records.lease(CLOCK, CLOCK);
        ConfigEntry entry = records.lease(LEASE, request.getName());
        Seen from = look(clockEntry);
        long at = nanos.getAsLong();
        long now = from.clock().getNowMs() + (at - from.at()) / 1_000_000;
        LeaseClock clock = from.clock().toBuilder().setNowMs(now).build();
        LeaseRecord lease = entry == null ? null : lease(entry);
        if (lease != null && lease.getExpiresMs() <= now) {
            lease = null;
        }
        LeaseRecord after;
        boolean ends = false;
        switch (request.getWhatCase()) {
            case TAKE -> {
                LeaseRequest.Take take = request.getTake();
                if (lease != null
                        && !(lease.getHolder().equals(take.getHolder())
                                && lease.getNode().equals(take.getNode()))) {
                    return refused(lease, from, now, true);
                }
                if (lease == null) {
                    clock = clock.toBuilder().setToken(clock.getToken() + 1).build();
                    lease = LeaseRecord.newBuilder()
                            .setHolder(take.getHolder())
                            .setNode(take.getNode())
                            .setToken(clock.getToken())
                            .build();
                }
                after = extended(lease, take.getTtlMs(), now);
            }
            case RENEW -> {
                if (lease == null || lease.getToken() != request.getRenew().getToken()) {
                    return refused(lease, from, now, false);
                }
                after = extended(lease, request.getRenew().getTtlMs(), now);
            }
            case RELEASE -> {
                if (lease == null || lease.getToken() != request.getRelease()) {
                    return refused(lease, from, now, false);
                }
                after = lease;
                ends = true;
            }
            case REVOKE -> {
                if (lease == null) {
                    return refused(null, from, now, false);
                }
                after = lease;
                ends = true;
            }
            default -> throw new IllegalArgumentException("an empty request of lease " + request.getName());
        }
        List<Op> ops = new ArrayList<>();
        ops.add(Op.set(clockEntry, CLOCK, CLOCK, clock.toByteArray()));
        if (!ends) {
            ops.add(Op.set(entry, LEASE, request.getName(), after.toByteArray()));
        } else if (entry != null) {
            ops.add(Op.delete(entry));
        }
        int kept = clearAway(request.getName(), now, ops);
        if (entry == null && kept >= MOST) {
            return new Decision(LeaseReply.newBuilder().setFull(true).build(), List.of(), true, clock, from, at);
        }
        return new Decision(done(after, now), ops, true, clock, from, at);
    }

    /** Never shorter than it was: a holder that did not hear of the change goes by what it heard before. */
    private static LeaseRecord extended(LeaseRecord lease, long ttlMillis, long now) {
        return lease.toBuilder()
                .setTtlMs(ttlMillis)
                .setExpiresMs(Math.max(lease.getExpiresMs(), now + ttlMillis))
                .build();
    }

    /** Takes out what is over; answers how many others there are. */
    private int clearAway(String but, long now, List<Op> ops) {
        int kept = 0;
        for (ConfigEntry other : records.leases()) {
            if (other.key().equals(but)) {
                continue;
            }
            if (lease(other).getExpiresMs() <= now) {
                ops.add(Op.delete(other));
            } else {
                kept++;
            }
        }
        return kept;
    }

    private static Decision refused(@Nullable LeaseRecord lease, Seen from, long now, boolean sure) {
        LeaseReply.Builder reply = LeaseReply.newBuilder();
        if (lease != null) {
            reply.setLease(lease).setLeftMs(lease.getExpiresMs() - now);
        }
        return new Decision(reply.build(), List.of(), sure, from.clock(), from, 0);
    }

    private static LeaseReply done(LeaseRecord lease, long now) {
        return LeaseReply.newBuilder()
                .setDone(true)
                .setLease(lease)
                .setLeftMs(lease.getExpiresMs() - now)
                .build();
    }

    private static LeaseRecord lease(ConfigEntry entry) {
        try {
            return LeaseRecord.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the record of lease " + entry.key() + " is damaged", e);
        }
    }

    private static LeaseClock clock(@Nullable ConfigEntry entry) {
        try {
            return entry == null ? LeaseClock.getDefaultInstance() : LeaseClock.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the record of the swarm's lease time is damaged", e);
        }
    }

    /**
     * The clock of a log that is begun anew behind a cartridge, which may be a copy put back: tokens that were given
     * since it was made are left out.
     */
    static byte[] reopened(ConfigEntry entry) {
        LeaseClock clock = clock(entry);
        return clock.toBuilder().setToken(clock.getToken() + REOPENED).build().toByteArray();
    }

    /** The clock of a later epoch: what the side that is given up may have given out is less. */
    static byte[] ofEpoch(@Nullable ConfigEntry entry, int epoch) {
        LeaseClock clock = clock(entry);
        return clock.toBuilder()
                .setToken(Math.max(clock.getToken(), (long) epoch << EPOCH_BITS))
                .build()
                .toByteArray();
    }
}
