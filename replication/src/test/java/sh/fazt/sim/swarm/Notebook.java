package sh.fazt.sim.swarm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.sim.swarm.History.Write;

/**
 * What one node has written. While it is in doubt its numbers may be those of what it wrote in a former life, so the
 * {@link History} has it once it has its name.
 */
final class Notebook {
    private final SimReplica replica;
    private final History history;
    private final Map<Dot, Write> inDoubt = new LinkedHashMap<>();

    Notebook(SimReplica replica, History history) {
        this.replica = replica;
        this.history = history;
    }

    void add(Write write) {
        if (replica.store().inDoubt()) {
            inDoubt.put(write.dot(), write);
        } else {
            history.add(write);
        }
    }

    /** A transaction of the node's own: conflict records, and rows that it writes anew. */
    void addOwn(Changeset changeset) {
        Map<String, @Nullable String> puts = new TreeMap<>();
        Set<String> noted = new TreeSet<>();
        for (Row row : changeset.contents().rows()) {
            if (!row.table().startsWith("fazt_") && !row.counter()) {
                String name = (String) row.key().get(0);
                puts.put(name, row.deleted() ? null : (String) row.columns().get("value"));
                if (row.columns().get(SimReplica.NOTE) != null) {
                    noted.add(name);
                }
            }
        }
        add(new Write(
                changeset.dot(), changeset.hlc(), changeset.deps(), puts, Map.of(), Map.of(), noted, !puts.isEmpty()));
    }

    boolean knows(Dot dot) {
        return replica.store().inDoubt() ? inDoubt.containsKey(dot) : history.knows(dot);
    }

    /** A step that names what was in doubt: as it is, or by another epoch. */
    <T> T named(Supplier<T> step) {
        ReplicaStore store = replica.store();
        Origin before = store.origin();
        long upTo = store.certain(replica.scope()).get(before);
        T result = step.get();
        if (!store.inDoubt()) {
            inDoubt.values().forEach(write -> {
                write.rename(before, upTo, store.origin());
                history.add(write);
            });
            inDoubt.clear();
        }
        return result;
    }

    /** The disk is another one: what was in doubt on it was nowhere else. */
    void tear() {
        inDoubt.clear();
    }
}
