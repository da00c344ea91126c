package sh.fazt.node;

import java.time.Duration;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkClass;
import sh.fazt.swarm.PeerFigures;
import sh.fazt.swarm.Watch;

/** The swarm in the text format of Prometheus: each peer, then this node. Confined to one call. */
final class PeerMetrics {
    private final StringBuilder text = new StringBuilder();
    private final Watch watch;
    private final Map<NodeId, PeerFigures> peers;

    private PeerMetrics(Watch watch) {
        this.watch = watch;
        this.peers = watch.peers();
    }

    static String of(Watch watch) {
        PeerMetrics metrics = new PeerMetrics(watch);
        metrics.info();
        metrics.gauge(
                "fazt_peer_up", "1 while it is linked.", peer -> peer.link().up() ? 1 : 0);
        metrics.gauge(
                "fazt_peer_other_protocol",
                "1 while it can't be linked before it or this node is updated.",
                peer -> peer.link().otherProtocol() == null ? 0 : 1);
        metrics.gauge("fazt_peer_rtt_seconds", "The last round trip; NaN before the first.", peer -> {
            Duration trip = peer.link().roundTrip();
            return trip == null ? Double.NaN : trip.toNanos() / 1e9;
        });
        metrics.gauge(
                "fazt_peer_clock_offset_seconds",
                "Its clock minus this one.",
                peer -> peer.link().clockOffsetMillis() / 1000.0);
        metrics.gauge(
                "fazt_peer_behind_changes",
                "Transactions that it lacks.",
                peer -> peer.lag().behind());
        metrics.gauge(
                "fazt_peer_behind_rows",
                "Rows that it lacks.",
                peer -> peer.lag().behindRows());
        metrics.gauge(
                "fazt_peer_behind_bytes",
                "About their bytes.",
                peer -> peer.lag().behindBytes());
        metrics.gauge(
                "fazt_peer_oldest_unsent_seconds",
                "Age of the oldest transaction that it lacks.",
                peer -> peer.lag().oldest().toNanos() / 1e9);
        metrics.gauge(
                "fazt_peer_ahead_changes",
                "Transactions of it that are lacking here; -1 while it has told nothing.",
                peer -> peer.lag().ahead());
        metrics.counter(
                "fazt_peer_pushed_total",
                "Changesets sent to it.",
                peer -> peer.counters().pushed());
        metrics.counter(
                "fazt_peer_dropped_total",
                "Changesets that found no room.",
                peer -> peer.counters().dropped());
        metrics.counter(
                "fazt_peer_received_total",
                "Changesets from it.",
                peer -> peer.counters().received());
        metrics.counter(
                "fazt_peer_pulls_total",
                "Pulls from it.",
                peer -> peer.counters().pulls());
        metrics.counter(
                "fazt_peer_failed_pulls_total",
                "Pulls that failed.",
                peer -> peer.counters().failedPulls());
        metrics.counter(
                "fazt_peer_blob_bytes_total",
                "Bytes of blobs from it.",
                peer -> peer.counters().blobBytes());
        metrics.counter(
                "fazt_peer_offences_total",
                "What no honest member does.",
                peer -> peer.link().faults() + peer.counters().offences());
        metrics.counter(
                "fazt_peer_forged_total",
                "How often it had handed in what its writer says it never wrote.",
                peer -> peer.counters().forged());
        metrics.counter(
                "fazt_peer_floods_total",
                "How often it sent faster than this node took it.",
                peer -> peer.link().floods());
        metrics.totals();
        return metrics.text.toString();
    }

    /** Words as labels of a gauge that is 1, as is usual. */
    private void info() {
        head("fazt_peer_info", "A member: its state and the class of its link.", "gauge");
        peers.forEach((id, peer) -> {
            LinkClass linkClass = peer.link().linkClass();
            text.append("fazt_peer_info{")
                    .append(labels(id))
                    .append(",state=\"")
                    .append(peer.state())
                    .append("\",class=\"")
                    .append(linkClass == null ? "" : linkClass.text())
                    .append("\"} 1\n");
        });
    }

    private void gauge(String name, String help, ToDoubleFunction<PeerFigures> value) {
        each(name, help, "gauge", value);
    }

    private void counter(String name, String help, ToDoubleFunction<PeerFigures> value) {
        each(name, help, "counter", value);
    }

    private void each(String name, String help, String type, ToDoubleFunction<PeerFigures> value) {
        head(name, help, type);
        peers.forEach((id, peer) -> text.append(name)
                .append('{')
                .append(labels(id))
                .append("} ")
                .append(number(value.applyAsDouble(peer)))
                .append('\n'));
    }

    private String labels(NodeId id) {
        String name = watch.named(id)
                .name()
                .replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("\n", "\\n");
        return "peer=\"" + id + "\",name=\"" + name + "\"";
    }

    private void totals() {
        PeerFigures.Totals totals = watch.totals();
        one("fazt_sync_alarms_total", "Equal vectors with unequal digests.", "counter", totals.alarms());
        one(
                "fazt_audits_total",
                "Comparisons with peers.",
                "counter",
                totals.audits().runs());
        one(
                "fazt_audit_rows_total",
                "Rows that differed.",
                "counter",
                totals.audits().different());
        one(
                "fazt_audit_repairs_total",
                "Repairs made here.",
                "counter",
                totals.audits().repaired());
        one(
                "fazt_audit_damage_total",
                "Stored rows that were not as written.",
                "counter",
                totals.audits().damaged());
        one("fazt_parked_rows", "Rows that wait for a schema.", "gauge", totals.parkedRows());
        one("fazt_blobs_missing", "Blobs that are not here.", "gauge", totals.blobsMissing());
        one("fazt_blob_missing_bytes", "Their bytes, where known.", "gauge", totals.blobBytesMissing());
        one(
                "fazt_blob_damage_total",
                "Stored chunks of blobs that did not hash to their name any more.",
                "counter",
                totals.damage());
        one("fazt_blobs_damaged", "Blobs that are damaged and have not come again.", "gauge", totals.blobsDamaged());
        one("fazt_blob_examined_bytes_total", "Of blobs, hashed again.", "counter", totals.examinedBytes());
        one(
                "fazt_blobs_held_back",
                "Blobs that are left with peers until somebody asks for them.",
                "gauge",
                totals.held().blobs());
        one(
                "fazt_blob_held_back_bytes",
                "Their bytes, where known.",
                "gauge",
                totals.held().bytes());
    }

    private void one(String name, String help, String type, long value) {
        head(name, help, type);
        text.append(name).append(' ').append(value).append('\n');
    }

    private void head(String name, String help, String type) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
