package sh.fazt.blob;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.RowCodec;

/**
 * Removes blobs that no row here refers to, and chunks of which no blob is put together. Each is marked first, with the
 * time, and goes when it is found so again after a grace: whoever uploads first and refers later, or counts on what was
 * here a moment ago, is not robbed. Whatever is needed in between loses its mark. What is referred to is looked up in
 * the transaction that removes. What is not here yet is wanted no more once no row refers to it. Only of this node: others remove by what they know. Thread-safe; every call blocks.
 */
public final class Unused {
    /** Of one transaction, as writes wait for it. */
    private static final long MOST_BYTES = 32L << 20;

    private static final int MOST_BLOBS = 500;

    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

    private final Cartridge cartridge;

    public Unused(Cartridge cartridge) {
        this.cartridge = cartridge;
    }

    /**
     * What was removed.
     *
     * @param blobs  whole or not; and chunks that belonged to none
     * @param bytes  of their chunks
     */
    public record Removed(long blobs, long bytes) {}

    /**
     * Marks what is unused, and removes what was marked already at a time.
     *
     * @param now   in Unix milliseconds
     * @param until what was marked later stays
     */
    public Removed turn(long now, long until) {
        long blobs = 0;
        long bytes = 0;
        Removed step = join(tx -> {
            mark(tx, now);
            Damage.removeUnused(tx);
            return remove(tx, until);
        });
        while (step.blobs() > 0) {
            blobs += step.blobs();
            bytes += step.bytes();
            step = join(tx -> {
                // Something may have been referred to since.
                mark(tx, now);
                return remove(tx, until);
            });
        }
        return new Removed(blobs, bytes);
    }

    /** What waits for its grace to pass: how many, and how many bytes. */
    public Removed marked() {
        return cartridge.read(rows -> rows.first(
                        "SELECT count(*), coalesce(sum(coalesce((SELECT size FROM fazt_blob b WHERE b.hash = u.hash),"
                                + " (SELECT length(body) FROM fazt_chunk c WHERE c.hash = u.hash), 0)), 0)"
                                + " FROM fazt_unused u",
                        row -> new Removed(row.integer(0), row.integer(1)))
                .orElseThrow());
    }

    private void mark(LocalTx tx, long now) {
        Set<String> used = referred(tx);
        for (String hash : tx.query("SELECT DISTINCT hash FROM fazt_wanted", row -> row.text(0))) {
            if (!used.contains(hash)) {
                tx.execute("DELETE FROM fazt_wanted WHERE hash = ?", hash);
            }
        }
        Set<String> unused = new HashSet<>(tx.query("SELECT hash FROM fazt_blob", row -> row.text(0)));
        unused.removeAll(used);
        unused.addAll(tx.query(
                "SELECT hash FROM fazt_chunk c WHERE NOT EXISTS (SELECT 1 FROM fazt_blob_chunk u WHERE u.chunk = c.hash)",
                row -> row.text(0)));
        for (String hash : tx.query("SELECT hash FROM fazt_unused", row -> row.text(0))) {
            if (!unused.remove(hash)) {
                tx.execute("DELETE FROM fazt_unused WHERE hash = ?", hash);
            }
        }
        unused.forEach(hash -> tx.execute("INSERT INTO fazt_unused VALUES (?, ?)", hash, now));
    }

    /** Every hash that a row names, or may name: one of a table that is not known here, or one that lost and is kept. */
    private Set<String> referred(Rows rows) {
        Set<String> used = new HashSet<>();
        for (Map.Entry<String, List<String>> table : cartridge.blobColumns().entrySet()) {
            for (String column : table.getValue()) {
                used.addAll(rows.query(
                        "SELECT DISTINCT " + column + " FROM " + table.getKey() + " WHERE " + column + " IS NOT NULL",
                        row -> row.text(0)));
            }
        }
        for (String columns : List.of(
                "SELECT columns FROM fazt_parked WHERE deleted = 0",
                "SELECT loser_columns FROM fazt_conflict WHERE loser_columns IS NOT NULL")) {
            rows.query(columns, row -> RowCodec.columns(row.bytes(0))).forEach(values -> addHashes(values, used));
        }
        for (String table : rows.query(
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
                        + " AND c.name = '_extra'",
                row -> row.text(0))) {
            rows.query(
                            "SELECT _extra FROM " + table + " WHERE _extra IS NOT NULL",
                            row -> RowCodec.columns(row.bytes(0)))
                    .forEach(values -> addHashes(values, used));
        }
        return used;
    }

    private static void addHashes(Map<String, @Nullable Object> values, Set<String> used) {
        values.values().forEach(value -> {
            if (value instanceof String text && HASH.matcher(text).matches()) {
                used.add(text);
            }
        });
    }

    private static Removed remove(LocalTx tx, long until) {
        long bytes = 0;
        long blobs = 0;
        List<String> due = tx.query(
                "SELECT hash FROM fazt_unused WHERE since <= ? ORDER BY since, hash LIMIT ?",
                row -> row.text(0),
                until,
                (long) MOST_BLOBS);
        for (String hash : due) {
            if (bytes >= MOST_BYTES) {
                break;
            }
            List<String> chunks = new java.util.ArrayList<>(
                    tx.query("SELECT DISTINCT chunk FROM fazt_blob_chunk WHERE hash = ?", row -> row.text(0), hash));
            chunks.add(hash);
            tx.execute("DELETE FROM fazt_blob_chunk WHERE hash = ?", hash);
            tx.execute("DELETE FROM fazt_blob WHERE hash = ?", hash);
            for (String chunk : chunks) {
                bytes += tx.first(
                                "SELECT length(body) FROM fazt_chunk WHERE hash = ? AND NOT EXISTS"
                                        + " (SELECT 1 FROM fazt_blob_chunk u WHERE u.chunk = ?)",
                                row -> row.integer(0),
                                chunk,
                                chunk)
                        .orElse(0L);
                tx.execute(
                        "DELETE FROM fazt_chunk WHERE hash = ? AND NOT EXISTS"
                                + " (SELECT 1 FROM fazt_blob_chunk u WHERE u.chunk = ?)",
                        chunk,
                        chunk);
            }
            tx.execute("DELETE FROM fazt_unused WHERE hash = ?", hash);
            blobs++;
        }
        return new Removed(blobs, bytes);
    }

    private <T> T join(Cartridge.LocalBody<T> body) {
        try {
            return cartridge.writeLocal(body).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
