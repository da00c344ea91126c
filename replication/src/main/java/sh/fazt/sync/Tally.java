package sh.fazt.sync;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import sh.fazt.identity.NodeId;

/** Counts what sync does with each peer. Thread-safe. */
final class Tally {
    private final Map<NodeId, Counts> peers = new ConcurrentHashMap<>();

    /** One peer's counters. */
    static final class Counts {
        final AtomicLong pushed = new AtomicLong();
        final AtomicLong dropped = new AtomicLong();
        final AtomicLong received = new AtomicLong();
        final AtomicLong pulls = new AtomicLong();
        final AtomicLong failedPulls = new AtomicLong();
        final AtomicLong blobBytes = new AtomicLong();
        final AtomicLong forged = new AtomicLong();
    }

    Counts of(NodeId peer) {
        return peers.computeIfAbsent(peer, any -> new Counts());
    }

    void forget(NodeId peer) {
        peers.remove(peer);
    }

    PeerCounters taken(NodeId peer, long offences) {
        Counts counts = peers.get(peer);
        return counts == null
                ? new PeerCounters(0, 0, 0, 0, 0, 0, offences, 0)
                : new PeerCounters(
                        counts.pushed.get(),
                        counts.dropped.get(),
                        counts.received.get(),
                        counts.pulls.get(),
                        counts.failedPulls.get(),
                        counts.blobBytes.get(),
                        offences,
                        counts.forged.get());
    }
}
