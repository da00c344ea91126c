package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.sim.swarm.History.Write;
import sh.fazt.sim.swarm.SimReplica.Version;
import sh.fazt.sim.swarm.SimReplica.View;

/**
 * A model of the merge that knows no merge: of all writes of a name that a vector covers the one with the greatest
 * stamp stands, and of those that nobody wrote over knowingly every other is a conflict record. It predicts every
 * cell at any moment from nothing but the vector, and every record in the end.
 */
final class Oracle {
    static final Comparator<Stamp> BY_CLOCK = (one, other) -> {
        int byClock = Long.compareUnsigned(one.hlc().value(), other.hlc().value());
        int byNode = one.origin().node().compareTo(other.origin().node());
        return byClock != 0
                ? byClock
                : byNode != 0
                        ? byNode
                        : Integer.compare(one.origin().epoch(), other.origin().epoch());
    };

    private final History history;
    private final Predicate<Stamp> isOld;

    /** @param isOld whether a deletion of that time may be forgotten */
    Oracle(History history, Predicate<Stamp> isOld) {
        this.history = history;
        this.isOld = isOld;
    }

    /** The latest goes first: the first that is covered stands. */
    private static @Nullable Write winner(List<Write> latestFirst, VersionVector vector) {
        for (Write write : latestFirst) {
            if (write.isIn(vector)) {
                return write;
            }
        }
        return null;
    }

    private static List<Write> covered(List<Write> writes, VersionVector vector) {
        return writes.stream().filter(write -> write.isIn(vector)).toList();
    }

    /** @param late whether the schema there has the later table and column */
    void checkCells(String who, View view, boolean late) {
        Map<String, Version> expected = new TreeMap<>();
        history.byName().forEach((name, writes) -> {
            Write winner = winner(writes, view.vector());
            if (winner != null && (late || !name.startsWith(SimReplica.LATE))) {
                String value = winner.puts.get(name);
                if (value == null
                        && isOld.test(winner.stamp())
                        && !view.registers().containsKey(name)) {
                    return;
                }
                String note = value == null || !late || !winner.noted.contains(name) ? null : "~" + value;
                expected.put(name, new Version(value, note, winner.stamp()));
            }
        });
        if (expected.equals(view.registers())) {
            return;
        }
        expected.forEach((name, version) -> require(
                version.equals(view.registers().get(name)),
                Violation.Checker.ORACLE,
                "%s has %s for %s, not %s",
                who,
                view.registers().get(name),
                name,
                version));
        require(
                false,
                Violation.Checker.ORACLE,
                "%s has names that nobody wrote: %s",
                who,
                view.registers().keySet());
    }

    void checkSums(String who, View view) {
        Map<String, Long> expected = new HashMap<>();
        for (Write write : history.all()) {
            if (!write.adds.isEmpty() && write.isIn(view.vector())) {
                write.adds.forEach((name, by) -> expected.merge(name, by, Long::sum));
            }
        }
        require(
                expected.equals(view.sums()),
                Violation.Checker.COUNTERS,
                "%s counts %s, not %s",
                who,
                view.sums(),
                expected);
    }

    /** @param records {@code stamp name} of every loser that is kept */
    void checkConflicts(VersionVector vector, Set<String> records) {
        Set<String> may = new TreeSet<>();
        history.byName().forEach((name, all) -> {
            List<Write> writes = covered(all, vector);
            // What was held before an eviction was heard of leaves its traces: a member noted what had lost, and to
            // whom.
            for (Write one : all) {
                if ((one.fencedOut || history.isCutAway(one, vector)) && records.contains(one.stamp() + " " + name)) {
                    may.add(one.stamp() + " " + name);
                }
            }
            Write winner = winner(all, vector);
            for (Write one : writes) {
                boolean kept = records.contains(one.stamp() + " " + name);
                boolean rivals = all.stream()
                        .filter(other -> other.fencedOut || other.isIn(vector))
                        .anyMatch(other -> other != one && !other.knew(one) && !one.knew(other));
                if (kept && rivals) {
                    may.add(one.stamp() + " " + name);
                }
                // What a lost disk had written over it counts: its writer knew, and nobody else can have.
                boolean succeeded = all.stream().anyMatch(later -> history.succeeds(later, one))
                        || history.mayBeWrittenOver(one)
                        || one.puts.get(name) == null && history.mayBeUndone(one, name);
                boolean likewise = writes.stream()
                        .anyMatch(other -> other != one
                                && Objects.equals(other.puts.get(name), one.puts.get(name))
                                && !one.knew(other));
                require(
                        one == winner || succeeded || likewise || kept,
                        Violation.Checker.CONFLICTS,
                        "%s of %s lost silently",
                        one.stamp(),
                        name);
            }
        });
        Set<String> without = new TreeSet<>(records);
        may.forEach(without::remove);
        require(without.isEmpty(), Violation.Checker.CONFLICTS, "records without a conflict: %s", without);
    }
}
