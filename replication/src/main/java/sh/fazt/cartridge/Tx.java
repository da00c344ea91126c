package sh.fazt.cartridge;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/** One body's transaction: stamps every replicated row with one dot and clock. Confined to {@code writer}. */
final class Tx implements WriteTx {
    /** Above this a transaction would hold up every other one, here and on each peer. */
    static final int MOST_BYTES = 64 << 20;

    /**
     * Fields of a document that a writer may make, removed ones included, as they keep their clocks. Of what nine
     * nodes make while they are cut off from each other the merge still fits a row that travels.
     */
    static final int MOST_FIELDS = 200;

    static final int SMALL_BLOB = 16 << 10;
    static final int SMALL_BLOBS = 256 << 10;

    private final Engine engine;
    private final @Nullable Scope scope;
    private final @Nullable Origin origin;
    private final Map<Cell, Row> rows = new LinkedHashMap<>();
    private final Map<String, byte[]> blobs = new LinkedHashMap<>();
    final Set<String> localTables = new LinkedHashSet<>();
    private @Nullable Stamp stamp;
    private @Nullable VersionVector deps;
    private final long most;
    private long bytes;
    private int blobBytes;

    private record Cell(String table, List<Object> key) {
        static Cell of(String table, List<?> key) {
            return new Cell(
                    table,
                    key.stream()
                            .map(part -> part instanceof byte[] raw
                                    ? (Object) Arrays.hashCode(raw) + "#" + raw.length
                                    : part)
                            .toList());
        }
    }

    Tx(Engine engine, @Nullable Scope scope, @Nullable Origin origin) {
        this(engine, scope, origin, MOST_BYTES);
    }

    private Tx(Engine engine, @Nullable Scope scope, @Nullable Origin origin, long most) {
        this.most = most;
        this.engine = engine;
        this.scope = scope;
        this.origin = origin;
    }

    /** One of what the cartridge writes itself about rows that came: however large those are, it has to succeed. */
    static Tx own(Engine engine, Scope scope, @Nullable Origin origin) {
        return new Tx(engine, scope, origin, Long.MAX_VALUE);
    }

    @Override
    public Scope scope() {
        if (scope == null) {
            throw new IllegalStateException("a local transaction has no scope");
        }
        return scope;
    }

    /** The stamp of this transaction: one dot, given to the first row that is written. */
    private Stamp stamp() {
        if (stamp == null) {
            if (origin == null) {
                throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
            }
            deps = engine.state(scope()).vector();
            stamp = new Stamp(
                    origin,
                    deps.get(origin) + 1,
                    engine.clock().after(engine.state(scope()).hlc()));
            engine.state(scope(), engine.state(scope()).with(deps.with(origin, stamp.sequence())));
        }
        return stamp;
    }

    @Override
    public void put(String name, List<?> key, Map<String, ? extends @Nullable Object> columns) {
        TableSql table = engine.table(name);
        table.checkKey(key);
        table.checkColumns(columns);
        if (table.policy == Policy.COUNTER) {
            throw new IllegalArgumentException(name + " is a counter: increment it");
        }
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        columns.forEach((column, value) -> {
            if (value != null) {
                values.put(column, plain(value));
            }
        });
        List<Object> plainKey = plain(key);
        Engine.Current before = engine.clock(scope(), table, plainKey, stampOrigin());
        if (table.policy == Policy.DOCUMENT) {
            replace(table, plainKey, before, values);
        } else {
            write(table, plainKey, false, values, before);
        }
    }

    @Override
    public void update(String name, List<?> key, Map<String, ? extends @Nullable Object> changes) {
        TableSql table = engine.table(name);
        table.checkKey(key);
        table.checkColumns(changes);
        requireDocument(table);
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        changes.forEach((column, value) -> values.put(column, value == null ? null : plain(value)));
        List<Object> plainKey = plain(key);
        Engine.Current before = engine.current(scope(), table, plainKey, stampOrigin());
        change(table, plainKey, before, values);
    }

    private void replace(
            TableSql table, List<Object> key, Engine.@Nullable Current before, Map<String, @Nullable Object> values) {
        change(
                table,
                key,
                before,
                before == null ? values : Documents.of(before).changesTo(values));
    }

    private void change(
            TableSql table, List<Object> key, Engine.@Nullable Current before, Map<String, @Nullable Object> changes) {
        if (before == null) {
            Document made = Document.create(stamp(), changes);
            checkFields(0, made);
            write(table, key, null, made);
        } else {
            Document here = Documents.of(before);
            if (!here.says(changes)) {
                Document changed = here.update(stamp(), changes);
                checkFields(here.size(), changed);
                write(table, key, before, changed);
            }
        }
    }

    /** What came from elsewhere may be larger; then it does not grow here. */
    private static void checkFields(int before, Document document) {
        if (document.size() > MOST_FIELDS && document.size() > before) {
            throw new CartridgeException(
                    CartridgeException.Reason.TOO_LARGE,
                    "a document of more than " + MOST_FIELDS + " fields, of which those count that were removed:"
                            + " put what comes and goes inside of one field");
        }
    }

    /** Writes one field back, and the document with it if it was deleted. */
    Stamp restoreField(String name, List<Object> key, String field, @Nullable Object value) {
        TableSql table = engine.table(name);
        requireDocument(table);
        Engine.Current before = current(name, key);
        Map<String, @Nullable Object> only = new LinkedHashMap<>();
        only.put(field, value);
        write(
                table,
                key,
                before,
                before == null
                        ? Document.create(stamp(), only)
                        : Documents.of(before).revive(stamp(), field, value));
        return stamp();
    }

    private static void requireDocument(TableSql table) {
        if (table.policy != Policy.DOCUMENT) {
            throw new IllegalArgumentException(table.name + " holds no documents: its rows are put as a whole");
        }
    }

    private void write(TableSql table, List<Object> key, Engine.@Nullable Current before, Document document) {
        write(table, key, document.deleted(), document.columns(), before);
    }

    @Override
    public boolean delete(String name, List<?> key) {
        TableSql table = engine.table(name);
        table.checkKey(key);
        if (table.policy != Policy.REGISTER && table.policy != Policy.DOCUMENT) {
            throw new IllegalArgumentException(name + " is no register and holds no documents: its rows stay");
        }
        List<Object> plainKey = plain(key);
        Engine.Current current = engine.clock(scope(), table, plainKey, stampOrigin());
        if (current == null || current.deleted()) {
            return false;
        }
        if (table.policy == Policy.DOCUMENT) {
            write(table, plainKey, current, Documents.of(current).delete(stamp()));
        } else {
            write(table, plainKey, true, Map.of(), current);
        }
        return true;
    }

    @Override
    public long increment(String name, List<?> key, long by) {
        TableSql table = engine.table(name);
        table.checkKey(key);
        if (table.policy != Policy.COUNTER) {
            throw new IllegalArgumentException(name + " is no counter");
        }
        List<Object> plainKey = plain(key);
        Engine.Current own = engine.current(scope(), table, plainKey, stampOrigin());
        long before = own != null && own.columns().get("value") instanceof Long value ? value : 0;
        Doubt doubt = engine.doubt();
        if (doubt != null && own != null) {
            doubt.keep(engine.session(), scope(), name, plainKey, own);
        }
        write(table, plainKey, false, Map.of("value", Math.addExact(before, by)), own);
        @Nullable Object[] args = new @Nullable Object[1 + key.size()];
        args[0] = scope().id();
        for (int i = 0; i < key.size(); i++) {
            args[i + 1] = plainKey.get(i);
        }
        return first(table.sum, row -> row.integer(0), args).orElse(0L);
    }

    /** The version that is here, a tombstone included. */
    Engine.@Nullable Current current(String name, List<Object> key) {
        return engine.current(scope(), engine.table(name), key, stampOrigin());
    }

    /** Writes a version as it once was, whatever columns it had; answers the stamp of the new one. */
    Stamp restore(String name, List<Object> key, boolean deleted, Map<String, @Nullable Object> columns) {
        TableSql table = engine.table(name);
        Engine.Current before = engine.clock(scope(), table, key, stampOrigin());
        if (table.policy == Policy.DOCUMENT && before != null) {
            if (deleted) {
                write(table, key, before, Documents.of(before).delete(stamp()));
            } else {
                replace(table, key, before, Document.values(columns));
            }
        } else {
            write(table, key, deleted, columns, before);
        }
        return stamp();
    }

    /** Writes what is here once more. */
    void anew(TableSql table, List<Object> key, Engine.Current current) {
        if (table.policy == Policy.DOCUMENT) {
            write(table, key, current, Documents.of(current).anew(stamp()));
        } else {
            write(table, key, current.deleted(), current.columns(), current);
        }
    }

    private Origin stampOrigin() {
        if (origin == null) {
            throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
        }
        return origin;
    }

    void write(
            TableSql table,
            List<Object> key,
            boolean deleted,
            Map<String, @Nullable Object> columns,
            Engine.@Nullable Current before) {
        Row row = new Row(table.name, table.policy == Policy.COUNTER, key, stamp(), deleted, columns);
        if (table.policy == Policy.DOCUMENT) {
            row = Document.of(row).row(table.name, key);
        }
        engine.store(scope(), table, row, before);
        rows.put(Cell.of(table.name, key), row);
        bytes += 64 + weight(columns);
        checkSize();
    }

    /** About how many bytes columns take. */
    static long weight(Map<String, @Nullable Object> columns) {
        long bytes = 0;
        for (Object value : columns.values()) {
            bytes += value instanceof String text ? text.length() : value instanceof byte[] raw ? raw.length : 9;
        }
        return bytes;
    }

    @Override
    public String putBlob(byte[] content) {
        if (content.length > SMALL_BLOB || blobBytes + content.length > SMALL_BLOBS) {
            throw new IllegalArgumentException("a transaction carries blobs of 16 KiB each and 256 KiB in all, not "
                    + content.length + " and " + (blobBytes + content.length) + ": put larger ones through Blobs");
        }
        String hash = Engine.sha256(content);
        stamp();
        engine.keepBlob(hash, content);
        if (blobs.put(hash, content.clone()) == null) {
            blobBytes += content.length;
            bytes += content.length;
        }
        return hash;
    }

    private void checkSize() {
        if (bytes > most) {
            throw new CartridgeException(
                    CartridgeException.Reason.TOO_LARGE, "a transaction of more than 64 MiB: split it into several");
        }
    }

    /** What travels; null when no replicated row was written. */
    @Nullable
    Changeset changeset() {
        if (stamp == null || deps == null) {
            return null;
        }
        RowCodec.Writer writer = new RowCodec.Writer(stamp);
        rows.values().forEach(writer::row);
        blobs.values().forEach(writer::blob);
        return new Changeset(new Dot(scope(), stamp.origin(), stamp.sequence()), stamp.hlc(), deps, writer.take());
    }

    List<CommitListener.Change> changes() {
        List<CommitListener.Change> changes = new java.util.ArrayList<>();
        rows.values().forEach(row -> changes.add(new CommitListener.Change(row.table(), row.key())));
        localTables.forEach(table -> changes.add(new CommitListener.Change(table, List.of())));
        return changes;
    }

    @Override
    public int execute(String sql, @Nullable Object... args) {
        for (String written : engine.session().written(sql)) {
            if (engine.isReplicated(written)) {
                throw new IllegalArgumentException(
                        written + " is replicated: it is written by put, delete and increment, not by: " + sql);
            }
            localTables.add(written);
        }
        return engine.session().update(sql, args);
    }

    @Override
    public <T> List<T> query(String sql, RowMapper<T> mapper, @Nullable Object... args) {
        return engine.session().query(sql, mapper, args);
    }

    @Override
    public <T> Optional<T> first(String sql, RowMapper<T> mapper, @Nullable Object... args) {
        return engine.session().first(sql, mapper, args);
    }

    private static List<Object> plain(List<?> key) {
        return key.stream().map(Tx::plain).toList();
    }

    private static Object plain(Object value) {
        if (value instanceof Integer number) {
            return number.longValue();
        }
        return value instanceof Boolean bool ? (Object) (bool ? 1L : 0L) : value;
    }
}
