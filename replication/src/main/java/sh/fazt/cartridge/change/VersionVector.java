package sh.fazt.cartridge.change;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sh.fazt.identity.NodeId;

/**
 * What is known of one scope: for each origin the highest sequence seen, contiguous by construction; an
 * origin that is not named stands at 0. Immutable.
 */
public final class VersionVector {
    public static final VersionVector EMPTY = new VersionVector(new TreeMap<>());

    private final SortedMap<Origin, Long> highest;

    private VersionVector(TreeMap<Origin, Long> highest) {
        this.highest = Collections.unmodifiableSortedMap(highest);
    }

    public static VersionVector of(Map<Origin, Long> highest) {
        return taking(new TreeMap<>(highest));
    }

    /** Nobody else may have the map. */
    private static VersionVector taking(TreeMap<Origin, Long> highest) {
        highest.values().removeIf(sequence -> sequence == 0);
        return highest.isEmpty() ? EMPTY : new VersionVector(highest);
    }

    /** The highest sequence seen of the origin, or 0. */
    public long get(Origin origin) {
        return highest.getOrDefault(origin, 0L);
    }

    public boolean includes(Origin origin, long sequence) {
        return get(origin) >= sequence;
    }

    /** Whether everything that the other names is seen here too. */
    public boolean covers(VersionVector other) {
        if (this == other) {
            return true;
        }
        for (Map.Entry<Origin, Long> entry : other.highest.entrySet()) {
            if (get(entry.getKey()) < entry.getValue()) {
                return false;
            }
        }
        return true;
    }

    /** This vector with one origin at the given sequence. */
    public VersionVector with(Origin origin, long sequence) {
        TreeMap<Origin, Long> copy = new TreeMap<>(highest);
        copy.put(origin, sequence);
        return taking(copy);
    }

    /** The least vector that covers both. */
    public VersionVector merge(VersionVector other) {
        if (covers(other)) {
            return this;
        }
        TreeMap<Origin, Long> copy = new TreeMap<>(highest);
        other.highest.forEach((origin, sequence) -> copy.merge(origin, sequence, Math::max));
        return taking(copy);
    }

    /** The greatest vector that both cover. */
    public VersionVector least(VersionVector other) {
        TreeMap<Origin, Long> copy = new TreeMap<>(highest);
        copy.replaceAll((origin, sequence) -> Math.min(sequence, other.get(origin)));
        return taking(copy);
    }

    /** What one node wrote of this vector. */
    public VersionVector by(NodeId node) {
        TreeMap<Origin, Long> copy = new TreeMap<>(highest);
        copy.keySet().removeIf(origin -> !origin.node().equals(node));
        return taking(copy);
    }

    /** How many transactions this vector has seen that the other has not. */
    public long aheadOf(VersionVector other) {
        if (this == other) {
            return 0;
        }
        long ahead = 0;
        for (Map.Entry<Origin, Long> entry : highest.entrySet()) {
            ahead += Math.max(0, entry.getValue() - other.get(entry.getKey()));
        }
        return ahead;
    }

    public boolean isEmpty() {
        return highest.isEmpty();
    }

    /** Every origin that stands above 0, in order; unmodifiable. */
    public SortedMap<Origin, Long> entries() {
        return highest;
    }

    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof VersionVector that && highest.equals(that.highest);
    }

    @Override
    public int hashCode() {
        return highest.hashCode();
    }

    @Override
    public String toString() {
        return highest.toString();
    }
}
