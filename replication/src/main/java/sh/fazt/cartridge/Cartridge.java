package sh.fazt.cartridge;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/**
 * One SQLite file: all the state of a node. One writer with group commit, a few readers, one process.
 *
 * <p>Thread-safe. Bodies run on the {@code writer} thread (writes) or on the caller's thread with a
 * read-only connection (reads).
 */
public interface Cartridge extends AutoCloseable {
    Path file();

    /** Names the node whose history this file continues; once, before the first replicated write. */
    void bind(NodeId node);

    /**
     * Writes replicated rows of one scope as one transaction with one dot. Completes after the commit is
     * durable; fails with {@link CartridgeException}, or with what the body threw, and then nothing of the
     * body is kept.
     */
    <T> CompletionStage<T> write(Scope scope, WriteBody<T> body);

    /** Writes local and consensus tables. The same guarantees, no dot. */
    <T> CompletionStage<T> writeLocal(LocalBody<T> body);

    /**
     * The same in a transaction of its own: for what may touch a damaged page, after which SQLite refuses all else that a
     * transaction writes.
     */
    <T> CompletionStage<T> writeLocalAlone(LocalBody<T> body);

    /** Reads from one consistent snapshot. Blocking. */
    <T> T read(ReadBody<T> body);

    /** Told, on the writer thread after each commit, what changed; must hand over and return. */
    void listen(CommitListener listener);

    /** The replicated side of this file, as sync sees it. */
    ReplicaStore replica();

    /**
     * Forgets a scope as if it had never been here: rows, vector, conflicts; opens a new epoch. Only for
     * what no other node has seen (a swarm of one that joins another).
     */
    CompletionStage<Void> forget(Scope scope);

    /** What lost when two nodes wrote the same. */
    Conflicts conflicts();

    /** The columns, by table, whose texts are hashes of blobs. */
    Map<String, List<String>> blobColumns();

    /** The rows that name a blob; reads every row of the tables that can. */
    List<Reference> references(Rows rows, String blob);

    /** A consistent copy, made while writers go on. */
    void backup(Path target);

    /** {@code PRAGMA integrity_check}: empty when all is well. */
    List<String> check();

    @Override
    void close();

    /** A row that names a blob, by its key columns. */
    record Reference(Scope scope, String table, List<Object> key) {
        public Reference {
            key = List.copyOf(key);
        }
    }

    /**
     * A transaction on replicated tables; it may touch local tables too. It may be run again, from the start, when
     * another one of its group fails: what it does outside of the transaction has to stand that.
     */
    interface WriteBody<T> {
        T run(WriteTx tx) throws Exception;
    }

    /** A transaction on local and consensus tables; as with {@link WriteBody}, it may be run again. */
    interface LocalBody<T> {
        T run(LocalTx tx) throws Exception;
    }

    /** Reads of one snapshot. */
    interface ReadBody<T> {
        T run(Rows rows);
    }
}
