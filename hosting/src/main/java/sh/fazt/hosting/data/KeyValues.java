package sh.fazt.hosting.data;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.WriteTx;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.HostingException;

/**
 * An app's keys and values. Two tables work together:
 *
 * <ul>
 *   <li>{@code kv}, a register: a key's value as JSON text, when it expires, and the <em>generation</em> of the
 *       counter that is added to it. Of two concurrent writes one wins and the other is in the conflicts.
 *   <li>{@code kv_counter}: what was added to a key in a generation. Every node adds to a share of its own.
 * </ul>
 *
 * <p>A key reads as its register, plus its counter where the register is a whole number or there is none. So
 * increments write no register, and nodes that increment a number at the same time, even one that was set before,
 * lose nothing. Setting or deleting a key that was counted moves it to a generation that nobody has counted in; an
 * expired register counts as moved too, which every node computes alike. The first generation has no name, so that
 * nodes that never met count together. A set that is concurrent with increments wins over those its node had seen
 * and is added to by the others.
 *
 * <p>Thread-safe. Reads are on the caller's thread; writes wait until they are durable.
 */
public final class KeyValues {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "data",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "kv",
                            Policy.REGISTER,
                            List.of(new Column("name", Type.TEXT)),
                            List.of(
                                    new Column("value", Type.TEXT),
                                    new Column("expires_at", Type.INTEGER),
                                    new Column("generation", Type.TEXT))),
                    new ReplicatedTable(
                            "kv_counter",
                            Policy.COUNTER,
                            List.of(new Column("name", Type.TEXT), new Column("generation", Type.TEXT)),
                            List.of())));

    /** A key is part of an index on every node. */
    static final int MOST_KEY = 512;

    /** Larger things are files or objects: a value travels and is compared whole. */
    static final int MOST_VALUE_BYTES = 1 << 20;

    /** A list is held in memory, as JSON and as the script's objects. */
    static final int MOST_LISTED = 10_000;

    static final int MOST_LISTED_CHARS = 16 << 20;

    /** The largest whole number that JavaScript holds exactly. */
    static final long MOST_NUMBER = (1L << 53) - 1;

    /** A node that was cut off for less than this brings no write to an expired key that sweeping has overtaken. */
    static final Duration GRACE = Duration.ofDays(7);

    private static final int MOST_SWEPT = 1_000;
    private static final String FIRST = "";

    private final Cartridge cartridge;
    private final InstantSource clock;

    public KeyValues(Cartridge cartridge, InstantSource clock) {
        this.cartridge = cartridge;
        this.clock = clock;
    }

    /**
     * A key's register as it counts at a moment.
     *
     * @param stored     the generation that the row names; empty for the first
     * @param generation the one that counts: another one once the row has expired
     */
    private record Entry(@Nullable String value, @Nullable Long expiresAt, String stored, String generation) {
        static final Entry NONE = new Entry(null, null, FIRST, FIRST);

        static Entry of(Rows.ResultRow row, int first, long now) {
            String value = row.textOrNull(first);
            Long expiresAt = row.isNull(first + 1) ? null : (Long) row.integer(first + 1);
            String stored = row.isNull(first + 2) ? FIRST : row.text(first + 2);
            return expiresAt != null && expiresAt <= now
                    ? new Entry(null, null, stored, after(stored, expiresAt))
                    : new Entry(value, expiresAt, stored, stored);
        }

        /** The same on every node, and no longer however often it is done. */
        private static String after(String stored, long expiresAt) {
            return UUID.nameUUIDFromBytes((stored + "~" + expiresAt).getBytes(StandardCharsets.UTF_8))
                    .toString();
        }

        /** What the key reads as. */
        @Nullable
        String shown(@Nullable Long counted) {
            if (counted == null) {
                return value;
            }
            if (value == null) {
                return Long.toString(counted);
            }
            Long base = whole(value);
            return base == null
                    ? value
                    : BigInteger.valueOf(base).add(BigInteger.valueOf(counted)).toString();
        }

        boolean mayBeCounted() {
            return value == null || whole(value) != null;
        }
    }

    private static @Nullable Long whole(String json) {
        char first = json.isEmpty() ? 'x' : json.charAt(0);
        if (json.length() > 20 || first != '-' && (first < '0' || first > '9')) {
            return null;
        }
        try {
            return Long.parseLong(json);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** The value as JSON text; empty when there is none, or none any more. */
    public Optional<String> get(String app, String key) {
        checkKey(key);
        return cartridge.read(rows -> Optional.ofNullable(value(rows, app, key)));
    }

    private @Nullable String value(Rows rows, String app, String key) {
        Entry entry = entry(rows, app, key);
        return entry.mayBeCounted() ? entry.shown(counted(rows, app, key, entry.generation())) : entry.value();
    }

    private Entry entry(Rows rows, String app, String key) {
        long now = clock.millis();
        return rows.first(
                        "SELECT value, expires_at, generation FROM kv_live WHERE scope = ? AND name = ?",
                        row -> Entry.of(row, 0, now),
                        app,
                        key)
                .orElse(Entry.NONE);
    }

    /** What was added to a key in a generation; null when nothing ever was. */
    private static @Nullable Long counted(Rows rows, String app, String key, String generation) {
        return rows.first(
                        "SELECT value FROM kv_counter_live WHERE scope = ? AND name = ? AND generation = ?",
                        row -> row.integer(0),
                        app,
                        key,
                        generation)
                .orElse(null);
    }

    /**
     * Sets a value, whatever the key held before.
     *
     * @param json      a JSON text, kept as it is
     * @param ttlMillis after how long it is gone, or null for never
     */
    public void set(String app, String key, String json, @Nullable Long ttlMillis) {
        checkKey(key);
        checkValue(key, json);
        long now = clock.millis();
        if (ttlMillis != null && (ttlMillis <= 0 || ttlMillis > Long.MAX_VALUE - now)) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "the ttl of \"" + key + "\" is a number of milliseconds above 0, not " + ttlMillis);
        }
        write(app, tx -> {
            Map<String, @Nullable Object> columns = new LinkedHashMap<>();
            columns.put("value", json);
            columns.put("expires_at", ttlMillis == null ? null : now + ttlMillis);
            columns.put("generation", uncounted(tx, app, key));
            tx.put("kv", List.of(key), columns);
            return true;
        });
    }

    /** A generation for the key that nothing was added in, as far as this node knows; null for the first. */
    private @Nullable String uncounted(WriteTx tx, String app, String key) {
        String stored = entry(tx, app, key).stored();
        if (counted(tx, app, key, stored) != null) {
            return UUID.randomUUID().toString();
        }
        return stored.equals(FIRST) ? null : stored;
    }

    /** Deletes; answers whether there was something. */
    public boolean delete(String app, String key) {
        checkKey(key);
        return write(app, tx -> {
            if (value(tx, app, key) == null) {
                return false;
            }
            String generation = uncounted(tx, app, key);
            if (generation == null) {
                tx.delete("kv", List.of(key));
            } else {
                tx.put("kv", List.of(key), Map.of("generation", generation));
            }
            return true;
        });
    }

    /**
     * A key and its value.
     *
     * @param value     JSON text
     * @param expiresAt when it will be gone, in milliseconds since 1970; null for never
     */
    public record Pair(String key, String value, @Nullable Long expiresAt) {}

    /**
     * Every key that starts with exactly these characters, in order.
     *
     * @throws HostingException {@code TOO_LARGE} above 10,000 keys or 16 Mi characters
     */
    public List<Pair> list(String app, String prefix) {
        long now = clock.millis();
        // SQLite has every text before every blob.
        Object end = Objects.requireNonNullElse((Object) KeyRange.end(prefix), new byte[0]);
        return cartridge.read(rows -> {
            Listing listing = new Listing(prefix);
            rows.query(
                    """
                    SELECT name, value, expires_at FROM kv_live
                    WHERE scope = ? AND name >= ? AND name < ? AND value IS NOT NULL
                      AND (expires_at IS NULL OR expires_at > ?)
                    ORDER BY name LIMIT ?
                    """,
                    row -> listing.add(
                            new Pair(row.text(0), row.text(1), row.isNull(2) ? null : (Long) row.integer(2))),
                    app,
                    prefix,
                    end,
                    now,
                    MOST_LISTED + 1);
            rows.query(
                    """
                    SELECT c.name, c.generation, c.value, k.value, k.expires_at, k.generation
                    FROM kv_counter_live c
                    LEFT JOIN kv_live k ON k.scope = c.scope AND k.name = c.name
                    WHERE c.scope = ? AND c.name >= ? AND c.name < ?
                    """,
                    row -> {
                        Entry entry = Entry.of(row, 3, now);
                        String shown = row.text(1).equals(entry.generation()) ? entry.shown(row.integer(2)) : null;
                        return shown != null && listing.add(new Pair(row.text(0), shown, entry.expiresAt()));
                    },
                    app,
                    prefix,
                    end);
            return listing.pairs();
        });
    }

    /** Pairs as they are found, and their bounds. Confined to one list. */
    private static final class Listing {
        private final String prefix;
        private final Map<String, Pair> pairs = new TreeMap<>();
        private long chars;

        Listing(String prefix) {
            this.prefix = prefix;
        }

        boolean add(Pair pair) {
            Pair before = pairs.put(pair.key(), pair);
            chars += before == null ? pair.key().length() + pair.value().length() : 0;
            if (pairs.size() > MOST_LISTED || chars > MOST_LISTED_CHARS) {
                throw new HostingException(
                        HostingException.Reason.TOO_LARGE,
                        "a list has at most " + MOST_LISTED + " keys and " + MOST_LISTED_CHARS
                                + " characters, and there are more that start with \"" + prefix
                                + "\": list a longer prefix");
            }
            return true;
        }

        List<Pair> pairs() {
            return new ArrayList<>(pairs.values());
        }
    }

    /**
     * Adds to a number; answers its sum as this node knows it. A key without a value counts from 0; one that expires
     * goes on expiring.
     *
     * @throws HostingException {@code INVALID} when the key holds something else than a whole number, or the sum
     *     would be one that JavaScript does not hold exactly
     */
    public long increment(String app, String key, long by) {
        checkKey(key);
        return write(app, tx -> {
            Entry entry = entry(tx, app, key);
            Long base = entry.value() == null ? (Long) 0L : whole(entry.value());
            if (base == null) {
                throw new HostingException(
                        HostingException.Reason.INVALID,
                        "\"" + key
                                + "\" does not hold a whole number, so it can't be incremented; set it to one first");
            }
            if (exact(by) && exact(base)) {
                long sum = base + tx.increment("kv_counter", List.of(key, entry.generation()), by);
                if (exact(sum)) {
                    return sum;
                }
            }
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "adding " + by + " to \"" + key + "\" leaves the whole numbers that JavaScript holds exactly"
                            + " (up to 2^53 - 1)");
        });
    }

    private static boolean exact(long number) {
        return number >= -MOST_NUMBER && number <= MOST_NUMBER;
    }

    /**
     * Removes rows that expired long ago, a bounded number at a time; answers how many. Any node may do it, at any
     * pace: what a key reads as does not change.
     */
    public int sweep() {
        record Expired(String app, String key) {}
        List<Expired> expired = cartridge.read(rows -> rows.query(
                "SELECT scope, name FROM kv_live WHERE expires_at <= ? LIMIT ?",
                row -> new Expired(row.text(0), row.text(1)),
                clock.millis() - GRACE.toMillis(),
                MOST_SWEPT));
        Map<String, List<String>> byApp = new LinkedHashMap<>();
        expired.forEach(one ->
                byApp.computeIfAbsent(one.app(), app -> new ArrayList<>()).add(one.key()));
        byApp.forEach((app, keys) -> write(app, tx -> {
            keys.forEach(key -> sweep(tx, app, key));
            return true;
        }));
        return expired.size();
    }

    private void sweep(WriteTx tx, String app, String key) {
        Entry entry = entry(tx, app, key);
        if (entry.value() != null || entry.generation().equals(entry.stored())) {
            return; // It was set since.
        }
        boolean everCounted = tx.first(
                        "SELECT 1 FROM kv_counter_live WHERE scope = ? AND name = ? LIMIT 1", row -> true, app, key)
                .isPresent();
        if (everCounted) {
            // Without a row the first generation would count again.
            tx.put("kv", List.of(key), Map.of("generation", entry.generation()));
        } else {
            tx.delete("kv", List.of(key));
        }
    }

    private static void checkKey(String key) {
        if (key.isEmpty() || key.length() > MOST_KEY) {
            throw new HostingException(
                    HostingException.Reason.INVALID, "a key has 1 to " + MOST_KEY + " characters, not " + key.length());
        }
        if (key.indexOf('\0') >= 0 || !StandardCharsets.UTF_8.newEncoder().canEncode(key)) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "a key is proper Unicode text without NUL: \"" + key + "\" is not");
        }
    }

    private static void checkValue(String key, String json) {
        // A UTF-16 unit is at most 3 bytes of UTF-8: most values are not measured.
        if (json.length() > MOST_VALUE_BYTES / 3) {
            int bytes = json.getBytes(StandardCharsets.UTF_8).length;
            if (bytes > MOST_VALUE_BYTES) {
                throw new HostingException(
                        HostingException.Reason.TOO_LARGE,
                        "the value of \"" + key + "\" has " + bytes + " bytes as JSON; the limit is " + MOST_VALUE_BYTES
                                + " (1 MiB)");
            }
        }
    }

    private <T> T write(String app, Cartridge.WriteBody<T> body) {
        try {
            return cartridge.write(new Scope(app), body).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
