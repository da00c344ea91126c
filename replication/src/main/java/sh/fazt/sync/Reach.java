package sh.fazt.sync;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sh.fazt.identity.NodeId;

/**
 * Who is linked with whom. A changeset that came from a peer is not passed on to one that is linked with the node that
 * wrote it, as that one gets it from there: without this each of n nodes would get each change about n times. It only
 * saves traffic. Where it is wrong for a moment, as after a link broke, vectors say what is lacking. Confined to its
 * core's thread.
 */
final class Reach {
    /** More than any swarm has. */
    private static final int MOST = 1 << 10;

    private final Set<NodeId> linked = new HashSet<>();
    private final Map<NodeId, Set<NodeId>> told = new HashMap<>();
    private boolean news;
    private boolean urgent;
    private long toldAt = Long.MIN_VALUE / 2;

    /** A link came up; what the peer told on an earlier one holds no more. */
    void up(NodeId peer) {
        linked.add(peer);
        told.remove(peer);
        news = true;
    }

    /** A link broke. The others hear of it at the next turn: they have to pass on what that peer writes from now on. */
    void down(NodeId peer) {
        told.remove(peer);
        if (linked.remove(peer)) {
            news = true;
            urgent = true;
        }
    }

    /** A peer told whom it is linked with. */
    void told(NodeId peer, Set<NodeId> nodes) {
        if (linked.contains(peer) && nodes.size() <= MOST) {
            told.put(peer, Set.copyOf(nodes));
        }
    }

    /** Whether the peer gets from the other itself what that one writes. */
    boolean between(NodeId peer, NodeId other) {
        return told.getOrDefault(peer, Set.of()).contains(other);
    }

    /** Time passed: tells whom this node is linked with, where that has changed. What came up does not press. */
    List<SyncEffect> tick(long nanos) {
        if (!news || !urgent && nanos - toldAt < SyncCore.TELL_EVERY.toNanos()) {
            return List.of();
        }
        news = false;
        urgent = false;
        toldAt = nanos;
        Set<NodeId> all = Set.copyOf(linked);
        List<SyncEffect> effects = new ArrayList<>();
        linked.forEach(peer -> effects.add(new SyncEffect.TellReach(peer, all)));
        return effects;
    }
}
