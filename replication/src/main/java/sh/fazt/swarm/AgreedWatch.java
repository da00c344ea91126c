package sh.fazt.swarm;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.EvictionRecord;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.PlacementRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/** Tells what the swarm agrees on as events. What held when this node came is none. Confined to its caller's monitor. */
final class AgreedWatch {
    private final SwarmEvents events;
    private final Records records;
    private final Placements placements;
    private @Nullable Seen before;

    private record Seen(
            SwarmRecord swarm,
            Map<NodeId, MemberRecord> members,
            Map<NodeId, EvictionRecord> evicted,
            Map<String, PlacementRecord> placements) {}

    AgreedWatch(SwarmEvents events, Records records, Placements placements) {
        this.events = events;
        this.records = records;
        this.placements = placements;
    }

    /** Compares with what was seen last. */
    void look() {
        SwarmRecord swarm = records.swarm();
        if (swarm == null) {
            before = null;
            return;
        }
        Seen last = before;
        Seen now = new Seen(swarm, records.members(), records.evicted(), records.placements());
        before = now;
        if (last == null || !last.swarm().getId().equals(swarm.getId())) {
            return;
        }
        if (swarm.getEpoch() > last.swarm().getEpoch()) {
            events.add(
                    "recovered",
                    null,
                    "a survivor of a lost majority decides alone since epoch " + swarm.getEpoch(),
                    "its owner said so with \"fazt swarm recover\"");
        }
        boolean byHand = Seats.wanted(swarm) != Seats.wanted(last.swarm());
        now.members().forEach((id, member) -> {
            MemberRecord was = last.members().get(id);
            if (was != null && was.getObserver() != member.getObserver()) {
                boolean observes = member.getObserver();
                events.add(
                        "role", id, observes ? "observes from now on" : "votes from now on", why(was, member, byHand));
            }
        });
        now.evicted().forEach((id, record) -> {
            if (!last.evicted().containsKey(id)) {
                boolean evicted = record.getSuccessor().isEmpty();
                events.add(
                        evicted ? "evicted" : "key-rotated",
                        id,
                        "(" + record.getName() + ") "
                                + (evicted
                                        ? "was evicted"
                                        : "goes on under a new key, as node " + record.getSuccessor()),
                        "its " + (evicted ? "" : "old ") + "key is never let in again");
            }
        });
        now.placements().forEach((app, record) -> {
            if (!record.equals(last.placements().get(app))) {
                placed(app, record);
            }
        });
        last.placements().forEach((app, record) -> {
            if (!now.placements().containsKey(app)) {
                placed(app, PlacementRecord.newBuilder().setApp(record.getApp()).build());
            }
        });
    }

    /** Why a role changed, where its owner did not say so. */
    private static String why(MemberRecord was, MemberRecord member, boolean byHand) {
        if (member.getStandsBySinceSeconds() != 0) {
            return "it was silent for long: another member has its seat, and it stands by";
        }
        return byHand || was.getStandsBySinceSeconds() == 0 ? "" : "it stood by, and a voter's seat fell free";
    }

    private void placed(String app, PlacementRecord record) {
        String rule = placements.placement(app, record, Map.of()).rule();
        events.add("placement", null, "app " + record.getApp() + " is placed " + rule, "");
    }
}
