package sh.fazt.blob;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.Scope;

/**
 * Blobs by the SHA-256 of their content. One of more than 1 MiB is cut into chunks, each stored once however
 * many blobs share it; a smaller one is its own only chunk. Thread-safe; every call blocks.
 */
public final class Blobs {
    /** Up to here a blob is one chunk. */
    static final int WHOLE = 1 << 20;
    /** Bytes of an upload that are read ahead, and of its chunks that wait for the writer. */
    private static final int WINDOW = 2 * Chunker.MOST;

    private static final int UNDER_WAY = 4 * Chunker.MOST;

    private final Cartridge cartridge;
    private final Damage damage;
    private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();

    public Blobs(Cartridge cartridge) {
        this.cartridge = cartridge;
        this.damage = new Damage(cartridge);
    }

    /** Part of a blob: the chunk's hash, where it starts in the blob, and its size in bytes. */
    public record Chunk(String hash, long start, int size) {}

    /** How a blob is put together. */
    public record Manifest(String hash, long size, List<Chunk> chunks) {
        public Manifest {
            chunks = List.copyOf(chunks);
        }
    }

    /** What came was not what was announced. */
    public static final class Mismatch extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Mismatch(String message) {
            super(message);
        }
    }

    /** Stores a whole blob and answers its hash. */
    public String put(byte[] content) {
        String hash = sha256(content, 0, content.length);
        try (InputStream in = new java.io.ByteArrayInputStream(content)) {
            put(hash, content.length, in);
        } catch (IOException e) {
            throw new IllegalStateException("memory can be read", e);
        }
        return hash;
    }

    /** What is stored and is not what it is called any more. */
    public Damage damage() {
        return damage;
    }

    /**
     * Stores a blob that is announced by hash and size. Nothing of it is left when it is something else. What is here
     * already is hashed instead: it may be sent because what is here is damaged.
     *
     * @throws Mismatch when size or hash are not as announced
     * @throws IOException when the stream fails
     */
    public void put(String hash, long size, InputStream content) throws IOException {
        if (isRight(hash)) {
            keep(List.of(hash));
            return;
        }
        if (size <= WHOLE) {
            putSmall(hash, (int) size, content);
        } else {
            putLarge(hash, size, content);
        }
        announce(hash);
    }

    private void putSmall(String hash, int size, InputStream content) throws IOException {
        byte[] body = content.readNBytes(size);
        if (body.length == size && content.read() >= 0) {
            throw mismatch(hash, size, "it is longer");
        }
        String found = sha256(body, 0, body.length);
        if (!found.equals(hash)) {
            throw mismatch(hash, size, "it has " + body.length + " bytes and hashes to " + found);
        }
        join(tx -> {
            store(tx, hash, body);
            manifest(tx, new Manifest(hash, size, List.of(new Chunk(hash, 0, size))));
            return complete(tx, hash);
        });
    }

    private void putLarge(String hash, long size, InputStream content) throws IOException {
        MessageDigest whole = digest();
        List<Chunk> chunks = new ArrayList<>();
        Storing storing = new Storing();
        byte[] window = new byte[WINDOW];
        int from = 0;
        int filled = 0;
        long start = 0;
        boolean end = false;
        while (!end || from < filled) {
            if (!end && filled - from < Chunker.MOST) {
                System.arraycopy(window, from, window, 0, filled - from);
                filled -= from;
                from = 0;
                int read = content.readNBytes(window, filled, window.length - filled);
                whole.update(window, filled, read);
                filled += read;
                end = filled < window.length;
                if (start + filled > size) {
                    throw mismatch(hash, size, "it is longer");
                }
            }
            int length = Chunker.cut(window, from, filled);
            if (length > 0) {
                byte[] body = Arrays.copyOfRange(window, from, from + length);
                String chunk = sha256(body, 0, length);
                chunks.add(new Chunk(chunk, start, length));
                storing.add(chunk, body);
                from += length;
                start += length;
            }
        }
        storing.end();
        String found = HexFormat.of().formatHex(whole.digest());
        if (start != size || !found.equals(hash)) {
            // Chunks that no blob uses are removed with the others.
            throw mismatch(hash, size, "it has " + start + " bytes and hashes to " + found);
        }
        join(tx -> {
            for (Chunk chunk : chunks) {
                if (tx.first("SELECT 1 FROM fazt_chunk WHERE hash = ?", row -> true, chunk.hash())
                        .isEmpty()) {
                    throw new IllegalStateException(
                            "the upload of " + hash + " took so long that its first parts are gone: send it again");
                }
            }
            manifest(tx, new Manifest(hash, size, chunks));
            return complete(tx, hash);
        });
    }

    /**
     * Chunks of one upload on their way to the file: while the writer commits some, with one sync of the disk, the next
     * are read and hashed.
     */
    private final class Storing {
        private final Deque<CompletableFuture<Integer>> waiting = new ArrayDeque<>();
        private int bytes;

        /** Waits while too much is under way; fails when something before could not be stored. */
        void add(String hash, byte[] body) {
            bytes += body.length;
            waiting.add(cartridge
                    .writeLocal(tx -> {
                        store(tx, hash, body);
                        return body.length;
                    })
                    .toCompletableFuture());
            while (bytes > UNDER_WAY) {
                bytes -= outcome(waiting.remove());
            }
        }

        void end() {
            waiting.forEach(Blobs::outcome);
        }
    }

    /** Has what is here of the given blobs stay for a while though no row refers to it yet; see {@link Unused}. */
    public void keep(Collection<String> hashes) {
        List<String> marked = cartridge.read(rows -> hashes.stream()
                .distinct()
                .filter(hash -> rows.first("SELECT 1 FROM fazt_unused WHERE hash = ?", row -> true, hash)
                        .isPresent())
                .toList());
        if (!marked.isEmpty()) {
            join(tx -> {
                marked.forEach(hash -> tx.execute("DELETE FROM fazt_unused WHERE hash = ?", hash));
                return true;
            });
        }
    }

    private static Mismatch mismatch(String hash, long size, String seen) {
        return new Mismatch("a blob of " + size + " bytes with SHA-256 " + hash + " was announced, but " + seen
                + ": send what was announced");
    }

    /** Whether the blob is here, whole. */
    public boolean contains(String hash) {
        return cartridge.read(
                rows -> rows.first("SELECT 1 FROM fazt_blob WHERE hash = ? AND complete = 1", row -> true, hash)
                        .isPresent());
    }

    /** Those of the given blobs that are not here, whole, in the given order. */
    public List<String> missing(Iterable<String> hashes) {
        return cartridge.read(rows -> {
            List<String> missing = new ArrayList<>();
            for (String hash : hashes) {
                if (rows.first("SELECT 1 FROM fazt_blob WHERE hash = ? AND complete = 1", row -> true, hash)
                        .isEmpty()) {
                    missing.add(hash);
                }
            }
            return missing;
        });
    }

    /** A whole blob that fits in memory; empty when it is not here, or damaged, which is known from then on. */
    public Optional<byte[]> read(String hash) {
        return whole(hash).flatMap(this::read);
    }

    /** A whole blob that is here and fits in memory; empty when it is damaged, which is known from then on. */
    public Optional<byte[]> read(Manifest manifest) {
        Optional<byte[]> body =
                bytes(manifest, 0, manifest.size()).filter(bytes -> damage.isRight(manifest.hash(), bytes));
        if (body.isEmpty()) {
            takeOutDamaged(manifest);
        }
        return body;
    }

    /** Whether the blob is here, whole, and what it is called; what is damaged of it is known from then on. */
    private boolean isRight(String hash) {
        Manifest manifest = whole(hash).orElse(null);
        if (manifest == null) {
            return false;
        }
        boolean right = fits(manifest, false);
        if (!right) {
            takeOutDamaged(manifest);
        }
        return right;
    }

    private void takeOutDamaged(Manifest manifest) {
        manifest.chunks().forEach(chunk -> damage.takeOut(chunk.hash()));
    }

    /** Some bytes of a blob, as they lie; the caller bounds how many. Fails with {@code IllegalState} when they are not here. */
    public byte[] read(Manifest manifest, long from, long length) {
        return bytes(manifest, from, length).orElseThrow(() -> {
            takeOutDamaged(manifest);
            return new IllegalStateException("a chunk of blob " + manifest.hash() + " can't be read");
        });
    }

    /** Empty when they can't be read. */
    private Optional<byte[]> bytes(Manifest manifest, long from, long length) {
        byte[] out = new byte[Math.toIntExact(length)];
        try {
            copy(manifest, from, length, out);
        } catch (CartridgeException e) {
            Damage.expectUnreadable(e);
            return Optional.empty();
        }
        return Optional.of(out);
    }

    private void copy(Manifest manifest, long from, long length, byte[] out) {
        cartridge.read(rows -> {
            for (Chunk chunk : manifest.chunks()) {
                long begin = Math.max(from, chunk.start());
                long end = Math.min(from + length, chunk.start() + chunk.size());
                if (begin < end) {
                    byte[] body = rows.first(
                                    "SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), chunk.hash())
                            .orElseThrow(() -> new IllegalStateException(
                                    "chunk " + chunk.hash() + " of blob " + manifest.hash() + " is not here"));
                    System.arraycopy(
                            body, (int) (begin - chunk.start()), out, (int) (begin - from), (int) (end - begin));
                }
            }
            return true;
        });
    }

    /** How the blob is put together, as far as this node knows it; it may not be whole here. */
    public Optional<Manifest> manifest(String hash) {
        return cartridge.read(rows -> rows.first(
                "SELECT size FROM fazt_blob WHERE hash = ?",
                row -> new Manifest(
                        hash,
                        row.integer(0),
                        rows.query(
                                "SELECT chunk, start, size FROM fazt_blob_chunk WHERE hash = ? ORDER BY position",
                                chunk -> new Chunk(chunk.text(0), chunk.integer(1), (int) chunk.integer(2)),
                                hash)),
                hash));
    }

    /** One chunk's bytes; empty when it is not here, or can't be read, which is known from then on. */
    public Optional<byte[]> chunk(String hash) {
        try {
            return cartridge.read(
                    rows -> rows.first("SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), hash));
        } catch (CartridgeException e) {
            Damage.expectUnreadable(e);
            damage.takeOut(hash);
            return Optional.empty();
        }
    }

    /** The same, hashed again; empty too when it is damaged, which is known from then on. */
    public Optional<byte[]> right(String hash) {
        return chunk(hash).filter(body -> {
            boolean right = damage.isRight(hash, body);
            if (!right) {
                damage.takeOut(hash);
            }
            return right;
        });
    }

    /** How the blob is put together, when all of it is here. */
    public Optional<Manifest> whole(String hash) {
        return manifest(hash).filter(manifest -> contains(hash));
    }

    /**
     * A blob that rows here refer to and that is not here.
     *
     * @param size  in bytes, as the rows say; -1 when they don't
     * @param eager whether it is fetched at once, also where others wait until somebody asks for them
     */
    public record Wanted(String hash, long size, boolean eager) {}

    /**
     * What is fetched without being asked for.
     *
     * @param unless  not what only rows of these scopes refer to
     * @param largest nor what is larger, in bytes; eager blobs are fetched all the same
     */
    public record Unasked(Set<Scope> unless, long largest) {
        /** Everything. */
        public static final Unasked ALL = new Unasked(Set.of(), Long.MAX_VALUE);

        public Unasked {
            unless = Set.copyOf(unless);
        }

        private String sql() {
            return "max(eager = 1 OR size <= ? AND scope NOT IN ("
                    + String.join(", ", Collections.nCopies(unless.size(), "?")) + "))";
        }

        private Object[] arguments(Object... more) {
            List<Object> arguments = new ArrayList<>(List.of(largest));
            unless.forEach(scope -> arguments.add(scope.id()));
            arguments.addAll(List.of(more));
            return arguments.toArray();
        }
    }

    /** Blobs that are not here, are wanted and fetched without being asked for; at most so many, small ones first. */
    public List<Wanted> wanted(Unasked unasked, long small, int most) {
        return cartridge.read(rows -> rows.query(
                "SELECT hash, max(size), max(eager) FROM fazt_wanted GROUP BY hash HAVING " + unasked.sql()
                        + " ORDER BY max(size) > ?, hash LIMIT ?",
                Blobs::wanted,
                unasked.arguments(small, (long) most)));
    }

    /** Wanted blobs of a scope, or of all, that come after a hash in the order of hashes; at most so many. */
    public List<Wanted> wanted(@Nullable Scope scope, String after, int most) {
        return cartridge.read(rows -> scope == null
                ? rows.query(
                        "SELECT hash, max(size), max(eager) FROM fazt_wanted WHERE hash > ? GROUP BY hash ORDER BY hash"
                                + " LIMIT ?",
                        Blobs::wanted,
                        after,
                        (long) most)
                : rows.query(
                        "SELECT hash, size, eager FROM fazt_wanted WHERE scope = ? AND hash > ? ORDER BY hash LIMIT ?",
                        Blobs::wanted,
                        scope.id(),
                        after,
                        (long) most));
    }

    /** How much is wanted of a scope, or of all. */
    public Amount lackingOf(@Nullable Scope scope) {
        String one = scope == null ? "" : scope.id();
        return cartridge.read(rows -> rows.first(
                        "SELECT count(*), coalesce(sum(max(bytes, 0)), 0) FROM (SELECT max(size) AS bytes FROM fazt_wanted"
                                + " WHERE ? = '' OR scope = ? GROUP BY hash)",
                        row -> new Amount(row.integer(0), row.integer(1)),
                        one,
                        one)
                .orElseThrow());
    }

    private static Wanted wanted(Rows.ResultRow row) {
        return new Wanted(row.text(0), row.integer(1), row.integer(2) != 0);
    }

    /** How many blobs, and how many bytes as far as rows tell their sizes. */
    public record Amount(long blobs, long bytes) {}

    /** The wanted blobs that are not fetched without being asked for. */
    public Amount held(Unasked unasked) {
        return cartridge.read(rows -> rows.first(
                        "SELECT count(*), coalesce(sum(max(bytes, 0)), 0) FROM (SELECT max(size) AS bytes FROM fazt_wanted"
                                + " GROUP BY hash HAVING NOT " + unasked.sql() + ")",
                        row -> new Amount(row.integer(0), row.integer(1)),
                        unasked.arguments())
                .orElseThrow());
    }

    /** Whether rows of a scope refer to blobs that are not here, or are damaged. */
    public boolean lacksAny(Scope scope) {
        return cartridge.read(rows -> cartridge.blobColumns().entrySet().stream()
                .anyMatch(table -> table.getValue().stream()
                        .anyMatch(column -> rows.first(
                                        "SELECT 1 FROM " + table.getKey() + " WHERE scope = ? AND " + column
                                                + " IN (SELECT hash FROM fazt_wanted UNION SELECT u.hash FROM"
                                                + " fazt_damaged d JOIN fazt_blob_chunk u ON u.chunk = d.hash)",
                                        row -> true,
                                        scope.id())
                                .isPresent())));
    }

    /**
     * Takes a manifest that a peer sent and answers the chunks that are still lacking. What it says is only
     * believed when the blob is whole and hashes to its name.
     *
     * @throws Mismatch when it does not add up
     */
    public List<Chunk> accept(Manifest manifest) {
        long at = 0;
        for (Chunk chunk : manifest.chunks()) {
            if (chunk.start() != at || chunk.size() < 0 || chunk.size() > Chunker.MOST) {
                throw new Mismatch("the manifest of blob " + manifest.hash() + " does not add up at byte " + at);
            }
            at += chunk.size();
        }
        if (at != manifest.size()) {
            throw new Mismatch(
                    "the manifest of blob " + manifest.hash() + " has " + at + " bytes, not " + manifest.size());
        }
        if (!contains(manifest.hash())) {
            join(tx -> {
                manifest(tx, manifest);
                return true;
            });
        }
        return lacking(manifest);
    }

    /** The chunks of a blob that are not here, or that are damaged. */
    public List<Chunk> lacking(Manifest manifest) {
        return cartridge.read(rows -> manifest.chunks().stream()
                .filter(chunk -> rows.first(
                                "SELECT 1 FROM fazt_chunk WHERE hash = ?1"
                                        + " AND NOT EXISTS (SELECT 1 FROM fazt_damaged WHERE hash = ?1)",
                                row -> true,
                                chunk.hash())
                        .isEmpty())
                .toList());
    }

    /**
     * Stores a chunk that a peer sent.
     *
     * @throws Mismatch when it does not hash to its name
     */
    public void putChunk(String hash, byte[] body) {
        if (!sha256(body, 0, body.length).equals(hash)) {
            throw new Mismatch("a chunk of " + body.length + " bytes does not hash to " + hash);
        }
        join(tx -> store(tx, hash, body));
    }

    /**
     * Puts a blob together when all its chunks are here; answers whether it is whole. A manifest that lied is
     * forgotten, but where a chunk was here before and is damaged it did not lie: then that chunk is lacking.
     */
    public boolean assemble(String hash) {
        if (contains(hash)) {
            return true;
        }
        Manifest manifest = manifest(hash).orElse(null);
        if (manifest == null || !lacking(manifest).isEmpty()) {
            return false;
        }
        if (!fits(manifest, true)) {
            takeOutDamaged(manifest);
            if (!lacking(manifest).isEmpty()) {
                return false;
            }
            join(tx -> {
                tx.execute("DELETE FROM fazt_blob WHERE hash = ? AND complete = 0", hash);
                tx.execute("DELETE FROM fazt_blob_chunk WHERE hash = ?", hash);
                return true;
            });
            return false;
        }
        boolean complete = join(tx -> complete(tx, hash));
        if (complete) {
            announce(hash);
        }
        return complete;
    }

    /**
     * Whether its chunks, which are here, are as long as it says and make up the blob.
     *
     * @param stored whether they were stored a moment ago
     */
    private boolean fits(Manifest manifest, boolean stored) {
        if (stored
                && manifest.chunks().size() == 1
                && manifest.chunks().get(0).hash().equals(manifest.hash())) {
            // Its hash was seen to be right before it was stored; its length is what the manifest could lie about.
            return cartridge
                    .read(rows -> rows.first(
                            "SELECT length(body) FROM fazt_chunk WHERE hash = ?",
                            row -> row.integer(0),
                            manifest.hash()))
                    .equals(Optional.of(manifest.size()));
        }
        MessageDigest whole = digest();
        for (Chunk chunk : manifest.chunks()) {
            byte[] body = chunk(chunk.hash()).orElse(new byte[0]);
            // Ranges are read by the manifest's sizes.
            if (body.length != chunk.size()) {
                return false;
            }
            whole.update(body);
        }
        return HexFormat.of().formatHex(whole.digest()).equals(manifest.hash());
    }

    /** Told of every blob that becomes whole, on the thread that made it so. */
    public void listen(Consumer<String> listener) {
        listeners.add(listener);
    }

    private void announce(String hash) {
        listeners.forEach(listener -> listener.accept(hash));
    }

    private static boolean store(LocalTx tx, String hash, byte[] body) {
        if (Damage.isStuck(tx, hash)) {
            throw new CartridgeException(
                    CartridgeException.Reason.DAMAGED,
                    "chunk " + hash + " lies on a page of the cartridge that can be neither read nor changed: restore a"
                            + " backup");
        }
        tx.execute("DELETE FROM fazt_unused WHERE hash = ?", hash);
        Damage.healed(tx, hash);
        // What is here under its name may be damaged.
        return tx.execute(
                        "INSERT INTO fazt_chunk (hash, body) VALUES (?, ?)"
                                + " ON CONFLICT (hash) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
                        hash,
                        body)
                > 0;
    }

    private static void manifest(LocalTx tx, Manifest manifest) {
        tx.execute("INSERT OR IGNORE INTO fazt_blob VALUES (?, ?, 0)", manifest.hash(), manifest.size());
        tx.execute("DELETE FROM fazt_blob_chunk WHERE hash = ?", manifest.hash());
        int position = 0;
        for (Chunk chunk : manifest.chunks()) {
            tx.execute(
                    "INSERT INTO fazt_blob_chunk VALUES (?, ?, ?, ?, ?)",
                    manifest.hash(),
                    position++,
                    chunk.hash(),
                    chunk.start(),
                    chunk.size());
        }
        tx.execute("UPDATE fazt_blob SET size = ? WHERE hash = ? AND complete = 0", manifest.size(), manifest.hash());
    }

    /** Answers false where it was removed meanwhile, as nobody needed it: then whoever needs it by now fetches it. */
    private static boolean complete(LocalTx tx, String hash) {
        boolean here = tx.execute("UPDATE fazt_blob SET complete = 1 WHERE hash = ?", hash) > 0;
        if (here) {
            tx.execute("DELETE FROM fazt_wanted WHERE hash = ?", hash);
            Damage.healed(tx, hash);
        }
        return here;
    }

    private <T> T join(Cartridge.LocalBody<T> body) {
        return outcome(cartridge.writeLocal(body).toCompletableFuture());
    }

    private static <T> T outcome(CompletableFuture<T> write) {
        try {
            return write.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** The SHA-256 of some bytes in lower-case hex. */
    public static String sha256(byte[] bytes, int from, int length) {
        MessageDigest digest = digest();
        digest.update(bytes, from, length);
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
