package sh.fazt.membership;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/** The pings that are waiting for an answer: our own, and those that we relay for others. */
final class Probes {
    private final Map<Long, Probe> own = new LinkedHashMap<>();
    private final Map<Long, Relay> relayed = new LinkedHashMap<>();
    private long sequence;

    /** A ping of ours. */
    static final class Probe {
        final long sequence;
        final NodeId target;
        /** When others are asked to ask; {@link Long#MAX_VALUE} once they were. */
        long indirectAt;

        long failsAt;
        /** Brought forward by a broken link: relays had no time for a nack, so their silence says nothing. */
        boolean hasty;

        int relays;
        int nacks;

        Probe(long sequence, NodeId target, long indirectAt, long failsAt) {
            this.sequence = sequence;
            this.target = target;
            this.indirectAt = indirectAt;
            this.failsAt = failsAt;
        }
    }

    /** A ping for someone else. */
    static final class Relay {
        final NodeId asker;
        final long askerSequence;
        final NodeId target;
        /** When the asker is told that there is no answer yet; {@link Long#MAX_VALUE} once it was. */
        long nackAt;

        long endsAt;

        Relay(NodeId asker, long askerSequence, NodeId target, long nackAt, long endsAt) {
            this.asker = asker;
            this.askerSequence = askerSequence;
            this.target = target;
            this.nackAt = nackAt;
            this.endsAt = endsAt;
        }
    }

    Probe start(NodeId target, long indirectAt, long failsAt) {
        Probe probe = new Probe(++sequence, target, indirectAt, failsAt);
        own.put(probe.sequence, probe);
        return probe;
    }

    /** A number for a ping whose answer is news enough: nobody waits for it. */
    long unanswered() {
        return ++sequence;
    }

    long relay(NodeId asker, long askerSequence, NodeId target, long nackAt, long endsAt) {
        relayed.put(++sequence, new Relay(asker, askerSequence, target, nackAt, endsAt));
        return sequence;
    }

    @Nullable
    Probe answered(long number) {
        return own.remove(number);
    }

    @Nullable
    Relay relayAnswered(long number) {
        return relayed.remove(number);
    }

    @Nullable
    Probe get(long number) {
        return own.get(number);
    }

    @Nullable
    Probe of(NodeId target) {
        for (Probe probe : own.values()) {
            if (probe.target.equals(target)) {
                return probe;
            }
        }
        return null;
    }

    int relaying() {
        return relayed.size();
    }

    void forget(NodeId id) {
        own.values().removeIf(probe -> probe.target.equals(id));
        relayed.values().removeIf(relay -> relay.target.equals(id) || relay.asker.equals(id));
    }

    void clear() {
        own.clear();
        relayed.clear();
    }

    /** Probes whose direct answer is late; each is returned once. */
    List<Probe> late(long now) {
        List<Probe> late = new ArrayList<>(0);
        for (Probe probe : own.values()) {
            if (probe.indirectAt <= now) {
                probe.indirectAt = Long.MAX_VALUE;
                late.add(probe);
            }
        }
        return late;
    }

    /** Probes without any answer, which end hereby. */
    List<Probe> failed(long now) {
        List<Probe> failed = new ArrayList<>(0);
        for (Iterator<Probe> each = own.values().iterator(); each.hasNext(); ) {
            Probe probe = each.next();
            if (probe.failsAt <= now) {
                each.remove();
                failed.add(probe);
            }
        }
        return failed;
    }

    /** Relays whose asker is due a nack; each is returned once, and those that are over end. */
    List<Relay> unanswered(long now) {
        List<Relay> silent = new ArrayList<>(0);
        for (Iterator<Relay> each = relayed.values().iterator(); each.hasNext(); ) {
            Relay relay = each.next();
            if (relay.nackAt <= now) {
                relay.nackAt = Long.MAX_VALUE;
                silent.add(relay);
            }
            if (relay.endsAt <= now) {
                each.remove();
            }
        }
        return silent;
    }

    long wakeNanos() {
        long wake = Long.MAX_VALUE;
        for (Probe probe : own.values()) {
            wake = Math.min(wake, Math.min(probe.indirectAt, probe.failsAt));
        }
        for (Relay relay : relayed.values()) {
            wake = Math.min(wake, Math.min(relay.nackAt, relay.endsAt));
        }
        return wake;
    }

    /** This node stood still for so long: answers may be waiting to be read. */
    void shift(long nanos) {
        for (Probe probe : own.values()) {
            probe.failsAt += nanos;
            probe.indirectAt += probe.indirectAt == Long.MAX_VALUE ? 0 : nanos;
        }
        for (Relay relay : relayed.values()) {
            relay.endsAt += nanos;
            relay.nackAt += relay.nackAt == Long.MAX_VALUE ? 0 : nanos;
        }
    }
}
