package sh.fazt.blob;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.Cartridge.Reference;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.Scope;

/**
 * Finds stored bytes that are not what they are called any more, as a disk leaves them that loses bits. Such a chunk is
 * taken out of use: the blobs that need it are wanted again, be they held back or not, and come from whoever has them.
 * What is left of it is kept aside until the right bytes are here, since it may be all that is left anywhere. A chunk
 * that can't be read is damaged as well; where its page can't even be changed it is stuck: nothing can come in its place,
 * and what needs it is named until the file is another. Thread-safe; every call blocks.
 */
public final class Damage {
    /** Without a page of the table itself. */
    private static final String BY_INDEX = "INDEXED BY sqlite_autoindex_fazt_chunk_1";

    private static final String STUCK = " FROM fazt_damaged d CROSS JOIN fazt_chunk c " + BY_INDEX
            + " ON c.hash = d.hash JOIN fazt_blob_chunk u ON u.chunk = d.hash"
            + " JOIN fazt_blob b ON b.hash = u.hash AND b.complete = 1";

    private final Cartridge cartridge;
    private final List<Consumer<Set<String>>> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<Set<String>>> whenStuck = new CopyOnWriteArrayList<>();
    private final LongAdder found = new LongAdder();
    private final LongAdder examined = new LongAdder();

    Damage(Cartridge cartridge) {
        this.cartridge = cartridge;
    }

    /** Told of blobs that rows name and that were found damaged, on the thread that found them. */
    public void listen(Consumer<Set<String>> listener) {
        listeners.add(listener);
    }

    /** Told once of blobs that rows name and that are stuck, on the thread that found them. */
    public void whenStuck(Consumer<Set<String>> listener) {
        whenStuck.add(listener);
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
        return cartridge.read(rows -> known(rows).size() + stuck(rows).size());
    }

    /** Blobs that can't be read here, and that can't be replaced. */
    public Set<String> stuck() {
        return Set.copyOf(cartridge.read(Damage::stuck));
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
        Set<String> damaged = new TreeSet<>(takeOut ? takeOutBroken() : broken());
        for (String chunk : stored(only)) {
            if (isRotten(chunk)) {
                damaged.addAll(cartridge.read(rows -> users(rows, chunk)));
                if (takeOut) {
                    takeOut(chunk);
                }
            }
        }
        damaged.addAll(cartridge.read(Damage::known));
        damaged.addAll(cartridge.read(Damage::stuck));
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

    /** By the index alone: it names also what lies on pages that can't be read. In the order of the file. */
    private List<String> stored(@Nullable Scope only) {
        if (only == null) {
            return cartridge.read(
                    rows -> rows.query("SELECT hash FROM fazt_chunk " + BY_INDEX + " ORDER BY id", row -> row.text(0)));
        }
        List<String> hashes = new ArrayList<>();
        cartridge
                .blobColumns()
                .forEach((table, columns) -> columns.forEach(column -> hashes.add(
                        "SELECT " + column + " FROM " + table + " WHERE scope = ? AND " + column + " IS NOT NULL")));
        return hashes.isEmpty()
                ? List.of()
                : cartridge.read(rows -> rows.query(
                        "SELECT hash FROM fazt_chunk " + BY_INDEX
                                + " WHERE hash IN (SELECT chunk FROM fazt_blob_chunk WHERE hash IN ("
                                + String.join(" UNION ", hashes) + ")) ORDER BY id",
                        row -> row.text(0),
                        hashes.stream().map(hash -> only.id()).toArray()));
    }

    // ---- step by step ----

    /** A stored chunk. @param id grows in the order in which they came */
    record Stored(long id, String hash) {}

    /** The chunk after another, in the order in which they came; empty after the last. */
    Optional<Stored> next(long id) {
        return first("WHERE id > ? ORDER BY id LIMIT 1", id);
    }

    /** The last chunk; 0 where there is none. */
    long last() {
        return first("ORDER BY id DESC LIMIT 1").map(Stored::id).orElse(0L);
    }

    private Optional<Stored> first(String which, Object... arguments) {
        try {
            return look("", which, arguments);
        } catch (CartridgeException e) {
            expectUnreadable(e);
            // The index has all of them, but in another order: it is read whole.
            return look(BY_INDEX, which, arguments);
        }
    }

    private Optional<Stored> look(String how, String which, Object... arguments) {
        return cartridge.read(rows -> rows.first(
                "SELECT id, hash FROM fazt_chunk " + how + " " + which,
                row -> new Stored(row.integer(0), row.text(1)),
                arguments));
    }

    /** Up to which chunk the present pass over all of them is. */
    long position() {
        return cartridge
                .read(rows -> rows.first("SELECT chunk FROM fazt_scrub", row -> row.integer(0)))
                .orElse(0L);
    }

    void position(long chunk) {
        join(cartridge.writeLocal(tx -> tx.execute("UPDATE fazt_scrub SET chunk = ?", chunk)));
    }

    /** Hashes a chunk again and takes it out of use when it is damaged; answers how many bytes it has. */
    long examine(String chunk) {
        long before = examined.sum();
        if (isRotten(chunk)) {
            takeOut(chunk);
        }
        return examined.sum() - before;
    }

    /** Whether a chunk is here and does not hash to what it is called, or can't be read. */
    private boolean isRotten(String chunk) {
        try {
            return cartridge
                    .read(rows -> rows.first(
                            "SELECT body FROM fazt_chunk WHERE hash = ?", row -> !isRight(chunk, row.bytes(0)), chunk))
                    .orElse(false);
        } catch (CartridgeException e) {
            expectUnreadable(e);
            return true;
        }
    }

    /** Throws again what is no page that can't be read. */
    static void expectUnreadable(CartridgeException e) {
        if (e.reason() != CartridgeException.Reason.DAMAGED) {
            throw e;
        }
    }

    boolean isRight(String chunk, byte[] body) {
        examined.add(body.length);
        return Blobs.sha256(body, 0, body.length).equals(chunk);
    }

    // ---- taking out of use ----

    /** Takes a chunk out of use, unless it is not here, or is what it is called. */
    void takeOut(String chunk) {
        if (!isReadable(chunk)) {
            takeOutUnreadable(chunk);
            return;
        }
        Optional<Set<String>> missed = join(cartridge.writeLocal(tx -> {
            byte[] body = tx.first("SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), chunk)
                    .orElse(null);
            if (body == null || Blobs.sha256(body, 0, body.length).equals(chunk)) {
                return Optional.empty();
            }
            return Optional.of(setAside(tx, chunk, body));
        }));
        missed.ifPresent(this::tell);
    }

    private boolean isReadable(String chunk) {
        try {
            return cartridge.read(rows -> {
                rows.first("SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), chunk);
                return true;
            });
        } catch (CartridgeException e) {
            expectUnreadable(e);
            return false;
        }
    }

    /**
     * Takes a chunk out of use of which nothing can be read. One at a time: the writer must not read it, as SQLite
     * refuses every write of a transaction that has met a damaged page, so whoever comes later has to see here what the
     * first has come to.
     */
    private synchronized void takeOutUnreadable(String chunk) {
        if (isReadable(chunk) || cartridge.read(rows -> isStuck(rows, chunk))) {
            return;
        }
        Set<String> missed;
        try {
            missed = join(cartridge.writeLocalAlone(tx -> setAside(tx, chunk, new byte[0])));
        } catch (CartridgeException e) {
            expectUnreadable(e);
            stick(chunk);
            return;
        }
        tell(missed);
    }

    /** Answers the blobs that were whole till now. @param body what is left of the chunk */
    private Set<String> setAside(LocalTx tx, String chunk, byte[] body) {
        tx.execute("INSERT OR REPLACE INTO fazt_damaged (hash, body) VALUES (?, ?)", chunk, body);
        tx.execute("DELETE FROM fazt_chunk WHERE hash = ?", chunk);
        return miss(tx, users(tx, chunk));
    }

    /** A chunk can't be read, and its page can't be changed: what needs it is named, and stays as it is. */
    private void stick(String chunk) {
        Optional<Set<String>> news = join(cartridge.writeLocal(tx -> {
            int marked =
                    tx.execute("INSERT OR IGNORE INTO fazt_damaged (hash, body) VALUES (?, ?)", chunk, new byte[0]);
            if (marked == 0) {
                return Optional.empty();
            }
            Set<String> named = new TreeSet<>(users(tx, chunk));
            named.removeIf(blob -> cartridge.references(tx, blob).isEmpty());
            return Optional.of(named);
        }));
        news.ifPresent(blobs -> {
            found.increment();
            if (!blobs.isEmpty()) {
                whenStuck.forEach(listener -> listener.accept(blobs));
            }
        });
    }

    /** Blobs that are said to be whole, and are put together of what is not here, or does not fit; answers them. */
    Set<String> takeOutBroken() {
        Set<String> all = new TreeSet<>();
        for (String blob : broken()) {
            Optional<Set<String>> missed = join(cartridge.writeLocal(tx -> {
                if (broken(tx, blob).isEmpty()) {
                    return Optional.empty();
                }
                tx.execute("INSERT OR IGNORE INTO fazt_damaged (hash, body) VALUES (?, ?)", blob, new byte[0]);
                return Optional.of(miss(tx, List.of(blob)));
            }));
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

    /** Whole blobs that need a chunk that is marked as damaged and is still in its place. */
    private static List<String> stuck(Rows rows) {
        return rows.query("SELECT DISTINCT u.hash" + STUCK, row -> row.text(0));
    }

    /** Whether nothing can be read of a chunk, nor stored in its place. */
    static boolean isStuck(Rows rows, String chunk) {
        return rows.first("SELECT 1" + STUCK + " WHERE d.hash = ?", row -> true, chunk)
                .isPresent();
    }

    private List<String> broken() {
        try {
            return cartridge.read(rows -> broken(rows, null));
        } catch (CartridgeException e) {
            expectUnreadable(e);
            // One by one: the bytes of those that can't be looked at are found by themselves.
            return cartridge
                    .read(rows -> rows.query("SELECT hash FROM fazt_blob WHERE complete = 1", row -> row.text(0)))
                    .stream()
                    .filter(blob -> {
                        try {
                            return !cartridge.read(rows -> broken(rows, blob)).isEmpty();
                        } catch (CartridgeException unreadable) {
                            expectUnreadable(unreadable);
                            return false;
                        }
                    })
                    .toList();
        }
    }

    /** Lengths are told without reading the bytes. @param only null for all */
    private static List<String> broken(Rows rows, @Nullable String only) {
        return rows.query(
                """
                SELECT hash FROM (
                    SELECT b.hash AS hash, b.size AS size, u.start AS start, u.size AS part, length(c.body) AS here,
                        sum(u.size) OVER (PARTITION BY b.hash ORDER BY u.position) AS upto
                    FROM fazt_blob b LEFT JOIN fazt_blob_chunk u ON u.hash = b.hash
                        LEFT JOIN fazt_chunk c ON c.hash = u.chunk
                    WHERE b.complete = 1 AND %s)
                GROUP BY hash
                HAVING coalesce(max(upto), 0) <> max(size) OR sum(here IS NOT part OR start <> upto - part) > 0
                """.replace("%s", only == null ? "TRUE" : "b.hash = ?"),
                row -> row.text(0),
                only == null ? new Object[0] : new Object[] {only});
    }

    private static <T> T join(CompletionStage<T> write) {
        try {
            return write.toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
