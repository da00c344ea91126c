package sh.fazt.swarm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/** Who belongs to the swarm and what they are called, an admission that is under way included. Thread-safe. */
final class Members {
    private final NodeId self;
    private final Records records;
    private final PendingJoin joining;
    private final Predicate<NodeId> evicted;

    Members(NodeId self, Records records, PendingJoin joining, Predicate<NodeId> evicted) {
        this.self = self;
        this.records = records;
        this.joining = joining;
        this.evicted = evicted;
    }

    /** All, in the order of their admission; a node that is evicted itself still lists itself. */
    Map<NodeId, MemberRecord> all() {
        Map<NodeId, MemberRecord> members = new LinkedHashMap<>(joining.members());
        members.putAll(records.members());
        members.keySet().removeIf(id -> !id.equals(self) && evicted.test(id));
        return members;
    }

    /** Whether this node is a swarm of one: in no other, and not about to be. */
    boolean isAlone() {
        return all().keySet().stream().allMatch(self::equals) && !joining.pending();
    }

    /** What the swarm is called; empty while nothing is agreed. */
    String swarmName() {
        SwarmRecord record = records.swarm();
        return record == null ? joining.swarm().getName() : record.getName();
    }

    /** What a node is called here, by id; without a name when it is no member. */
    static SwarmView.Named named(NodeId id, Map<NodeId, MemberRecord> members) {
        MemberRecord member = members.get(id);
        return new SwarmView.Named(id.toString(), member == null ? "" : member.getName());
    }

    /** The member that is meant by a name, an id or the beginning of an id. */
    NodeId meant(String text) {
        List<Map.Entry<NodeId, MemberRecord>> meant = all().entrySet().stream()
                .filter(entry -> entry.getValue().getName().equals(text)
                        || (text.length() >= 4 && entry.getKey().toString().startsWith(text)))
                .toList();
        if (meant.size() == 1) {
            return meant.get(0).getKey();
        }
        if (meant.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.NOT_FOUND,
                    "there is no member \"" + text + "\": see \"fazt swarm status\" for names and ids");
        }
        throw new SwarmException(
                SwarmException.Reason.INVALID,
                "\"" + text + "\" is the name of " + meant.size() + " members: use the id, as "
                        + meant.get(0).getKey().shortText());
    }
}
