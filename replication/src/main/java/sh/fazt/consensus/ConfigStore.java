package sh.fazt.consensus;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.protocol.consensus.v1.Command;
import sh.fazt.protocol.consensus.v1.ConfigHead;
import sh.fazt.protocol.consensus.v1.Operation;
import sh.fazt.protocol.consensus.v1.Outcome;
import sh.fazt.protocol.consensus.v1.Record;
import sh.fazt.protocol.consensus.v1.SignedConfig;
import sh.fazt.protocol.consensus.v1.Snapshot;

/** The agreed records in the cartridge, and how far the log is applied to them. Thread-safe. */
final class ConfigStore implements LeaseDesk.Records {
    static final SchemaPart SCHEMA = new SchemaPart("consensus", List.of("""
                    CREATE TABLE config_entry (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
                        value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
                    CREATE TABLE config_answered (request TEXT PRIMARY KEY, idx INTEGER NOT NULL, outcome BLOB NOT NULL)
                        WITHOUT ROWID;
                    CREATE TABLE raft_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    """), List.of());

    /** Answers that are kept for requests that come again: far more than can be under way. */
    private static final int ANSWERS = 1000;

    private static final String BASE = "base";
    /** Under which this node's role is kept, and the one role that is. */
    static final String ROLE = "role";

    static final String OBSERVER = "observer";

    private final Cartridge cartridge;

    ConfigStore(Cartridge cartridge) {
        this.cartridge = cartridge;
    }

    /** How far the log is applied; term 0, index -1 at the start. */
    record Applied(long term, long index) {}

    Applied applied() {
        return cartridge.read(ConfigStore::applied);
    }

    /**
     * The config's version: the index of the last applied command, counted on through logs that were begun anew. An
     * observer has that of what it was fed.
     */
    long version() {
        return cartridge.read(ConfigStore::version);
    }

    /** What an index of the log counts from. */
    long base() {
        return cartridge.read(ConfigStore::base);
    }

    static long version(Rows rows) {
        return base(rows) + Math.max(0, applied(rows).index());
    }

    static long base(Rows rows) {
        String text = get(rows, BASE);
        return text == null ? 0 : Long.parseLong(text);
    }

    static void base(LocalTx tx, long base) {
        state(tx, BASE, base == 0 ? null : Long.toString(base));
    }

    static Applied applied(Rows rows) {
        String text = get(rows, "applied");
        if (text == null) {
            return new Applied(0, -1);
        }
        int colon = text.indexOf(':');
        return new Applied(Long.parseLong(text.substring(0, colon)), Long.parseLong(text.substring(colon + 1)));
    }

    private static @Nullable String get(Rows rows, String name) {
        return rows.first("SELECT value FROM raft_state WHERE name = ?", row -> row.text(0), name)
                .orElse(null);
    }

    @Nullable
    String state(String name) {
        return cartridge.read(rows -> Optional.ofNullable(get(rows, name))).orElse(null);
    }

    static void state(LocalTx tx, String name, @Nullable String value) {
        if (value == null) {
            tx.execute("DELETE FROM raft_state WHERE name = ?", name);
        } else {
            tx.execute(
                    "INSERT INTO raft_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    name,
                    value);
        }
    }

    /** Applies a command and notes how far the log is, as one transaction; what was applied before is not again. */
    static Outcome apply(LocalTx tx, Command command, long term, long index) {
        if (applied(tx).index() >= index) {
            return answered(tx, command.getRequest())
                    .orElse(Outcome.newBuilder().setApplied(true).build());
        }
        if (applied(tx).index() < 0) {
            // What was agreed in an earlier incarnation was kept until the log is heard; the log says it all again.
            clear(tx);
        }
        Outcome outcome = answered(tx, command.getRequest()).orElse(null);
        if (outcome == null) {
            outcome = decide(tx, command);
            if (outcome.getApplied()) {
                long version = base(tx) + index;
                command.getOperationsList()
                        .forEach(operation ->
                                change(tx, operation, command.getFormat() < 2 ? operation.getExpected() + 1 : version));
            }
            tx.execute(
                    "INSERT OR REPLACE INTO config_answered VALUES (?, ?, ?)",
                    command.getRequest(),
                    index,
                    outcome.toByteArray());
            tx.execute("DELETE FROM config_answered WHERE idx <= ?", index - ANSWERS);
        }
        state(tx, "applied", term + ":" + index);
        return outcome;
    }

    private static Optional<Outcome> answered(Rows rows, String request) {
        return rows.first("SELECT outcome FROM config_answered WHERE request = ?", row -> row.bytes(0), request)
                .map(bytes -> {
                    try {
                        return Outcome.parseFrom(bytes);
                    } catch (InvalidProtocolBufferException e) {
                        throw new IllegalStateException("a damaged answer in the cartridge", e);
                    }
                });
    }

    private static Outcome decide(Rows rows, Command command) {
        for (Operation operation : command.getOperationsList()) {
            Record now = record(rows, operation.getKind(), operation.getKey());
            if (now.getVersion() != operation.getExpected()) {
                return Outcome.newBuilder().setConflict(now).build();
            }
        }
        return Outcome.newBuilder().setApplied(true).build();
    }

    private static Record record(Rows rows, String kind, String key) {
        Record.Builder record = Record.newBuilder().setKind(kind).setKey(key);
        rows.first(
                "SELECT version, value FROM config_entry WHERE kind = ? AND key = ?",
                row -> record.setVersion(row.integer(0)).setValue(ByteString.copyFrom(row.bytes(1))),
                kind,
                key);
        return record.build();
    }

    private static void change(LocalTx tx, Operation operation, long version) {
        if (operation.getDelete()) {
            tx.execute("DELETE FROM config_entry WHERE kind = ? AND key = ?", operation.getKind(), operation.getKey());
        } else {
            put(tx, operation.getKind(), operation.getKey(), version, operation.getValue());
        }
    }

    Optional<ConfigEntry> entry(String kind, String key) {
        return cartridge.read(rows -> rows.first(
                "SELECT kind, key, version, value FROM config_entry WHERE kind = ? AND key = ?",
                ConfigStore::entry,
                kind,
                key));
    }

    List<ConfigEntry> entries(String kind) {
        return cartridge.read(rows -> rows.query(
                "SELECT kind, key, version, value FROM config_entry WHERE kind = ? ORDER BY key",
                ConfigStore::entry,
                kind));
    }

    @Override
    public @Nullable ConfigEntry lease(String kind, String key) {
        return entry(kind, key).orElse(null);
    }

    @Override
    public List<ConfigEntry> leases() {
        return entries(LeaseDesk.LEASE);
    }

    static ConfigEntry entry(Rows.ResultRow row) {
        return new ConfigEntry(row.text(0), row.text(1), row.integer(2), row.bytes(3));
    }

    /** Everything, as of the last applied index. */
    Snapshot dump() {
        return cartridge.read(rows -> {
            Snapshot.Builder snapshot = Snapshot.newBuilder().setBase(base(rows));
            rows.query("SELECT kind, key, version, value FROM config_entry", ConfigStore::entry)
                    .forEach(entry -> snapshot.addRecords(record(entry)));
            for (String request : rows.query("SELECT request FROM config_answered", row -> row.text(0))) {
                snapshot.addAnswered(Snapshot.Answered.newBuilder()
                        .setRequest(request)
                        .setIndex(rows.first(
                                        "SELECT idx FROM config_answered WHERE request = ?",
                                        row -> row.integer(0),
                                        request)
                                .orElse(0L))
                        .setOutcome(answered(rows, request).orElse(Outcome.getDefaultInstance())));
            }
            return snapshot.build();
        });
    }

    /** Every record, in order of kind and key, and the version that they are of. */
    ConfigTeller.State everything() {
        return cartridge.read(rows -> new ConfigTeller.State(version(rows), everything(rows)));
    }

    private static List<ConfigEntry> everything(Rows rows) {
        return rows.query("SELECT kind, key, version, value FROM config_entry ORDER BY kind, key", ConfigStore::entry);
    }

    static Record record(ConfigEntry entry) {
        return Record.newBuilder()
                .setKind(entry.kind())
                .setKey(entry.key())
                .setVersion(entry.version())
                .setValue(ByteString.copyFrom(entry.value()))
                .build();
    }

    /** Follows what a voter told; answers false when the outcome does not have the digest that was signed. */
    static boolean follow(LocalTx tx, SignedConfig told, ConfigHead head) {
        if (!OBSERVER.equals(get(tx, ROLE))) {
            return false;
        }
        if (told.getWhole()) {
            tx.execute("DELETE FROM config_entry");
        }
        for (Record record : told.getRemovedList()) {
            tx.execute("DELETE FROM config_entry WHERE kind = ? AND key = ?", record.getKind(), record.getKey());
        }
        for (Record record : told.getChangedList()) {
            put(tx, record.getKind(), record.getKey(), record.getVersion(), record.getValue());
        }
        base(tx, head.getVersion());
        state(tx, "applied", "0:0");
        return SignedConfigs.digest(everything(tx)).equals(head.getDigest());
    }

    private static void put(LocalTx tx, String kind, String key, long version, ByteString value) {
        tx.execute(
                "INSERT INTO config_entry VALUES (?, ?, ?, ?) ON CONFLICT (kind, key)"
                        + " DO UPDATE SET version = excluded.version, value = excluded.value",
                kind,
                key,
                version,
                value.toByteArray());
    }

    /** Takes a change over that was agreed elsewhere, before it is heard. */
    static void presume(LocalTx tx, List<SwarmConfig.Op> agreed) {
        for (SwarmConfig.Op op : agreed) {
            byte[] value = op.value();
            if (value == null) {
                tx.execute("DELETE FROM config_entry WHERE kind = ? AND key = ?", op.kind(), op.key());
            } else {
                put(tx, op.kind(), op.key(), version(tx), ByteString.copyFrom(value));
            }
        }
    }

    /** Replaces everything by a snapshot. */
    void load(Snapshot snapshot, long term, long index) {
        cartridge
                .writeLocal(tx -> {
                    clear(tx);
                    for (Record record : snapshot.getRecordsList()) {
                        tx.execute(
                                "INSERT INTO config_entry VALUES (?, ?, ?, ?)",
                                record.getKind(),
                                record.getKey(),
                                record.getVersion(),
                                record.getValue().toByteArray());
                    }
                    for (Snapshot.Answered answered : snapshot.getAnsweredList()) {
                        tx.execute(
                                "INSERT INTO config_answered VALUES (?, ?, ?)",
                                answered.getRequest(),
                                answered.getIndex(),
                                answered.getOutcome().toByteArray());
                    }
                    state(tx, "applied", term + ":" + index);
                    base(tx, snapshot.getBase());
                    return true;
                })
                .toCompletableFuture()
                .join();
    }

    /**
     * Lets a new log begin behind everything that is agreed: as its first snapshot, so that whoever joins later gets
     * it too.
     */
    static void restart(LocalTx tx) {
        tx.execute("DELETE FROM config_answered");
        base(tx, version(tx));
        state(tx, "applied", "0:0");
    }

    /** The same for a node alone, whose cartridge may be a copy put back: no fencing token is given twice. */
    static void reopen(LocalTx tx) {
        restart(tx);
        tx.first(
                        "SELECT kind, key, version, value FROM config_entry WHERE kind = ?",
                        ConfigStore::entry,
                        LeaseDesk.CLOCK)
                .ifPresent(clock -> {
                    long version = base(tx) + 1;
                    base(tx, version);
                    put(tx, clock.kind(), clock.key(), version, ByteString.copyFrom(LeaseDesk.reopened(clock)));
                });
    }

    /** Forgets what was agreed but some kinds of records and the last fencing token, and how far the log was. */
    static void keepOnly(LocalTx tx, Set<String> kept) {
        for (String kind : tx.query("SELECT DISTINCT kind FROM config_entry", row -> row.text(0))) {
            if (!kept.contains(kind) && !kind.equals(LeaseDesk.CLOCK)) {
                tx.execute("DELETE FROM config_entry WHERE kind = ?", kind);
            }
        }
        reopen(tx);
        state(tx, ROLE, null);
    }

    /** Forgets what was agreed, and how far the log was. */
    static void clear(LocalTx tx) {
        tx.execute("DELETE FROM config_entry");
        tx.execute("DELETE FROM config_answered");
        state(tx, "applied", null);
        base(tx, 0);
    }

    /** Kinds and keys that a command touches. */
    static List<String> touched(Command command) {
        List<String> touched = new ArrayList<>();
        command.getOperationsList().forEach(operation -> touched.add(operation.getKind()));
        return touched;
    }
}
