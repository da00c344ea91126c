package sh.fazt.blob;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.Cartridge.Reference;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.Scope;

/**
 * Finds stored bytes that are not what they are called any more, as a disk leaves them that loses bits. Such a chunk is
 * taken out of use: the blobs that need it are wanted again, be they held back or not, and come from whoever has them.
 * What is left of it is kept aside until the right bytes are here, since it may be all that is left anywhere.
 * Thread-safe; every call blocks.
 */
public final class Damage {
    private final Cartridge cartridge;
    private final List<Consumer<Set<String>>> listeners = new CopyOnWriteArrayList<>();
    private final LongAdder found = new LongAdder();
    private final LongAdder examined = new LongAdder();

    Damage(Cartridge cartridge) {
        this.cartridge = cartridge;
    }

    /** Told of blobs that rows name and that were found damaged, on the thread that found them. */
    public void listen(Consumer<Set<String>> listener) {
        listeners.add(listener);
    }

    /** How many damaged chunks, and blobs that are put together wrongly, were taken out of use since the start. */
    public long found() {
        return found.sum();
    }

    /** Bytes that were hashed again since the start, to see whether they are right. */
    public long examined() {
        return examined.sum();
    }

    /** How many blobs are damaged and have not come again. */
    public long left() {
        return cartridge.read(Damage::known).size();
    }

    // ---- all at once ----

    /**
     * Reads every stored chunk of the blobs that rows of a scope name, or of all.
     *
     * @param only    null for all
     * @param takeOut whether to take what is damaged out of use
     * @return the damaged blobs, also those of earlier that have not come again, with the rows that name them
     */
    public Map<String, List<Reference>> find(@Nullable Scope only, boolean takeOut) {
        Set<String> damaged = new TreeSet<>(takeOut ? takeOutBroken() : cartridge.read(rows -> broken(rows, null)));
        for (long id : stored(only)) {
            String chunk = rotten(id).orElse(null);
            if (chunk != null) {
                damaged.addAll(cartridge.read(rows -> users(rows, chunk)));
                if (takeOut) {
                    takeOut(chunk);
                }
            }
        }
        damaged.addAll(cartridge.read(Damage::known));
        Map<String, List<Reference>> named = new TreeMap<>();
        for (String blob : damaged) {
            List<Reference> references = cartridge.read(rows -> cartridge.references(rows, blob)).stream()
                    .filter(reference -> only == null || only.equals(reference.scope()))
                    .toList();
            // What no row names is missed by nobody, and is wanted as soon as one does.
            if (!references.isEmpty()) {
                named.put(blob, references);
            }
        }
        return named;
    }

    private List<Long> stored(@Nullable Scope only) {
        if (only == null) {
            return cartridge.read(rows -> rows.query("SELECT id FROM fazt_chunk ORDER BY id", row -> row.integer(0)));
        }
        List<String> hashes = new ArrayList<>();
        cartridge
                .blobColumns()
                .forEach((table, columns) -> columns.forEach(column -> hashes.add(
                        "SELECT " + column + " FROM " + table + " WHERE scope = ? AND " + column + " IS NOT NULL")));
        return hashes.isEmpty()
                ? List.of()
                : cartridge.read(rows -> rows.query(
                        "SELECT id FROM fazt_chunk WHERE hash IN (SELECT chunk FROM fazt_blob_chunk WHERE hash IN ("
                                + String.join(" UNION ", hashes) + ")) ORDER BY id",
                        row -> row.integer(0),
                        hashes.stream().map(hash -> only.id()).toArray()));
    }

    // ---- step by step ----

    /** The chunk after another, in the order in which they came; empty after the last. */
    OptionalLong next(long id) {
        return cartridge
                .read(rows -> rows.query(
                        "SELECT id FROM fazt_chunk WHERE id > ? ORDER BY id LIMIT 1", row -> row.integer(0), id))
                .stream()
                .mapToLong(next -> next)
                .findFirst();
    }

    /** The last chunk; 0 where there is none. */
    long last() {
        return cartridge
                .read(rows -> rows.first("SELECT max(id) FROM fazt_chunk", row -> row.integer(0)))
                .orElse(0L);
    }

    /** Up to which chunk the present pass over all of them is. */
    long position() {
        return cartridge
                .read(rows -> rows.first("SELECT chunk FROM fazt_scrub", row -> row.integer(0)))
                .orElse(0L);
    }

    void position(long chunk) {
        join(tx -> tx.execute("UPDATE fazt_scrub SET chunk = ?", chunk));
    }

    /** Hashes a chunk again and takes it out of use when it is damaged; answers how many bytes it has. */
    long examine(long id) {
        long before = examined.sum();
        rotten(id).ifPresent(this::takeOut);
        return examined.sum() - before;
    }

    /** What a chunk is called that does not hash to it. */
    private Optional<String> rotten(long id) {
        return cartridge
                .read(rows -> rows.first(
                        "SELECT hash, body FROM fazt_chunk WHERE id = ?",
                        row -> isRight(row.text(0), row.bytes(1)) ? "" : row.text(0),
                        id))
                .filter(chunk -> !chunk.isEmpty());
    }

    boolean isRight(String chunk, byte[] body) {
        examined.add(body.length);
        return Blobs.sha256(body, 0, body.length).equals(chunk);
    }

    // ---- taking out of use ----

    /** Takes a chunk out of use, unless it is not here, or is what it is called. */
    void takeOut(String chunk) {
        Optional<Set<String>> missed = join(tx -> {
            byte[] body = tx.first("SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), chunk)
                    .orElse(null);
            if (body == null || Blobs.sha256(body, 0, body.length).equals(chunk)) {
                return Optional.empty();
            }
            tx.execute("INSERT OR REPLACE INTO fazt_damaged (hash, body) VALUES (?, ?)", chunk, body);
            tx.execute("DELETE FROM fazt_chunk WHERE hash = ?", chunk);
            return Optional.of(miss(tx, users(tx, chunk)));
        });
        missed.ifPresent(this::tell);
    }

    /** Blobs that are said to be whole, and are put together of what is not here, or does not fit; answers them. */
    Set<String> takeOutBroken() {
        Set<String> all = new TreeSet<>();
        for (String blob : cartridge.read(rows -> broken(rows, null))) {
            Optional<Set<String>> missed = join(tx -> {
                if (broken(tx, blob).isEmpty()) {
                    return Optional.empty();
                }
                tx.execute("INSERT OR IGNORE INTO fazt_damaged (hash, body) VALUES (?, ?)", blob, new byte[0]);
                return Optional.of(miss(tx, List.of(blob)));
            });
            missed.ifPresent(blobs -> {
                all.add(blob);
                tell(blobs);
            });
        }
        return all;
    }

    private void tell(Set<String> blobs) {
        found.increment();
        if (!blobs.isEmpty()) {
            listeners.forEach(listener -> listener.accept(blobs));
        }
    }

    /** Has blobs fetched again; answers those that were whole till now and that rows name. */
    private Set<String> miss(LocalTx tx, Collection<String> blobs) {
        Set<String> missed = new TreeSet<>();
        for (String blob : blobs) {
            if (tx.execute("UPDATE fazt_blob SET complete = 0 WHERE hash = ? AND complete = 1", blob) == 0) {
                continue;
            }
            for (Reference reference : cartridge.references(tx, blob)) {
                tx.execute(
                        "INSERT INTO fazt_wanted SELECT hash, ?, size, 1 FROM fazt_blob WHERE hash = ?"
                                + " ON CONFLICT (hash, scope) DO UPDATE SET eager = 1",
                        reference.scope().id(),
                        blob);
                missed.add(blob);
            }
        }
        return missed;
    }

    /** The right bytes of a chunk are here: what was left of it is not needed. */
    static void healed(LocalTx tx, String hash) {
        tx.execute("DELETE FROM fazt_damaged WHERE hash = ?", hash);
    }

    /** Remains that no blob is put together of. */
    static void removeUnused(LocalTx tx) {
        tx.execute(
                "DELETE FROM fazt_damaged AS d WHERE NOT EXISTS (SELECT 1 FROM fazt_blob_chunk u WHERE u.chunk = d.hash)"
                        + " AND NOT EXISTS (SELECT 1 FROM fazt_blob b WHERE b.hash = d.hash)");
    }

    private static List<String> users(Rows rows, String chunk) {
        return rows.query("SELECT DISTINCT hash FROM fazt_blob_chunk WHERE chunk = ?", row -> row.text(0), chunk);
    }

    /** Blobs that are damaged and have not come again. */
    public static List<String> known(Rows rows) {
        return rows.query("""
                SELECT hash FROM fazt_blob WHERE complete = 0 AND hash IN (SELECT hash FROM fazt_damaged UNION
                    SELECT u.hash FROM fazt_damaged d JOIN fazt_blob_chunk u ON u.chunk = d.hash)
                """, row -> row.text(0));
    }

    /** Lengths are told without reading the bytes. @param only null for all */
    private static List<String> broken(Rows rows, @Nullable String only) {
        return rows.query("""
                SELECT hash FROM (
                    SELECT b.hash AS hash, b.size AS size, u.start AS start, u.size AS part, length(c.body) AS here,
                        sum(u.size) OVER (PARTITION BY b.hash ORDER BY u.position) AS upto
                    FROM fazt_blob b LEFT JOIN fazt_blob_chunk u ON u.hash = b.hash
                        LEFT JOIN fazt_chunk c ON c.hash = u.chunk
                    WHERE b.complete = 1 AND (?1 IS NULL OR b.hash = ?1))
                GROUP BY hash
                HAVING coalesce(max(upto), 0) <> max(size) OR sum(here IS NOT part OR start <> upto - part) > 0
                """, row -> row.text(0), only);
    }

    private <T> T join(Cartridge.LocalBody<T> body) {
        try {
            return cartridge.writeLocal(body).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
