package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/** Everything that was ever written on any disk, whether its writer was answered or not. */
final class History {
    private final Map<Dot, Write> writes = new LinkedHashMap<>();
    private final Map<String, List<Write>> byName = new TreeMap<>();
    private @Nullable Scope scope;

    /** One transaction. */
    static final class Write {
        final Dot dot;
        final Stamp stamp;
        /** What its node knew. */
        final VersionVector deps;
        /** Null deletes. */
        final Map<String, @Nullable String> puts;

        final Map<String, Long> adds;
        /** What its client had seen, by name. */
        final Map<String, Stamp> seen;
        /** Whether the writer knew the column {@code note}. */
        final boolean notes;

        boolean acknowledged;
        /** Whether its disk was replaced by an older copy, or its node removed, since. */
        boolean mayBeLost;

        Write(
                Dot dot,
                Hlc hlc,
                VersionVector deps,
                Map<String, @Nullable String> puts,
                Map<String, Long> adds,
                Map<String, Stamp> seen,
                boolean notes) {
            this.dot = dot;
            this.stamp = new Stamp(dot.origin(), dot.sequence(), hlc);
            this.deps = deps;
            this.puts = puts;
            this.adds = adds;
            this.seen = seen;
            this.notes = notes;
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
        for (String name : write.puts.keySet()) {
            List<Write> latestFirst = byName.computeIfAbsent(name, key -> new ArrayList<>());
            int at = 0;
            while (at < latestFirst.size() && Oracle.BY_CLOCK.compare(latestFirst.get(at).stamp, write.stamp) > 0) {
                at++;
            }
            latestFirst.add(at, write);
        }
    }

    /** A transaction of a node's own: conflict records. */
    void addOwn(Changeset changeset) {
        add(new Write(changeset.dot(), changeset.hlc(), changeset.deps(), new HashMap<>(), Map.of(), Map.of(), false));
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

    /** A copy was put back that lacks these: unless a peer has heard of them they are gone. */
    void mayBeLost(sh.fazt.identity.NodeId node, VersionVector kept) {
        for (Write write : writes.values()) {
            if (write.dot.origin().node().equals(node) && !write.isIn(kept)) {
                write.mayBeLost = true;
            }
        }
    }
}
