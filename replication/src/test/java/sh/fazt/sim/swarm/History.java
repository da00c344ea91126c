package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** Everything that was ever written on any disk, whether its writer was answered or not. */
final class History {
    private final Map<Dot, Write> writes = new LinkedHashMap<>();
    private final Map<String, List<Write>> byName = new TreeMap<>();
    private final Map<NodeId, VersionVector> fences = new TreeMap<>();
    private final Map<NodeId, VersionVector> taken = new TreeMap<>();
    /** What copies wrote that ran beside their nodes and are gone. */
    private final Set<Origin> twins = new TreeSet<>();

    private @Nullable Scope scope;

    /** One transaction. */
    static final class Write {
        private Dot dot;
        private Stamp stamp;
        private VersionVector deps;
        /** Null deletes. */
        final Map<String, @Nullable String> puts;

        final Map<String, Long> adds;
        /** What its client had seen, by name. */
        final Map<String, Stamp> seen;
        /** The names that were given the column {@code note}. */
        final Set<String> noted;
        /** Whether its node wrote anew what others had written. */
        final boolean rewrites;

        boolean acknowledged;
        /** Whether its disk was replaced by an older copy, or its node removed, since. */
        boolean mayBeLost;
        /** Whether its node was evicted, and it lies beyond the fence. */
        boolean fencedOut;

        Write(
                Dot dot,
                Hlc hlc,
                VersionVector deps,
                Map<String, @Nullable String> puts,
                Map<String, Long> adds,
                Map<String, Stamp> seen,
                Set<String> noted,
                boolean rewrites) {
            this.dot = dot;
            this.stamp = new Stamp(dot.origin(), dot.sequence(), hlc);
            this.deps = deps;
            this.puts = puts;
            this.adds = adds;
            this.seen = seen;
            this.noted = noted;
            this.rewrites = rewrites;
        }

        Dot dot() {
            return dot;
        }

        Stamp stamp() {
            return stamp;
        }

        /** What its node knew. */
        VersionVector deps() {
            return deps;
        }

        /** It was in doubt, and what its node wrote behind a number has another origin now. */
        void rename(Origin before, long upTo, Origin next) {
            if (!before.equals(next)) {
                dot = new Dot(dot.scope(), next, dot.sequence() - upTo);
                stamp = new Stamp(next, dot.sequence(), stamp.hlc());
                long known = deps.get(before);
                deps = known > upTo ? deps.with(before, upTo).with(next, known - upTo) : deps;
            }
        }

        boolean knew(Write other) {
            return deps.includes(other.dot.origin(), other.dot.sequence());
        }

        boolean isIn(VersionVector vector) {
            return vector.includes(dot.origin(), dot.sequence());
        }
    }

    void add(Write write) {
        require(
                writes.putIfAbsent(write.dot, write) == null,
                Violation.Checker.SEQUENCE,
                "%s was used twice",
                write.stamp);
        scope = write.dot.scope();
        VersionVector fence = fences.get(write.dot.origin().node());
        write.fencedOut = fence != null && !write.isIn(fence);
        for (String name : write.puts.keySet()) {
            List<Write> latestFirst = byName.computeIfAbsent(name, key -> new ArrayList<>());
            int at = 0;
            while (at < latestFirst.size() && Oracle.BY_CLOCK.compare(latestFirst.get(at).stamp, write.stamp) > 0) {
                at++;
            }
            latestFirst.add(at, write);
        }
    }

    /** A node was evicted: what it writes beyond the fence, or has written, is to be nowhere. */
    void fence(NodeId node, VersionVector upTo) {
        fences.put(node, upTo);
        for (Write write : writes.values()) {
            if (write.dot.origin().node().equals(node) && !write.isIn(upTo)) {
                write.fencedOut = true;
            }
        }
    }

    /** Up to where what an evicted node wrote stays. */
    Map<NodeId, VersionVector> fences() {
        return fences;
    }

    /** A node has taken this much. */
    void took(NodeId node, VersionVector vector) {
        taken.merge(node, vector, VersionVector::merge);
    }

    /** Whether whoever wrote one version knew the other; not who only put back what members had written. */
    boolean succeeds(Write later, Write one) {
        return later.knew(one) && !later.fencedOut && (!later.rewrites || fences.isEmpty());
    }

    /**
     * Whether a version may be gone since an evicted node wrote over it, beyond its fence: when its own writer took that
     * before it heard of the eviction, or is gone. From anybody else it can be had back.
     */
    boolean mayBeWrittenOver(Write one) {
        NodeId writer = one.dot.origin().node();
        boolean gone = fences.containsKey(writer) || one.mayBeLost;
        VersionVector there = taken.getOrDefault(writer, VersionVector.EMPTY);
        for (String name : one.puts.keySet()) {
            for (Write later : byName.getOrDefault(name, List.of())) {
                if (later.fencedOut && later.knew(one) && (gone || later.isIn(there))) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Whether a deletion may be undone since an evicted node deleted the same later, beyond its fence, and the writer took
     * that: of two deletions neither is recorded, so who puts back what the others have can't know of its own.
     */
    boolean mayBeUndone(Write deletion, String name) {
        VersionVector there = taken.getOrDefault(deletion.dot.origin().node(), VersionVector.EMPTY);
        return byName.getOrDefault(name, List.of()).stream()
                .takeWhile(later -> later != deletion)
                .anyMatch(later -> later.fencedOut && later.puts.get(name) == null && later.isIn(there));
    }

    /**
     * Whether an evicted node wrote it before its fence, and the members had lost it, as their disks were replaced, when
     * one took it from that node again, which it did not know for evicted: as others have it no more, it was cut away.
     */
    boolean isCutAway(Write one, VersionVector vector) {
        return one.mayBeLost && fences.containsKey(one.dot.origin().node()) && !one.isIn(vector);
    }

    /** Whether that version is to be nowhere. */
    boolean isFencedOut(Stamp stamp) {
        VersionVector fence = fences.get(stamp.origin().node());
        return fence != null && !fence.includes(stamp.origin(), stamp.sequence());
    }

    boolean knows(Dot dot) {
        return writes.containsKey(dot);
    }

    @Nullable
    Write find(Stamp stamp) {
        return scope == null ? null : writes.get(new Dot(scope, stamp.origin(), stamp.sequence()));
    }

    Collection<Write> all() {
        return writes.values();
    }

    /** Every name that was ever written, with its writes, the greatest stamp first. */
    Map<String, List<Write>> byName() {
        return byName;
    }

    /** Nobody has these, and the disk that had them is gone. */
    void forget(NodeId node, VersionVector held) {
        writes.values().removeIf(write -> write.dot.origin().node().equals(node) && !write.isIn(held));
        byName.values()
                .forEach(all -> all.removeIf(write -> write.dot.origin().node().equals(node) && !write.isIn(held)));
    }

    /** A copy that ran beside its node is gone: what it wrote is where it told of it, or lost. */
    void gone(Origin twin) {
        twins.add(twin);
    }

    /** What copies that are gone wrote, and nobody has, as told by what others hold. */
    void mayBeLost(VersionVector held) {
        for (Write write : writes.values()) {
            if (twins.contains(write.dot.origin()) && !write.isIn(held)) {
                write.mayBeLost = true;
            }
        }
    }

    /** A copy was put back that lacks these: unless a peer has heard of them they are gone. */
    void mayBeLost(NodeId node, VersionVector kept) {
        for (Write write : writes.values()) {
            // What a copy of the node wrote lies elsewhere.
            Origin origin = write.dot.origin();
            if (origin.node().equals(node) && !twins.contains(origin) && !write.isIn(kept)) {
                write.mayBeLost = true;
            }
        }
    }
}
