package sh.fazt.sync;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.Fences;

/**
 * How far the rows of a node stay that is shut out: the highest that anybody has who answered while holding back what
 * else it writes. Stateless.
 */
public final class Fencing {
    private Fencing() {}

    /** How far a node's own rows go, of what is here. */
    public static Fences written(NodeId node, Map<Scope, VersionVector> vectors) {
        Fences.Builder written = Fences.newBuilder();
        vectors.forEach((scope, vector) -> written.addAllFences(record(scope, vector.by(node))));
        return written.build();
    }

    private static List<Fence> record(Scope scope, VersionVector own) {
        List<Fence> fences = new ArrayList<>();
        own.entries()
                .forEach((origin, sequence) -> fences.add(Fence.newBuilder()
                        .setScope(scope.id())
                        .setEpoch(origin.epoch())
                        .setSequence(sequence)
                        .build()));
        return fences;
    }

    /** The highest of what was told. */
    public static List<Fence> highest(NodeId node, Collection<Fences> told) {
        List<Fence> all = new ArrayList<>();
        told.forEach(one -> all.addAll(one.getFencesList()));
        List<Fence> fences = new ArrayList<>();
        upTo(node, all).forEach((scope, vector) -> fences.addAll(record(scope, vector)));
        return fences;
    }

    /** What fences of a node say, by scope. */
    public static Map<Scope, VersionVector> upTo(NodeId node, List<Fence> fences) {
        Map<Scope, VersionVector> upTo = new HashMap<>();
        for (Fence fence : fences) {
            upTo.merge(
                    new Scope(fence.getScope()),
                    VersionVector.of(Map.of(new Origin(node, fence.getEpoch()), fence.getSequence())),
                    VersionVector::merge);
        }
        return upTo;
    }

    /** Whether enough of the voters that stay have told. */
    public static boolean isEnough(Collection<NodeId> staying, Set<NodeId> told) {
        long answered = staying.stream().filter(told::contains).count();
        return 2 * answered > staying.size();
    }
}
