package sh.fazt.sync;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;

/**
 * What {@link ConvergenceProperty} does to a replica and asks of it, be it in memory or a real cartridge. Every
 * call is finished when it returns. Confined to one thread.
 */
public interface ReplicaUnderTest {
    /** The one document, whose fields are x, y and z. */
    String DOCUMENT = "doc";

    Scope scope();

    ReplicaStore store();

    /** Sets registers to one value in one transaction; a null value deletes them. */
    Changeset write(@Nullable String value, List<String> names);

    /** Adds to a counter. */
    Changeset add(String name, long by);

    /** Changes fields of the document; null removes one. */
    Changeset edit(Map<String, @Nullable String> changes);

    /** Has the document say this and nothing else. */
    Changeset replace(Map<String, String> values);

    /** Deletes the document, which is there. */
    Changeset deleteDocument();

    /** What the document says; null when it is deleted or was never written. */
    @Nullable
    Map<String, String> document();

    @Nullable
    String value(String name);

    /** Who wrote the version of a register that is here, tombstones included. */
    @Nullable
    Stamp stamp(String name);

    long sum(String name);

    /** {@code dot key}, or {@code dot key/field}, of every loser that is kept. */
    Set<String> losers();

    /** Changesets that this replica wrote by itself since the last call: conflict records. */
    List<Changeset> recorded();

    /** How many rows are kept, tombstones and conflict records included. */
    long rowCount();

    /** Stops and starts again with what was durable. */
    void restart();

    /** Keeps a copy of the file. */
    void copy();

    /** Stops, puts the kept copy in the file's place, and starts. */
    void restore();

    /** What is wrong with the stored bytes; empty when all is well. */
    List<String> damage();

    void close();
}
