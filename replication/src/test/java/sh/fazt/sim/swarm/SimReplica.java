package sh.fazt.sim.swarm;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/**
 * A replica as a simulated node has it, in memory or a real cartridge. Every call is finished when it returns.
 * Confined to one thread.
 */
interface SimReplica {
    /** Names that begin so are rows of a table, and {@link #NOTE} is a column, that schema level 1 lacks. */
    String LATE = "late/";

    String NOTE = "note";

    Scope scope();

    ReplicaStore store();

    /**
     * One transaction: sets registers, deletes those whose value is null, and adds to counters. From schema level
     * 2 on each register that is set also gets the note {@code ~value}.
     */
    Changeset transact(Map<String, @Nullable String> puts, Map<String, Long> adds);

    /** A version of a register. @param value null when it was deleted */
    record Version(@Nullable String value, @Nullable String note, Stamp stamp) {}

    /** One snapshot of everything that this schema level shows, tombstones included. */
    record View(Map<String, Version> registers, Map<String, Long> sums, VersionVector vector) {}

    View view();

    @Nullable
    String value(String name);

    /** {@code dot key} of every loser that is kept. */
    Set<String> losers();

    /** The commits since the last call, in their order. */
    List<CommitListener.Commit> commits();

    /** How many rows are kept, tombstones and conflict records included, but for records that a fence took. */
    long rowCount();

    /** Ends as {@code kill -9} ends it and starts again, as a release of this schema level. */
    void crash(int level);

    HybridClock clock();

    /** Removes tombstones that nobody needs any more, as a node does every ten minutes. */
    void tidy(SimulatedNode node);

    /** How many deleted rows are kept. */
    long tombstones();

    /** Keeps a copy of the file. */
    void copy();

    /** Stops, puts the kept copy in the file's place, and starts. */
    void restore();

    /** The same with all that lies beside the file, so that nothing tells. */
    void setBack();

    /** What is wrong with the stored bytes; empty when all is well. */
    List<String> damage();

    void close();
}
