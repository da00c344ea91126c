package sh.fazt.cartridge.change;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * How rows travel: a format octet, then records, each a row or a small blob. Names and origins are written
 * in full where a part uses them first and by number after that. The rows of one transaction have its stamp,
 * which travels beside them. Numbers are LEB128. What is read comes from a peer: every length is checked, and
 * bad bytes are an {@link IllegalArgumentException}, never more.
 */
public final class RowCodec {
    private static final int PART = 1;
    private static final int TRANSACTION = 2;
    private static final int ROW = 1;
    private static final int BLOB = 2;
    private static final int COUNTER = 1;
    private static final int DELETED = 2;
    /** More than SQLite's own limit of columns is damage. */
    private static final int MOST_COLUMNS = 2000;

    private RowCodec() {}

    /** What a part or a changeset holds. The bytes of blobs are copies. Immutable. */
    public record Contents(List<Row> rows, List<byte[]> blobs) {}

    /** Writes one part, or one transaction. Confined to its maker. */
    public static final class Writer {
        private final @Nullable Stamp own;
        private final Buffer out = new Buffer();
        private final Map<String, Integer> names = new HashMap<>();
        private final Map<Origin, Integer> origins = new HashMap<>();
        private int records;

        /** A part: rows of any transactions. */
        public Writer() {
            own = null;
            out.octet(PART);
        }

        /** The rows of one transaction. */
        public Writer(Stamp transaction) {
            own = transaction;
            out.octet(TRANSACTION);
        }

        /** Appends a row. @throws IllegalArgumentException when it is another transaction's */
        public void row(Row row) {
            out.octet(ROW);
            out.octet((row.counter() ? COUNTER : 0) | (row.deleted() ? DELETED : 0));
            name(row.table());
            if (own == null) {
                origin(row.stamp().origin());
                out.number(row.stamp().sequence());
                out.fixed(row.stamp().hlc().value());
            } else if (!own.equals(row.stamp())) {
                throw new IllegalArgumentException("a row of " + row.stamp() + " in transaction " + own);
            }
            out.key(row.key());
            out.number(row.columns().size());
            row.columns().forEach((column, value) -> {
                name(column);
                out.value(value);
            });
            records++;
        }

        /** Appends a blob that travels with the rows. */
        public void blob(byte[] body) {
            out.octet(BLOB);
            out.number(body.length);
            out.raw(body);
            records++;
        }

        /** Octets so far. */
        public int size() {
            return out.size();
        }

        public boolean isEmpty() {
            return records == 0;
        }

        /** The part; the writer is spent. */
        public byte[] take() {
            return out.take();
        }

        private void name(String name) {
            Integer known = names.putIfAbsent(name, names.size());
            out.number(known == null ? 0 : known + 1);
            if (known == null) {
                out.text(name);
            }
        }

        private void origin(Origin origin) {
            Integer known = origins.putIfAbsent(origin, origins.size());
            out.number(known == null ? 0 : known + 1);
            if (known == null) {
                out.raw(origin.node().bytes());
                out.number(origin.epoch());
            }
        }
    }

    /** Reads a part whole. */
    public static Contents read(byte[] part) {
        return new Reader(part).contents(null);
    }

    /** Reads the rows of one transaction. */
    public static Contents read(byte[] rows, Stamp transaction) {
        return new Reader(rows).contents(transaction);
    }

    /** Writes a key by itself, for places that need one value of it. */
    public static byte[] key(List<?> key) {
        Buffer out = new Buffer();
        out.key(key);
        return out.take();
    }

    /** Reads what {@link #key(List)} wrote. */
    public static List<Object> key(byte[] bytes) {
        return new Reader(bytes).key();
    }

    /** Writes named values by themselves. */
    public static byte[] columns(Map<String, ? extends @Nullable Object> columns) {
        Buffer out = new Buffer();
        out.number(columns.size());
        columns.forEach((name, value) -> {
            out.text(name);
            out.value(value);
        });
        return out.take();
    }

    /** Reads what {@link #columns(Map)} wrote. */
    public static Map<String, @Nullable Object> columns(byte[] bytes) {
        Reader in = new Reader(bytes);
        int count = in.count(MOST_COLUMNS);
        Map<String, @Nullable Object> columns = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String name = in.text();
            columns.put(name, in.value());
        }
        return columns;
    }

    /**
     * Writes which stamps a document's fields have; the same fields are always the same octets.
     *
     * @param own written as a zero
     */
    static byte[] overrides(SortedMap<String, Stamp> fields, Stamp own) {
        List<Stamp> stamps = new ArrayList<>();
        fields.values().forEach(stamp -> {
            if (!stamp.equals(own) && !stamps.contains(stamp)) {
                stamps.add(stamp);
            }
        });
        Buffer out = new Buffer();
        out.number(stamps.size());
        for (Stamp stamp : stamps) {
            out.raw(stamp.origin().node().bytes());
            out.number(stamp.origin().epoch());
            out.number(stamp.sequence());
            out.fixed(stamp.hlc().value());
        }
        out.number(fields.size());
        fields.forEach((name, stamp) -> {
            out.text(name);
            out.number(stamps.indexOf(stamp) + 1);
        });
        return out.take();
    }

    /** Reads what {@link #overrides(SortedMap, Stamp)} wrote. */
    static Map<String, Stamp> overrides(byte[] bytes, Stamp own) {
        Reader in = new Reader(bytes);
        List<Stamp> stamps = new ArrayList<>(List.of(own));
        for (int left = in.count(MOST_COLUMNS); left > 0; left--) {
            Origin origin = in.newOrigin();
            stamps.add(new Stamp(origin, in.sequence(), new Hlc(in.fixed())));
        }
        Map<String, Stamp> fields = new LinkedHashMap<>();
        for (int left = in.count(MOST_COLUMNS); left > 0; left--) {
            String name = in.text();
            long index = in.number();
            if (index < 0 || index >= stamps.size()) {
                throw in.damaged("stamp " + index + " was not given");
            }
            fields.put(name, stamps.get((int) index));
        }
        return fields;
    }

    static final class Buffer {
        private byte[] bytes = new byte[256];
        private int size;

        int size() {
            return size;
        }

        byte[] take() {
            return Arrays.copyOf(bytes, size);
        }

        void octet(int value) {
            room(1);
            bytes[size++] = (byte) value;
        }

        void raw(byte[] value) {
            room(value.length);
            System.arraycopy(value, 0, bytes, size, value.length);
            size += value.length;
        }

        void number(long value) {
            room(10);
            while ((value & ~0x7fL) != 0) {
                bytes[size++] = (byte) (value & 0x7f | 0x80);
                value >>>= 7;
            }
            bytes[size++] = (byte) value;
        }

        void signed(long value) {
            number(value << 1 ^ value >> 63);
        }

        void fixed(long value) {
            room(8);
            for (int shift = 56; shift >= 0; shift -= 8) {
                bytes[size++] = (byte) (value >>> shift);
            }
        }

        void text(String value) {
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            number(utf8.length);
            raw(utf8);
        }

        void key(List<?> key) {
            number(key.size());
            for (Object value : key) {
                value(value);
            }
        }

        void value(@Nullable Object value) {
            if (value == null) {
                octet(0);
            } else if (value instanceof Long number) {
                octet(1);
                signed(number);
            } else if (value instanceof Double real) {
                octet(2);
                fixed(Double.doubleToRawLongBits(real));
            } else if (value instanceof String text) {
                octet(3);
                text(text);
            } else if (value instanceof byte[] raw) {
                octet(4);
                number(raw.length);
                raw(raw);
            } else {
                throw new IllegalArgumentException("a row holds Long, Double, String or byte[], not "
                        + value.getClass().getName());
            }
        }

        private void room(int more) {
            if (bytes.length - size < more) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
            }
        }
    }

    static final class Reader {
        private final byte[] bytes;
        private final List<String> names = new ArrayList<>();
        private final List<Origin> origins = new ArrayList<>();
        private int at;

        Reader(byte[] bytes) {
            this.bytes = bytes;
        }

        boolean hasMore() {
            return at < bytes.length;
        }

        Contents contents(@Nullable Stamp own) {
            int expected = own == null ? PART : TRANSACTION;
            int format = octet();
            if (format != expected) {
                throw damaged("format " + expected + " was expected, not " + format);
            }
            List<Row> rows = new ArrayList<>();
            List<byte[]> blobs = new ArrayList<>();
            while (hasMore()) {
                int kind = octet();
                switch (kind) {
                    case ROW -> rows.add(row(own));
                    case BLOB -> blobs.add(raw());
                    default -> throw damaged("unknown record " + kind);
                }
            }
            return new Contents(rows, blobs);
        }

        private Row row(@Nullable Stamp own) {
            int flags = octet();
            String table = name();
            Stamp stamp = own == null ? new Stamp(origin(), sequence(), new Hlc(fixed())) : own;
            List<Object> key = key();
            int count = count(MOST_COLUMNS);
            Map<String, @Nullable Object> columns = new LinkedHashMap<>();
            for (int i = 0; i < count; i++) {
                String column = name();
                columns.put(column, value());
            }
            return new Row(table, (flags & COUNTER) != 0, key, stamp, (flags & DELETED) != 0, columns);
        }

        List<Object> key() {
            int parts = count(MOST_COLUMNS);
            List<Object> key = new ArrayList<>(parts);
            for (int i = 0; i < parts; i++) {
                Object value = value();
                if (value == null) {
                    throw damaged("NULL in a key");
                }
                key.add(value);
            }
            return key;
        }

        private String name() {
            long index = number();
            if (index == 0) {
                String name = text();
                names.add(name);
                return name;
            }
            if (index < 0 || index > names.size()) {
                throw damaged("name " + index + " was not given");
            }
            return names.get((int) index - 1);
        }

        private Origin origin() {
            long index = number();
            if (index == 0) {
                Origin origin = newOrigin();
                origins.add(origin);
                return origin;
            }
            if (index < 0 || index > origins.size()) {
                throw damaged("origin " + index + " was not given");
            }
            return origins.get((int) index - 1);
        }

        Origin newOrigin() {
            byte[] node = slice(32);
            long epoch = number();
            if (epoch < 1 || epoch > Integer.MAX_VALUE) {
                throw damaged("epoch " + epoch);
            }
            return new Origin(NodeId.of(node), (int) epoch);
        }

        long sequence() {
            long sequence = number();
            if (sequence < 1) {
                throw damaged("sequence " + sequence);
            }
            return sequence;
        }

        @Nullable
        Object value() {
            int type = octet();
            return switch (type) {
                case 0 -> null;
                case 1 -> signed();
                case 2 -> Double.longBitsToDouble(fixed());
                case 3 -> text();
                case 4 -> raw();
                default -> throw damaged("unknown type " + type);
            };
        }

        String text() {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(raw()))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("damaged rows: text that is not UTF-8 before octet " + at, e);
            }
        }

        int count(int most) {
            long count = number();
            if (count < 0 || count > most) {
                throw damaged(count + " columns");
            }
            return (int) count;
        }

        byte[] raw() {
            long length = number();
            if (length < 0 || length > bytes.length - at) {
                throw damaged("a length of " + length + " where " + (bytes.length - at) + " are left");
            }
            return slice((int) length);
        }

        private byte[] slice(int length) {
            if (length > bytes.length - at) {
                throw damaged("cut short");
            }
            byte[] slice = Arrays.copyOfRange(bytes, at, at + length);
            at += length;
            return slice;
        }

        private int octet() {
            if (at >= bytes.length) {
                throw damaged("cut short");
            }
            return bytes[at++] & 0xff;
        }

        long number() {
            long value = 0;
            for (int shift = 0; shift < 70; shift += 7) {
                int octet = octet();
                value |= (long) (octet & 0x7f) << shift;
                if ((octet & 0x80) == 0) {
                    return value;
                }
            }
            throw damaged("a number of more than 64 bits");
        }

        long signed() {
            long zigzag = number();
            return zigzag >>> 1 ^ -(zigzag & 1);
        }

        long fixed() {
            long value = 0;
            for (byte octet : slice(8)) {
                value = value << 8 | (octet & 0xff);
            }
            return value;
        }

        IllegalArgumentException damaged(String what) {
            return new IllegalArgumentException("damaged rows: " + what + " at octet " + at);
        }
    }
}
