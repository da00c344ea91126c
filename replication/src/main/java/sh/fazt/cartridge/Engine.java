package sh.fazt.cartridge;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Change;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Merge;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * The rows and vectors as the writer changes them: everything here happens inside the open transaction, and
 * what it remembers is either taken over with the commit or read anew from the file. Confined to the
 * {@code writer} thread.
 */
final class Engine {
    private final Session session;
    private final Schema schema;
    private final Map<Origin, Long> ids = new HashMap<>();
    private final Map<Long, Origin> origins = new HashMap<>();
    /** Scopes that this transaction touched; the file hears of them when it ends. */
    private Map<String, State> states = new HashMap<>();

    private final HybridClock clock;

    /** Written by the writer, once it is durable; read by anybody. */
    private volatile @Nullable Doubt doubt;

    /** What is known of a scope. Immutable: a failed body goes back to the one before. */
    record State(VersionVector vector, long digest, Hlc hlc) {
        State with(VersionVector newVector) {
            return new State(newVector, digest, hlc);
        }

        State add(long rowDigest) {
            return new State(vector, digest + rowDigest, hlc);
        }

        State seen(Hlc other) {
            return other.compareTo(hlc) > 0 ? new State(vector, digest, other) : this;
        }
    }

    Engine(Session session, Schema schema, HybridClock clock) {
        this.session = session;
        this.schema = schema;
        this.clock = clock;
        reload();
    }

    HybridClock clock() {
        return clock;
    }

    Session session() {
        return session;
    }

    /** What this node wrote that must not leave it yet; null when nothing is in doubt. */
    @Nullable
    Doubt doubt() {
        return doubt;
    }

    void doubt(@Nullable Doubt now) {
        doubt = now;
    }

    /** Forgets everything that is not in the file. */
    void reload() {
        ids.clear();
        origins.clear();
        states = new HashMap<>();
        session.each("SELECT id, node, epoch FROM fazt_origin", row -> {
            Origin origin = new Origin(NodeId.of(row.bytes(1)), (int) row.integer(2));
            ids.put(origin, row.integer(0));
            origins.put(row.integer(0), origin);
        });
    }

    Map<Long, Origin> origins() {
        return Map.copyOf(origins);
    }

    /** What a failed body is rolled back to, beside its savepoint. */
    Map<String, State> mark() {
        return new HashMap<>(states);
    }

    void backTo(Map<String, State> mark) {
        reload();
        states = mark;
    }

    State state(Scope scope) {
        return states.computeIfAbsent(scope.id(), id -> {
            Map<Origin, Long> vector = new HashMap<>();
            session.each(
                    "SELECT origin, seq FROM fazt_vector WHERE scope = ?",
                    row -> vector.put(origin(row.integer(0)), row.integer(1)),
                    id);
            return session.first(
                            "SELECT digest, hlc FROM fazt_scope WHERE scope = ?",
                            row -> new State(VersionVector.of(vector), row.integer(0), new Hlc(row.integer(1))),
                            id)
                    .orElseGet(() -> new State(VersionVector.of(vector), 0, Hlc.ZERO));
        });
    }

    void state(Scope scope, State state) {
        states.put(scope.id(), state);
    }

    /** Writes vectors and digests; the last thing before the commit. Answers what they are now. */
    Map<String, State> flush(Map<String, State> published) {
        Map<String, State> changed = new HashMap<>();
        states.forEach((scope, state) -> {
            State before = published.get(scope);
            if (state.equals(before) || before == null && state.vector().isEmpty()) {
                return;
            }
            state.vector().entries().forEach((origin, seq) -> {
                if (before == null || before.vector().get(origin) != seq) {
                    session.update(
                            "INSERT INTO fazt_vector VALUES (?, ?, ?)"
                                    + " ON CONFLICT (scope, origin) DO UPDATE SET seq = excluded.seq",
                            scope,
                            id(origin),
                            seq);
                }
            });
            session.update(
                    "INSERT INTO fazt_scope VALUES (?, ?, ?) ON CONFLICT (scope) DO UPDATE SET"
                            + " digest = excluded.digest, hlc = excluded.hlc",
                    scope,
                    state.digest(),
                    state.hlc().value());
            changed.put(scope, state);
        });
        return changed;
    }

    /** Starts the next transaction from what the last one left. */
    void committed() {
        states = new HashMap<>();
    }

    long id(Origin origin) {
        Long known = ids.get(origin);
        if (known != null) {
            return known;
        }
        session.update(
                "INSERT INTO fazt_origin (node, epoch) VALUES (?, ?)",
                origin.node().bytes(),
                origin.epoch());
        long id = session.first("SELECT last_insert_rowid()", row -> row.integer(0))
                .orElseThrow();
        ids.put(origin, id);
        origins.put(id, origin);
        return id;
    }

    Origin origin(long id) {
        return Objects.requireNonNull(origins.get(id), "origin is not in the file");
    }

    boolean isReplicated(String table) {
        return schema.tables.containsKey(table);
    }

    TableSql table(String name) {
        TableSql table = schema.tables.get(name);
        if (table == null) {
            throw new IllegalArgumentException("there is no replicated table " + name);
        }
        return table;
    }

    /** The version that is here. */
    record Current(Stamp stamp, boolean deleted, Map<String, @Nullable Object> columns) {}

    @Nullable
    Current current(Scope scope, TableSql table, List<?> key, Origin share) {
        return session.first(table.current, row -> read(row, table, 5), address(scope, table, key, share))
                .orElse(null);
    }

    /** The version that is here, without its columns. */
    @Nullable
    Current clock(Scope scope, TableSql table, List<?> key, Origin share) {
        if (table.policy == Policy.DOCUMENT) {
            return current(scope, table, key, share);
        }
        return session.first(
                        table.clock,
                        row -> new Current(stamp(row), row.integer(3) != 0, Map.of()),
                        address(scope, table, key, share))
                .orElse(null);
    }

    private @Nullable Object[] address(Scope scope, TableSql table, List<?> key, Origin share) {
        @Nullable Object[] args = new @Nullable Object[1 + key.size() + (table.policy == Policy.COUNTER ? 1 : 0)];
        args[0] = scope.id();
        for (int i = 0; i < key.size(); i++) {
            args[i + 1] = key.get(i);
        }
        if (table.policy == Policy.COUNTER) {
            args[args.length - 1] = id(share);
        }
        return args;
    }

    private Stamp stamp(Rows.ResultRow row) {
        return new Stamp(origin(row.integer(0)), row.integer(1), new Hlc(row.integer(2)));
    }

    private Current read(Rows.ResultRow row, TableSql table, int firstColumn) {
        Map<String, @Nullable Object> columns = new LinkedHashMap<>();
        boolean deleted = row.integer(3) != 0;
        if (!deleted || table.policy == Policy.DOCUMENT) {
            for (int i = 0; i < table.columns.size(); i++) {
                Object value = Session.value(row, firstColumn + i);
                if (value != null) {
                    columns.put(table.columns.get(i).name(), value);
                }
            }
            byte[] extra = row.bytesOrNull(4);
            if (extra != null) {
                columns.putAll(RowCodec.columns(extra));
            }
        }
        return new Current(stamp(row), deleted, columns);
    }

    /** Makes a version the one that is here, and the digest follow. */
    void store(Scope scope, TableSql table, Row row, @Nullable Current before) {
        Map<String, @Nullable Object> extra = table.unknown(row.columns());
        session.update(
                table.put,
                table.arguments(
                        scope.id(),
                        row.key(),
                        row.columns(),
                        id(row.stamp().origin()),
                        row.stamp().sequence(),
                        row.stamp().hlc().value(),
                        row.deleted(),
                        extra.isEmpty() ? null : RowCodec.columns(extra)));
        State state = state(scope).add(row.digest()).seen(row.stamp().hlc());
        if (before != null) {
            state = state.add(-digest(row, before));
        }
        state(scope, state);
        if (table.policy == Policy.DOCUMENT) {
            Documents.index(this, scope, table, row, before);
        }
        for (String column : table.blobColumns) {
            if (row.columns().get(column) instanceof String hash) {
                if (!hasBlob(hash)) {
                    want(scope, table, row, hash);
                }
                session.update("DELETE FROM fazt_unused WHERE hash = ?", hash);
            }
        }
    }

    /** What another version of the same row adds to the digest. */
    private static long digest(Row row, Current other) {
        return Row.digest(row.table(), row.key(), other.stamp(), other.deleted(), Document.overrides(other.columns()));
    }

    private void want(Scope scope, TableSql table, Row row, String hash) {
        ReplicatedTable.BlobRule rule = table.blobRule;
        long size = rule != null && row.columns().get(rule.size()) instanceof Long known ? known : -1L;
        session.update(
                "INSERT INTO fazt_wanted VALUES (?, ?, ?, ?)"
                        + " ON CONFLICT (hash, scope) DO UPDATE SET eager = max(eager, excluded.eager)",
                hash,
                scope.id(),
                size,
                rule != null && rule.eager().test(row.key()) ? 1L : 0L);
    }

    boolean hasBlob(String hash) {
        return session.first("SELECT 1 FROM fazt_blob WHERE hash = ? AND complete = 1", row -> true, hash)
                .isPresent();
    }

    /** Keeps a small blob: one chunk, which is the blob itself. */
    void keepBlob(String hash, byte[] body) {
        if (hasBlob(hash)) {
            return;
        }
        session.update("INSERT OR REPLACE INTO fazt_blob VALUES (?, ?, 1)", hash, (long) body.length);
        session.update("INSERT OR REPLACE INTO fazt_blob_chunk VALUES (?, 0, ?, 0, ?)", hash, hash, (long) body.length);
        session.update(
                "INSERT INTO fazt_chunk (hash, body) VALUES (?, ?)"
                        + " ON CONFLICT (hash) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
                hash,
                body);
        session.update("DELETE FROM fazt_damaged WHERE hash = ?", hash);
        session.update("DELETE FROM fazt_wanted WHERE hash = ?", hash);
    }

    /**
     * Merges rows that arrived. Adds what changed, and the rows that lost, which the caller records in a
     * transaction of this node: a conflict is a fact that every node shall show, and rows are how facts travel.
     *
     * @param receiver what was here before the first of them
     * @param floor    what was removed here
     */
    void merge(
            Scope scope,
            VersionVector receiver,
            VersionVector sender,
            Floor floor,
            RowCodec.Contents contents,
            Merged merged) {
        for (byte[] blob : contents.blobs()) {
            keepBlob(sha256(blob), blob);
        }
        for (Row row : contents.rows()) {
            TableSql table = declared(row);
            if (table == null) {
                boolean unknown = !schema.tables.containsKey(row.table());
                String reason = unknown ? "unknown table" : "another shape of key";
                park(scope, receiver, sender, row, reason, merged.losers);
                continue;
            }
            Current current = current(scope, table, row.key(), row.stamp().origin());
            if (table.policy == Policy.DOCUMENT) {
                Row next = Documents.merge(receiver, sender, current, row, merged.losers);
                if (next != null) {
                    store(scope, table, next, current);
                    merged.changed.add(new Change(table.name, row.key()));
                    if (Floors.doubted(floor, sender, next, current)) {
                        merged.anew.add(next);
                    }
                }
                continue;
            }
            Merge.Outcome outcome =
                    Merge.decide(receiver, sender, current == null ? null : current.stamp(), row.stamp());
            if (table.policy == Policy.REGISTER) {
                keepLoser(outcome, current, row, merged.losers);
            }
            if (outcome.takes()) {
                store(scope, table, row, current);
                merged.changed.add(new Change(table.name, row.key()));
                if (table.policy == Policy.REGISTER && Floors.doubted(floor, sender, row, current)) {
                    merged.anew.add(row);
                }
            }
        }
    }

    /** Of two registers that are not the same, where neither writer knew of the other. */
    private static void keepLoser(Merge.Outcome outcome, @Nullable Current current, Row row, List<Loser> losers) {
        if (!outcome.concurrent()
                || current == null
                || current.deleted() == row.deleted() && same(current.columns(), row.columns())) {
            return;
        }
        losers.add(
                outcome == Merge.Outcome.CONCURRENT_WIN
                        ? new Loser(
                                row.table(),
                                row.key(),
                                current.stamp(),
                                current.deleted(),
                                current.columns(),
                                row.stamp())
                        : new Loser(
                                row.table(), row.key(), row.stamp(), row.deleted(), row.columns(), current.stamp()));
    }

    record Loser(
            String table,
            List<Object> key,
            Stamp stamp,
            boolean deleted,
            Map<String, @Nullable Object> columns,
            Stamp winner) {}

    /** What a merge came to. @param anew rows to write again under a stamp of this node */
    record Merged(List<Change> changed, List<Loser> losers, List<Row> anew) {}

    /** The table that a row fits; null where it has to be parked. */
    @Nullable
    TableSql declared(Row row) {
        TableSql table = schema.tables.get(row.table());
        return table != null
                        && row.counter() == (table.policy == Policy.COUNTER)
                        && row.key().size() == table.key.size()
                ? table
                : null;
    }

    /**
     * A row that can't be applied: kept as it came, forwarded, and tried again when the schema advances. What loses to it
     * or to what is kept is told at once: whoever knows the table may never see both.
     */
    void park(Scope scope, VersionVector receiver, VersionVector sender, Row row, String reason, List<Loser> losers) {
        Current current = parked(scope, row);
        if (Document.is(row.columns())) {
            Row next = Documents.merge(receiver, sender, current, row, losers);
            if (next != null) {
                keepParked(scope, next, reason);
            }
            return;
        }
        Merge.Outcome outcome = Merge.decide(receiver, sender, current == null ? null : current.stamp(), row.stamp());
        if (!row.counter()) {
            keepLoser(outcome, current, row, losers);
        }
        if (outcome.takes()) {
            keepParked(scope, row, reason);
        }
    }

    private @Nullable Current parked(Scope scope, Row row) {
        return session.first(
                        "SELECT origin, seq, hlc, deleted, columns FROM fazt_parked"
                                + " WHERE scope = ? AND tbl = ? AND row_key = ? AND share = ?",
                        found -> new Current(
                                new Stamp(origin(found.integer(0)), found.integer(1), new Hlc(found.integer(2))),
                                found.integer(3) != 0,
                                RowCodec.columns(found.bytes(4))),
                        scope.id(),
                        row.table(),
                        RowCodec.key(row.key()),
                        share(row))
                .orElse(null);
    }

    private long share(Row row) {
        return row.counter() ? id(row.stamp().origin()) : 0;
    }

    /** Parks a row in the place of another version of it. */
    void keepParked(Scope scope, Row row, String reason) {
        Current current = parked(scope, row);
        session.update(
                "INSERT OR REPLACE INTO fazt_parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                scope.id(),
                row.table(),
                RowCodec.key(row.key()),
                row.counter(),
                share(row),
                id(row.stamp().origin()),
                row.stamp().sequence(),
                row.stamp().hlc().value(),
                row.deleted(),
                RowCodec.columns(row.columns()),
                reason);
        State state = state(scope).add(row.digest()).seen(row.stamp().hlc());
        if (current != null) {
            state = state.add(-digest(row, current));
        }
        state(scope, state);
    }

    /** Takes a parked row out. */
    void unkeep(Scope scope, Row row) {
        session.update(
                "DELETE FROM fazt_parked WHERE scope = ? AND tbl = ? AND row_key = ? AND share = ?",
                scope.id(),
                row.table(),
                RowCodec.key(row.key()),
                row.counter() ? id(row.stamp().origin()) : 0);
        state(scope, state(scope).add(-row.digest()));
    }

    /** Takes a row out as if it had never been, or an origin's share of a counter. */
    void remove(Scope scope, TableSql table, Row row) {
        session.update(
                table.remove, address(scope, table, row.key(), row.stamp().origin()));
        state(scope, state(scope).add(-row.digest()));
    }

    /** Rows that were parked before their table was declared. Their clocks stay, so the digest does too. */
    void unpark() {
        record Parked(String scope, Row row, byte[] key, long share) {}
        List<Parked> parked = session.query(
                "SELECT scope, tbl, row_key, counter, share, origin, seq, hlc, deleted, columns FROM fazt_parked",
                row -> new Parked(
                        row.text(0),
                        new Row(
                                row.text(1),
                                row.integer(3) != 0,
                                RowCodec.key(row.bytes(2)),
                                new Stamp(origin(row.integer(5)), row.integer(6), new Hlc(row.integer(7))),
                                row.integer(8) != 0,
                                RowCodec.columns(row.bytes(9))),
                        row.bytes(2),
                        row.integer(4)));
        for (Parked one : parked) {
            TableSql table = declared(one.row());
            if (table == null) {
                continue;
            }
            Scope scope = new Scope(one.scope());
            State before = state(scope);
            store(scope, table, one.row(), null);
            state(scope, new State(before.vector(), before.digest(), before.hlc()));
            session.update(
                    "DELETE FROM fazt_parked WHERE scope = ? AND tbl = ? AND row_key = ? AND share = ?",
                    one.scope(),
                    one.row().table(),
                    one.key(),
                    one.share());
        }
    }

    static boolean same(Map<String, @Nullable Object> a, Map<String, @Nullable Object> b) {
        Map<String, @Nullable Object> left = new HashMap<>(a);
        Map<String, @Nullable Object> right = new HashMap<>(b);
        left.values().removeIf(Objects::isNull);
        right.values().removeIf(Objects::isNull);
        if (!left.keySet().equals(right.keySet())) {
            return false;
        }
        for (Map.Entry<String, @Nullable Object> entry : left.entrySet()) {
            if (!Objects.deepEquals(entry.getValue(), right.get(entry.getKey()))) {
                return false;
            }
        }
        return true;
    }

    static String sha256(byte[] body) {
        return HexFormat.of().formatHex(sha256().digest(body));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
