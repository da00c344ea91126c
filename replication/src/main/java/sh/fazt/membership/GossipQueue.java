package sh.fazt.membership;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sh.fazt.identity.NodeId;

/** News on its way through the swarm: the latest of each member, told a bounded number of times. */
final class GossipQueue {
    private final Map<NodeId, News> news = new HashMap<>();
    private long added;

    boolean isEmpty() {
        return news.isEmpty();
    }

    /** Tells this from now on, instead of what was told of the same member. */
    void add(Claim claim) {
        news.put(claim.id(), new News(MembershipCodec.wire(claim), added++));
    }

    void remove(NodeId id) {
        news.remove(id);
    }

    /** The least told news that fit, newest first among equals; each counts as told once more. */
    List<sh.fazt.protocol.membership.v1.Claim> take(int bytes, int retransmits) {
        if (news.isEmpty()) {
            return List.of();
        }
        List<Map.Entry<NodeId, News>> waiting = new ArrayList<>(news.entrySet());
        waiting.sort(Comparator.comparing(entry -> entry.getValue().order()));
        List<sh.fazt.protocol.membership.v1.Claim> taken = new ArrayList<>();
        int room = bytes;
        for (Map.Entry<NodeId, News> entry : waiting) {
            News next = entry.getValue();
            int size = next.wire.getSerializedSize();
            // The largest piece is always taken when it is first, or it would never leave.
            if (size > room && !taken.isEmpty()) {
                continue;
            }
            room -= size;
            taken.add(next.wire);
            if (++next.told >= retransmits) {
                news.remove(entry.getKey());
            }
        }
        return taken;
    }

    private static final class News {
        private final sh.fazt.protocol.membership.v1.Claim wire;
        private final long number;
        private int told;

        News(sh.fazt.protocol.membership.v1.Claim wire, long number) {
            this.wire = wire;
            this.number = number;
        }

        /** Fewer times told first, then newer first. */
        long order() {
            return ((long) told << 40) - number;
        }
    }
}
