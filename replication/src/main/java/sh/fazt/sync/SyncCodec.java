package sh.fazt.sync;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.sync.v1.ScopeVector;
import sh.fazt.protocol.sync.v1.Seen;
import sh.fazt.protocol.sync.v1.Vectors;

/** Sync's messages as bytes. What is read comes from a peer: damage is {@link IllegalArgumentException}. Pure. */
final class SyncCodec {
    private SyncCodec() {}

    static byte[] vectors(Map<Scope, VersionVector> vectors, boolean asks, ReplicaStore store) {
        Vectors.Builder message = Vectors.newBuilder().setAsks(asks);
        vectors.forEach((scope, vector) -> {
            VersionVector certain = certain(scope, vector, store);
            ScopeVector.Builder one =
                    ScopeVector.newBuilder().setScope(scope.id()).addAllSeen(seen(certain));
            long digest = store.digest(scope);
            if (store.vector(scope).equals(certain)) {
                one.setDigest(digest);
            }
            message.addScopes(one);
        });
        return message.build().toByteArray();
    }

    /** What was in doubt when the vector was read may have another name by now. */
    private static VersionVector certain(Scope scope, VersionVector vector, ReplicaStore store) {
        VersionVector known = store.certain(scope);
        VersionVector certain = vector;
        for (Map.Entry<Origin, Long> own :
                vector.by(store.origin().node()).entries().entrySet()) {
            certain = certain.with(own.getKey(), Math.min(own.getValue(), known.get(own.getKey())));
        }
        return certain;
    }

    static byte[] reach(Set<NodeId> linked) {
        Vectors.Builder message = Vectors.newBuilder();
        linked.forEach(node -> message.addLinked(ByteString.copyFrom(node.bytes())));
        return message.build().toByteArray();
    }

    static byte[] denial(Map<Scope, Map<Origin, Long>> known) {
        Vectors.Builder message = Vectors.newBuilder();
        known.forEach((scope, origins) -> {
            ScopeVector.Builder one = ScopeVector.newBuilder().setScope(scope.id());
            origins.forEach((origin, sequence) -> one.addSeen(seen(origin, sequence)));
            message.addDenied(one);
        });
        return message.build().toByteArray();
    }

    static byte[] unreadable() {
        return Vectors.newBuilder().setUnreadable(true).build().toByteArray();
    }

    /**
     * What a peer holds: per scope its vector, and its digest where it gave one; and whether it asks for ours.
     *
     * @param linked     or else whom it is linked with, and nothing of the rest
     * @param unreadable or else that it could not read what changed here, and nothing of the rest
     * @param denied     or else how far it knows its own origins, and nothing of the rest
     */
    record Told(
            Map<Scope, VersionVector> vectors,
            Map<Scope, Long> digests,
            boolean asks,
            Set<NodeId> linked,
            boolean unreadable,
            Map<Scope, Map<Origin, Long>> denied) {}

    static Told vectors(byte[] bytes) {
        try {
            Map<Scope, VersionVector> vectors = new HashMap<>();
            Map<Scope, Long> digests = new HashMap<>();
            Vectors message = Vectors.parseFrom(bytes);
            for (ScopeVector one : message.getScopesList()) {
                Scope scope = new Scope(one.getScope());
                vectors.put(scope, vector(one.getSeenList()));
                if (one.getDigest() != 0) {
                    digests.put(scope, one.getDigest());
                }
            }
            Set<NodeId> linked = new HashSet<>();
            message.getLinkedList().forEach(node -> linked.add(NodeId.of(node.toByteArray())));
            Map<Scope, Map<Origin, Long>> denied = new HashMap<>();
            for (ScopeVector one : message.getDeniedList()) {
                Map<Origin, Long> known = denied.computeIfAbsent(new Scope(one.getScope()), any -> new HashMap<>());
                one.getSeenList().forEach(seen -> known.put(origin(seen), sequence(seen)));
            }
            return new Told(vectors, digests, message.getAsks(), linked, message.getUnreadable(), denied);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("a damaged message of vectors", e);
        }
    }

    static List<Seen> seen(VersionVector vector) {
        return vector.entries().entrySet().stream()
                .map(entry -> seen(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static Seen seen(Origin origin, long sequence) {
        return Seen.newBuilder()
                .setNode(ByteString.copyFrom(origin.node().bytes()))
                .setEpoch(origin.epoch())
                .setSequence(sequence)
                .build();
    }

    static VersionVector vector(List<Seen> list) {
        Map<Origin, Long> vector = new HashMap<>();
        for (Seen seen : list) {
            vector.put(origin(seen), sequence(seen));
        }
        return VersionVector.of(vector);
    }

    private static long sequence(Seen seen) {
        if (seen.getSequence() < 0) {
            throw new IllegalArgumentException("a sequence of " + seen.getSequence());
        }
        return seen.getSequence();
    }

    private static Origin origin(Seen seen) {
        return new Origin(NodeId.of(seen.getNode().toByteArray()), seen.getEpoch());
    }
}
