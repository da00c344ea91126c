package sh.fazt.cartridge.change;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * What sync needs of a replica: its rows and version vectors, which always change together. The cartridge
 * implements it; {@code MemoryReplica} in the test-jar is its fake and passes the same contract.
 *
 * <p>Thread-safe. Reads answer from the last commit; what returns a stage is carried out by the writer.
 */
public interface ReplicaStore {
    /** The live origin that local writes are stamped with. */
    Origin origin();

    /** Every scope that is held here, with its vector; an immutable snapshot. */
    Map<Scope, VersionVector> vectors();

    /** The vector of one scope; empty where nothing is known of it. */
    VersionVector vector(Scope scope);

    /** The part of a peer's vector that may come here: less than all where a node was evicted. */
    default VersionVector admissible(Scope scope, VersionVector theirs) {
        return theirs;
    }

    /**
     * Applies a pushed changeset if it is the next of its origin and everything it depends on is here
     * (replication.md section 4).
     */
    CompletionStage<Applied> apply(Changeset changeset);

    /**
     * Reads, from one snapshot, every row of the scope whose dots {@code since} lacks, together with the
     * vector of that snapshot. The rows are spooled, so that no read transaction outlives this call.
     * Blocking: call it on a reader thread, never on {@code swarm}.
     */
    Spool open(Scope scope, VersionVector since);

    /**
     * Applies a whole pull as one transaction: the parts of a {@link Spool} and the vector that they were
     * read under. Nothing of it is visible before the stage completes.
     *
     * @param since what was said to be here when the pull was asked for; where that is not here any more (the
     *     scope was forgotten meanwhile) the parts have holes, and nothing is applied
     */
    CompletionStage<Applied> apply(Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts);

    /** An order-independent digest over (table, key, stamp, deleted) of every row of the scope. */
    long digest(Scope scope);

    /**
     * A peer has seen more of this node's own live origin than this replica has: the file is an old copy.
     * Opens a new epoch before any further local write.
     */
    CompletionStage<Origin> openEpoch();

    /** What became of a changeset or a pull. */
    enum Applied {
        /** New here, and now visible. */
        DONE,
        /** Seen before: nothing changed. */
        KNOWN,
        /** A cause is missing here: ask for it by a pull. */
        NEEDS_PULL
    }

    /** The answer to a pull, cut into parts of at most 256 KiB (a single larger row is a part of its own). */
    interface Spool extends AutoCloseable {
        VersionVector vector();

        long rows();

        long bytes();

        int parts();

        byte[] part(int index);

        @Override
        void close();
    }
}
