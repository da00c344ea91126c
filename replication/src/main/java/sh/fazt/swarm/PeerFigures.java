package sh.fazt.swarm;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.Damage;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.sync.Audits;
import sh.fazt.sync.Lag;
import sh.fazt.sync.PeerCounters;
import sh.fazt.sync.SyncService;

/**
 * One peer in figures. Immutable.
 *
 * @param state as membership has it
 */
public record PeerFigures(String state, LinkState link, Lag lag, PeerCounters counters) {
    private static final long MOST_REASONS = 10;
    private static final Lag UNKNOWN = new Lag(0, 0, 0, Duration.ZERO, -1);

    /**
     * This node in figures. Immutable.
     *
     * @param alarms           how often equal vectors had unequal digests
     * @param parkedRows       rows that wait for a schema that knows them
     * @param blobsMissing     blobs that rows refer to and that are not here
     * @param blobBytesMissing their bytes, as far as their sizes are known
     * @param damage           damaged chunks of blobs that were found here since the start
     * @param blobsDamaged     blobs that are damaged and have not come again
     * @param examinedBytes    of blobs, hashed again since the start
     * @param held             of those that are missing, what is left with peers until somebody asks for it
     */
    public record Totals(
            long alarms,
            Audits.Counters audits,
            long parkedRows,
            long blobsMissing,
            long blobBytesMissing,
            long damage,
            long blobsDamaged,
            long examinedBytes,
            Blobs.Amount held) {}

    /** Where the figures come from. Thread-safe. */
    record Source(
            Cartridge cartridge, Damage damage, SyncService sync, Links links, Supplier<MembersSnapshot> members) {
        Map<NodeId, PeerFigures> peers() {
            Map<NodeId, Lag> lags = sync.lags();
            MembersSnapshot snapshot = members.get();
            Map<NodeId, LinkState> states = new HashMap<>();
            links.states().forEach(link -> states.put(link.peer(), link));
            Map<NodeId, PeerFigures> peers = new LinkedHashMap<>();
            for (MembersSnapshot.Seen seen : snapshot.others()) {
                NodeId id = seen.member().id();
                LinkState none = new LinkState(id, false, false, "", null, 0, 0, 0, "this node's links are cut");
                peers.put(
                        id,
                        new PeerFigures(
                                seen.member().state().name().toLowerCase(Locale.ROOT),
                                states.getOrDefault(id, none),
                                lags.getOrDefault(id, UNKNOWN),
                                sync.counters(id)));
            }
            return peers;
        }

        /** Blocking. */
        Map<String, Long> parked() {
            Map<String, Long> parked = new LinkedHashMap<>();
            cartridge
                    .read(rows -> rows.query(
                            "SELECT tbl || ': ' || reason AS what, count(*) FROM fazt_parked GROUP BY what"
                                    + " ORDER BY count(*) DESC, what LIMIT ?",
                            row -> Map.entry(row.text(0), row.integer(1)),
                            MOST_REASONS))
                    .forEach(one -> parked.put(one.getKey(), one.getValue()));
            return parked;
        }

        /** Blocking. */
        Totals totals() {
            return cartridge.read(rows -> new Totals(
                    sync.alarms(),
                    sync.audited(),
                    rows.first("SELECT count(*) FROM fazt_parked", row -> row.integer(0))
                            .orElse(0L),
                    rows.first("SELECT count(DISTINCT hash) FROM fazt_wanted", row -> row.integer(0))
                            .orElse(0L),
                    rows.first("""
                                    SELECT coalesce(sum(c.size), 0) FROM (SELECT DISTINCT hash FROM fazt_wanted) w
                                    JOIN fazt_blob_chunk c ON c.hash = w.hash
                                    WHERE NOT EXISTS (SELECT 1 FROM fazt_chunk k WHERE k.hash = c.chunk)
                                    """, row -> row.integer(0)).orElse(0L),
                    damage.found(),
                    damage.left(),
                    damage.examined(),
                    sync.heldBack().amount()));
        }
    }
}
