package sh.fazt.cartridge.change;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
     * @param parts read one at a time, in their order, more than once maybe: they may lie in a file
     */
    CompletionStage<Applied> apply(Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts);

    /**
     * The same of a {@link Spool} with a floor: the parts are all rows of the sender, and what is here and not there
     * goes if the sender has seen it. What it has not seen, and may be older than a tombstone that is gone, is written
     * anew, so that it is the same everywhere.
     *
     * @param floor {@link Floor#NONE} when the parts are what {@code since} lacks
     */
    default CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts, Floor floor) {
        if (!floor.isNone()) {
            throw new UnsupportedOperationException("a replica that removes no tombstones");
        }
        return apply(scope, since, senderVector, parts);
    }

    /**
     * Room for so many bytes that are kept for a while. Blocking: on a reader thread.
     *
     * @throws RuntimeException that says why, where the disk has no room for them
     */
    Scratch scratch(long bytes);

    /** Below what tombstones of a scope may be gone here. Blocking: on a reader thread. */
    default Floor floor(Scope scope) {
        return Floor.NONE;
    }

    /**
     * Removes tombstones for good, and raises the floor with them in one transaction. Safe whatever is removed: who
     * lacks it is told all rows; costly unless every member has seen it.
     *
     * @param stable of dots that this covers
     * @param until  not of later ones
     * @param most   of each table
     * @return how many were removed
     */
    default CompletionStage<Integer> collect(Scope scope, VersionVector stable, Hlc until, int most) {
        return CompletableFuture.completedFuture(0);
    }

    /**
     * Replaces what lies beyond a fence by what other members hold in its place, and cuts the vector once all of it is.
     * They have to have seen what is here besides: else their rows would go over what they never heard of. What an
     * evicted node noted of a conflict stays where nobody else did.
     *
     * @param fence   cuts the vector that is here; answers nothing when the others have to hear more of it first
     * @param instead all rows of the scope as they hold them
     * @return {@code DONE} when some were replaced, and maybe not all; {@code KNOWN} when nothing lies beyond;
     *     {@code NEEDS_PULL} when the others have to hear more first
     */
    default CompletionStage<Applied> cut(
            Scope scope, Function<VersionVector, Optional<VersionVector>> fence, List<Row> instead) {
        throw new UnsupportedOperationException("a replica that is never cut");
    }

    /** An order-independent digest over (table, key, stamp) of every row of the scope that is no tombstone. */
    long digest(Scope scope);

    /**
     * A peer has seen more of this node's own live origin than this replica has: the file is an old copy.
     * Opens a new epoch before any further local write. What is in doubt was written under it, as if it had been there
     * from the start.
     */
    CompletionStage<Origin> openEpoch();

    /**
     * Whether this node goes on with a history that may have gone on elsewhere: where its whole folder was set back,
     * nothing in it tells. So what it wrote since is in doubt until it is settled, by {@link #openEpoch} or
     * {@link #settle}, and must not leave this node.
     */
    default boolean inDoubt() {
        return false;
    }

    /** The vector of a scope without what is in doubt. */
    default VersionVector certain(Scope scope) {
        return vector(scope);
    }

    /** Nothing is in doubt any more: nobody holds other changes under the numbers that this node used. */
    default CompletionStage<Boolean> settle() {
        return CompletableFuture.completedFuture(true);
    }

    /**
     * Lets go of a scope that is kept elsewhere: its rows, its vector, and the blobs that only it referred to; opens a
     * new epoch. Answers whether it was done: not when the vector is another by then.
     */
    CompletionStage<Boolean> forget(Scope scope, VersionVector at);

    /**
     * Reads every row of a scope from one snapshot, tombstones and parked rows included. Blocking: on a reader
     * thread.
     *
     * @param table null for all of them
     * @param rows  given each row that the snapshot's vector covers
     */
    Scan scan(Scope scope, @Nullable String table, Consumer<Row> rows);

    /**
     * Puts right what an audit found here, as one transaction: rows as they should be, rows to be written anew, and
     * the digest of what is stored. What is written over becomes a conflict. Answers whether it was done: not when
     * anything was written since the scan.
     */
    CompletionStage<Boolean> repair(Scope scope, Repair repair);

    /**
     * What a scan came across.
     *
     * @param vector  of the snapshot
     * @param kept    the digest that is kept up with each write
     * @param found   the digest of the rows that were read; equal to {@code kept} unless something else than this
     *     cartridge has changed the file. Only of a scan of all tables
     * @param foreign rows that the vector does not cover: no writer of a swarm has written them
     */
    record Scan(VersionVector vector, long kept, long found, long foreign) {
        /** Whether the stored rows are those that were written. */
        public boolean sound() {
            return kept == found && foreign == 0;
        }
    }

    /**
     * What to put right.
     *
     * @param at    the vector of the scan; it has to be the vector still
     * @param found the digest of that scan
     * @param take  rows that become the rows here, under their own stamps
     * @param anew  rows of this replica that are written again under a new stamp, so that they win everywhere
     * @param lost  versions elsewhere that those win over: kept as conflicts
     */
    record Repair(VersionVector at, long found, List<Row> take, List<Row> anew, List<Row> lost) {
        public Repair {
            take = List.copyOf(take);
            anew = List.copyOf(anew);
            lost = List.copyOf(lost);
        }
    }

    /** How much of a scope a vector lacks. Blocking: on a reader thread. */
    Weight weigh(Scope scope, VersionVector since);

    /**
     * What a vector lacks of a scope.
     *
     * @param rows   counted
     * @param bytes  about how many, from the first thousand
     * @param oldest the stamp of the oldest of them; zero without any
     */
    record Weight(long rows, long bytes, Hlc oldest) {}

    /** What became of a changeset or a pull. */
    enum Applied {
        /** New here, and now visible. */
        DONE,
        /** Seen before: nothing changed. */
        KNOWN,
        /** A cause is missing here: ask for it by a pull. */
        NEEDS_PULL
    }

    /** Bytes that are kept for a while: in memory where they are few, else in a file. Thread-safe. */
    interface Scratch extends AutoCloseable {
        /** Writes at a place; what lies before it and was not written yet is undefined. Fails where the disk is full. */
        void write(long at, byte[] bytes);

        byte[] read(long at, int length);

        /** Lets go of the bytes. */
        @Override
        void close();
    }

    /**
     * The answer to a pull, cut into parts of about 256 KiB (a single larger row is a part of its own, of whatever
     * length).
     */
    interface Spool extends AutoCloseable {
        VersionVector vector();

        /** Unless it is {@link Floor#NONE} the parts are all rows of the scope, whatever was asked for. */
        default Floor floor() {
            return Floor.NONE;
        }

        long rows();

        /** Of all parts together. */
        long bytes();

        /** The SHA-256 of all parts, one behind the other. */
        byte[] digest();

        int parts();

        /** How long a part is. */
        int size(int index);

        /** Bytes of a part from an offset on: one at least, unless there are none, and no more than asked for. */
        byte[] piece(int index, int offset, int most);

        /** A part whole. */
        default byte[] part(int index) {
            return piece(index, 0, size(index));
        }

        @Override
        void close();
    }
}
