package sh.fazt.hosting.data;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * An app's keys and values. A value is JSON text, kept as a register: of two concurrent writes one wins and
 * the other is in the conflicts. A key that is incremented is a counter: every node adds to a share of its own,
 * so no increment is lost. Setting or deleting a counter starts it again under a new generation, which the
 * register row names; the first generation has no name, so that two nodes that never met count together.
 * Thread-safe.
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

    private static final int MOST_KEY = 512;
    private static final int MOST_VALUE = 1 << 20;
    private static final String FIRST = "";

    private final Cartridge cartridge;
    private final InstantSource clock;

    public KeyValues(Cartridge cartridge, InstantSource clock) {
        this.cartridge = cartridge;
        this.clock = clock;
    }

    private record Entry(@Nullable String value, String generation) {}

    /** The value as JSON text; empty when there is none, or none any more. */
    public Optional<String> get(String app, String key) {
        checkKey(key);
        return cartridge.read(rows -> Optional.ofNullable(value(rows, app, key)));
    }

    private @Nullable String value(Rows rows, String app, String key) {
        Entry entry = entry(rows, app, key);
        return entry.value() != null ? entry.value() : sum(rows, app, key, entry.generation());
    }

    private Entry entry(Rows rows, String app, String key) {
        long now = clock.millis();
        return rows.first(
                        "SELECT value, expires_at, generation FROM kv_live WHERE scope = ? AND name = ?",
                        row -> new Entry(
                                row.isNull(1) || row.integer(1) > now ? row.textOrNull(0) : null,
                                row.isNull(2) ? FIRST : row.text(2)),
                        app,
                        key)
                .orElse(new Entry(null, FIRST));
    }

    private static @Nullable String sum(Rows rows, String app, String key, String generation) {
        return rows.first(
                        "SELECT value FROM kv_counter_live WHERE scope = ? AND name = ? AND generation = ?",
                        row -> Long.toString(row.integer(0)),
                        app,
                        key,
                        generation)
                .orElse(null);
    }

    /** Sets a value. @param ttlMillis after how long it is gone, or null for never */
    public void set(String app, String key, String json, @Nullable Long ttlMillis) {
        checkKey(key);
        if (json.length() > MOST_VALUE) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    "the value of \"" + key + "\" has " + json.length() + " characters as JSON; the limit is "
                            + MOST_VALUE);
        }
        if (ttlMillis != null && ttlMillis <= 0) {
            throw new HostingException(
                    HostingException.Reason.INVALID, "a ttl is a number of milliseconds above 0, not " + ttlMillis);
        }
        write(app, tx -> {
            Map<String, @Nullable Object> columns = new LinkedHashMap<>();
            columns.put("value", json);
            columns.put("expires_at", ttlMillis == null ? null : clock.millis() + ttlMillis);
            columns.put("generation", nextGeneration(tx, app, key));
            tx.put("kv", List.of(key), columns);
            return true;
        });
    }

    /** The generation that a counter under this key shall have next; null for the first. */
    private @Nullable String nextGeneration(WriteTx tx, String app, String key) {
        String generation = entry(tx, app, key).generation();
        if (sum(tx, app, key, generation) != null) {
            return UUID.randomUUID().toString();
        }
        return generation.equals(FIRST) ? null : generation;
    }

    /** Deletes; answers whether there was something. */
    public boolean delete(String app, String key) {
        checkKey(key);
        return write(app, tx -> {
            boolean there = value(tx, app, key) != null;
            String generation = nextGeneration(tx, app, key);
            if (generation == null) {
                return tx.delete("kv", List.of(key)) && there;
            }
            if (there) {
                tx.put("kv", List.of(key), Map.of("generation", generation));
            }
            return there;
        });
    }

    /** A key and its value as JSON text. */
    public record Pair(String key, String value) {}

    /** Every key that starts so, in order. */
    public List<Pair> list(String app, String prefix) {
        long now = clock.millis();
        return cartridge.read(rows -> {
            Map<String, String> pairs = new TreeMap<>();
            rows.query("""
                            SELECT c.name, c.value FROM kv_counter_live c
                            LEFT JOIN kv_live k ON k.scope = c.scope AND k.name = c.name
                            WHERE c.scope = ? AND c.name >= ? AND substr(c.name, 1, length(?)) = ?
                              AND c.generation = coalesce(k.generation, '')
                            """, row -> new Pair(row.text(0), Long.toString(row.integer(1))), app, prefix, prefix, prefix)
                    .forEach(pair -> pairs.put(pair.key(), pair.value()));
            rows.query("""
                            SELECT name, value FROM kv_live
                            WHERE scope = ? AND name >= ? AND substr(name, 1, length(?)) = ? AND value IS NOT NULL
                              AND (expires_at IS NULL OR expires_at > ?)
                            """, row -> new Pair(row.text(0), row.text(1)), app, prefix, prefix, prefix, now)
                    .forEach(pair -> pairs.put(pair.key(), pair.value()));
            List<Pair> list = new ArrayList<>();
            pairs.forEach((key, value) -> list.add(new Pair(key, value)));
            return list;
        });
    }

    /** Adds to a counter; answers its sum as this node knows it. A key that holds a whole number becomes a counter. */
    public long increment(String app, String key, long by) {
        checkKey(key);
        return write(app, tx -> {
            Entry entry = entry(tx, app, key);
            if (entry.value() == null) {
                return tx.increment("kv_counter", List.of(key, entry.generation()), by);
            }
            long start;
            try {
                start = Long.parseLong(entry.value());
            } catch (NumberFormatException e) {
                throw new HostingException(
                        HostingException.Reason.INVALID,
                        "\"" + key + "\" does not hold a whole number, so it can't be incremented; delete it first");
            }
            String generation = UUID.randomUUID().toString();
            tx.put("kv", List.of(key), Map.of("generation", generation));
            return tx.increment("kv_counter", List.of(key, generation), Math.addExact(start, by));
        });
    }

    private static void checkKey(String key) {
        if (key.isEmpty() || key.length() > MOST_KEY) {
            throw new HostingException(
                    HostingException.Reason.INVALID, "a key has 1 to " + MOST_KEY + " characters, not " + key.length());
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
