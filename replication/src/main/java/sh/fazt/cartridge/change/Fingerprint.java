package sh.fazt.cartridge.change;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an audit compares rows by: where a row is, and all that it says. A value counts as it would be printed, for
 * a column that is declared here may be an undeclared one there, and SQLite turns a value into its column's type.
 * Pure.
 */
public final class Fingerprint {
    private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    });

    private Fingerprint() {}

    /** 64 bits of SHA-256 over the key, and the origin of a counter's share. */
    public static long key(Row row) {
        RowCodec.Buffer bytes = new RowCodec.Buffer();
        bytes.key(row.key());
        if (row.counter()) {
            bytes.raw(row.stamp().origin().node().bytes());
            bytes.number(row.stamp().origin().epoch());
        }
        return hash(bytes);
    }

    /** 64 bits of SHA-256 over the whole row; sums of it are independent of order. */
    public static long row(Row row) {
        RowCodec.Buffer bytes = new RowCodec.Buffer();
        bytes.fixed(row.digest());
        bytes.fixed(content(row));
        return hash(bytes);
    }

    /** The same over the columns alone; 0 of a deletion that left none. */
    public static long content(Row row) {
        if (row.deleted() && !Document.is(row.columns())) {
            return 0;
        }
        RowCodec.Buffer bytes = new RowCodec.Buffer();
        Map<String, @Nullable Object> sorted = new TreeMap<>(row.columns());
        sorted.forEach((column, value) -> {
            if (value != null && !(column.equals(Document.FIELDS) && Document.overrides(row.columns()) == null)) {
                bytes.text(column);
                if (value instanceof byte[] raw) {
                    bytes.octet(1);
                    bytes.number(raw.length);
                    bytes.raw(raw);
                } else {
                    bytes.octet(0);
                    bytes.text(printed(value));
                }
            }
        });
        return hash(bytes);
    }

    private static String printed(Object value) {
        return value instanceof Double real && real == Math.rint(real) && Math.abs(real) < 1L << 53
                ? Long.toString(real.longValue())
                : value.toString();
    }

    private static long hash(RowCodec.Buffer bytes) {
        return ByteBuffer.wrap(SHA256.get().digest(bytes.take())).getLong();
    }
}
