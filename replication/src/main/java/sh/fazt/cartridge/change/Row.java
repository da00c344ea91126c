package sh.fazt.cartridge.change;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One version of a replicated row as it travels and as the merge sees it. Values are {@code Long, Double,
 * String, byte[]}, in columns null too. Immutable; arrays are shared and must not be written.
 *
 * @param table   the table's name
 * @param counter whether the row is its origin's share of a counter, so that the origin is part of its key
 * @param key     the key columns
 * @param stamp   who wrote it
 * @param deleted whether it is a tombstone; then it has no columns, unless it is a {@link Document}
 * @param columns the other columns by name
 */
public record Row(
        String table,
        boolean counter,
        List<Object> key,
        Stamp stamp,
        boolean deleted,
        Map<String, @Nullable Object> columns) {
    private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    });

    public Row {
        key = List.copyOf(key);
        columns = Collections.unmodifiableMap(new LinkedHashMap<>(columns));
    }

    /**
     * What this version adds to the digest of its scope: 64 bits of SHA-256 over table, key and stamp, of a document with
     * its fields' stamps; and nothing for a tombstone, as one replica may have removed it and another not yet. A scope's
     * digest is the wrapping sum over its rows, in whatever order.
     */
    public long digest() {
        return digest(table, key, stamp, deleted, fields());
    }

    /** The overrides of a document as they are stored; null where there are none, and of any other row. */
    private byte @Nullable [] fields() {
        return Document.overrides(columns);
    }

    /** Every stamp that contributes to this version: its own, and those of a document's fields. */
    public List<Stamp> stamps() {
        List<Stamp> stamps = new ArrayList<>(List.of(stamp));
        if (fields() != null) {
            stamps.addAll(Document.of(this).others());
        }
        return stamps;
    }

    /** See {@link #digest()}. */
    public static long digest(String table, List<?> key, Stamp stamp, boolean deleted, byte @Nullable [] fields) {
        if (deleted) {
            return 0;
        }
        MessageDigest sha = SHA256.get();
        sha.update(table.getBytes(StandardCharsets.UTF_8));
        sha.update((byte) 0);
        RowCodec.Buffer tail = new RowCodec.Buffer();
        tail.key(key);
        tail.raw(stamp.origin().node().bytes());
        tail.number(stamp.origin().epoch());
        tail.number(stamp.sequence());
        tail.fixed(stamp.hlc().value());
        // Whether it is deleted, when tombstones counted: digests of live rows stay what they were.
        tail.octet(0);
        if (fields != null) {
            tail.raw(fields);
        }
        byte[] hash = sha.digest(tail.take());
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = value << 8 | (hash[i] & 0xff);
        }
        return value;
    }
}
