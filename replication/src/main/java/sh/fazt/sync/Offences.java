package sh.fazt.sync;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;

/**
 * Counts what members did that no honest one does, and names who did it: at most each ten seconds per member, as it may
 * go on for ever. Thread-safe.
 */
final class Offences {
    private static final Logger LOG = LoggerFactory.getLogger(SyncService.class);
    private static final Duration NAMED_EVERY = Duration.ofSeconds(10);
    /** Of a detail that a peer had a say in. */
    private static final int MOST_DETAIL = 300;

    private final Notices notices;
    private final LongSupplier nanos;
    private final Map<NodeId, Record> records = new ConcurrentHashMap<>();

    private static final class Record {
        long count;
        long named;
    }

    Offences(Notices notices, LongSupplier nanos) {
        this.notices = notices;
        this.nanos = nanos;
    }

    void count(NodeId peer, Offence kind, String detail) {
        long now = nanos.getAsLong();
        long total;
        Record record = records.computeIfAbsent(peer, any -> new Record());
        synchronized (record) {
            total = ++record.count;
            if (total > 1 && now - record.named < NAMED_EVERY.toNanos()) {
                return;
            }
            record.named = now;
        }
        String brief = detail.length() > MOST_DETAIL ? detail.substring(0, MOST_DETAIL) + "…" : detail;
        LOG.warn("a member {} peer={} offences={} {}", kind.text(), peer.shortText(), total, brief);
        notices.notice("offence", peer, kind.text() + " (" + total + " offences so far)", brief);
    }

    long of(NodeId peer) {
        Record record = records.get(peer);
        if (record == null) {
            return 0;
        }
        synchronized (record) {
            return record.count;
        }
    }

    void forget(NodeId peer) {
        records.remove(peer);
    }
}
