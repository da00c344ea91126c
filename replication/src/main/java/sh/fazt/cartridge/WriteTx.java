package sh.fazt.cartridge;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;

/**
 * A write transaction on replicated tables of one scope: every row is stamped with the transaction's dot
 * and clock. Reads see what was written before. Confined to the {@code writer} thread.
 */
public interface WriteTx extends LocalTx {
    Scope scope();

    /**
     * Inserts or replaces the row with this key; columns that are not named become NULL. Of a document only those
     * columns count as written that say something else than before, or are gone.
     */
    void put(String table, List<?> key, Map<String, ? extends @Nullable Object> columns);

    /**
     * Changes some columns of a document and leaves the others as they are, or makes the document; null removes. A
     * column that says what it said before does not count as written. Only for tables of policy document.
     */
    void update(String table, List<?> key, Map<String, ? extends @Nullable Object> changes);

    /** Deletes the row, leaving a tombstone; answers whether it was there. */
    boolean delete(String table, List<?> key);

    /** Adds to a counter; answers the new sum as this node knows it. Only for tables of policy counter. */
    long increment(String table, List<?> key, long by);

    /**
     * Stores a small blob in this transaction; it travels inside the changeset, so that a peer has it with
     * the rows that refer to it. Answers its SHA-256 in lower-case hex. At most 16 KiB each and 256 KiB per
     * transaction: larger ones are put through {@code sh.fazt.blob} first.
     */
    String putBlob(byte[] content);
}
