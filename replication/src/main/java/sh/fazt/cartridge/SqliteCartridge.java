package sh.fazt.cartridge;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.Function;
import org.sqlite.SQLiteConfig;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * The cartridge on SQLite in WAL mode. One thread writes ({@link GroupCommit}), a few connections read. Thread-safe.
 */
public final class SqliteCartridge implements Cartridge {
    private static final Logger LOG = LoggerFactory.getLogger(SqliteCartridge.class);

    /** Two puttings back of one copy agree on the next epoch once in a million. */
    private static final int EPOCH_STEP = 1 << 20;

    private final SecureRandom chance = new SecureRandom();
    private final Path file;
    private final CartridgeOptions options;
    private final Schema schema;
    private final Ownership ownership;
    private final Session session;
    private final Engine engine;
    private final BlockingQueue<Session> readers;
    private final GroupCommit commits;
    private final ReplicaStore replica;
    private final Refusals refusals;
    private final SpoolFolder spools;

    private volatile @Nullable Origin origin;

    /** How many transactions the live origin has written; the writer's. */
    private long written;

    private SqliteCartridge(Path file, CartridgeOptions options, Schema schema, Ownership ownership) {
        this.file = file;
        this.options = options;
        this.refusals = new Refusals(file, options.wall());
        this.schema = schema;
        this.ownership = ownership;
        this.spools = new SpoolFolder(file, refusals::tight);
        this.session = connect(false);
        try {
            checkFormat();
            Space.prepare(session);
            List<TableSql> reindexed = schema.migrate(session, file.toString());
            engine = new Engine(session, schema, new HybridClock(options.wall()));
            session.script("BEGIN IMMEDIATE");
            reindexed.forEach(table -> Documents.reindex(engine, table));
            engine.unpark();
            engine.flush(Map.of());
            session.script("COMMIT");
            engine.committed();
            commits = new GroupCommit(file, options, session, engine, ownership, refusals, load(), this::count);
            ownership.opened();
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
        replica = new CartridgeReplica(this, commits, engine, schema, spools);
        readers = new ArrayBlockingQueue<>(options.readers());
        for (int i = 0; i < options.readers(); i++) {
            readers.add(connect(true));
        }
        commits.start();
    }

    /**
     * Opens a cartridge, making it where there is none.
     *
     * @throws CartridgeException {@code IN_USE, NEWER_VERSION, DAMAGED, NOT_WRITABLE}
     */
    public static SqliteCartridge open(Path file, CartridgeOptions options, List<SchemaPart> rooms) {
        Path absolute = file.toAbsolutePath().normalize();
        FileHeader.check(absolute);
        Path folder = absolute.getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            try {
                Files.createDirectories(folder);
            } catch (java.io.IOException e) {
                throw new CartridgeException(
                        CartridgeException.Reason.NOT_WRITABLE,
                        "can't make the folder " + folder + " for the cartridge (" + e
                                + "): check who may write there, or name another file with --db",
                        e);
            }
        }
        Ownership ownership = Ownership.take(absolute);
        try {
            return new SqliteCartridge(absolute, options, new Schema(rooms), ownership);
        } catch (CartridgeException e) {
            ownership.close();
            String message = String.valueOf(e.getMessage());
            throw message.contains(absolute.toString())
                    ? e
                    : new CartridgeException(e.reason(), "can't open " + absolute + ": " + message, e);
        } catch (RuntimeException e) {
            ownership.close();
            throw e;
        }
    }

    private Session connect(boolean readOnly) {
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(readOnly);
        config.setBusyTimeout(5000);
        config.setTempStore(SQLiteConfig.TempStore.MEMORY);
        config.setCacheSize(-4000);
        // The driver would ask for the row id after every insert, by a statement that it prepares anew each time.
        config.setGetGeneratedKeys(false);
        config.setPragma(SQLiteConfig.Pragma.MMAP_SIZE, String.valueOf(options.mmapBytes()));
        if (!readOnly) {
            config.setJournalMode(SQLiteConfig.JournalMode.WAL);
            config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
            config.setJournalSizeLimit(64 << 20);
        }
        try {
            Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file, config.toProperties());
            // Only that it is there counts, see TableSql; readers need it to make a backup.
            Function.create(connection, TableSql.GUARD, new Function() {
                @Override
                protected void xFunc() throws SQLException {
                    result(1);
                }
            });
            return new Session(connection);
        } catch (SQLException e) {
            throw Session.failure("opening " + file, e);
        }
    }

    private void checkFormat() {
        long id = session.first("PRAGMA application_id", row -> row.integer(0)).orElse(0L);
        boolean empty = session.query("SELECT name FROM sqlite_master LIMIT 1", row -> row.text(0))
                .isEmpty();
        if (id != Schema.APPLICATION_ID && !empty) {
            throw new CartridgeException(
                    CartridgeException.Reason.DAMAGED,
                    file + " is a database of another program, not a cartridge: name another file with --db");
        }
    }

    private Map<String, Engine.State> load() {
        Map<String, Engine.State> all = new HashMap<>();
        for (String scope : session.query("SELECT scope FROM fazt_scope", row -> row.text(0))) {
            all.put(scope, engine.state(new Scope(scope)));
        }
        engine.committed();
        return Map.copyOf(all);
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public void bind(NodeId node) {
        String id = node.toString();
        String marker = UUID.randomUUID().toString();
        record Bound(Origin live, @Nullable Doubt doubt) {}
        await(commits.submit(new Job.Alone<Bound>() {
            @Override
            Bound run(List<Commit> events) {
                String before = meta("node");
                long epoch = Long.parseLong(meta("epoch", "0"));
                boolean goesOn = id.equals(before) && isLastRunHere(new Origin(node, (int) Math.max(1, epoch)));
                if (!goesOn) {
                    epoch = nextEpoch(node);
                    Doubt.end(session);
                    if (id.equals(before)) {
                        LOG.warn("this cartridge is a copy: it goes on under a new epoch epoch={}", epoch);
                    }
                }
                meta("node", id);
                meta("epoch", Long.toString(epoch));
                meta("marker", marker);
                Origin live = new Origin(node, (int) epoch);
                engine.id(live);
                if (goesOn && Doubt.read(session, live) == null) {
                    Doubt.begin(engine, live);
                }
                return new Bound(live, Doubt.read(session, live));
            }

            @Override
            void committed(Bound bound) {
                origin = bound.live();
                engine.doubt(bound.doubt());
                written = writtenBy(bound.live());
            }
        }));
        ownership.mark(marker, written);
    }

    /** Whether this is the very file that was last run here, and not an older or a foreign copy of it. */
    private boolean isLastRunHere(Origin live) {
        Ownership.LastRun last = ownership.lastRun();
        return last != null && last.marker().equals(meta("marker")) && writtenBy(live) >= last.written();
    }

    /** How many transactions of the origin are in the file, in all scopes. */
    private long writtenBy(Origin live) {
        return session.first(
                        "SELECT coalesce(sum(v.seq), 0) FROM fazt_vector v JOIN fazt_origin o ON o.id = v.origin"
                                + " WHERE o.node = ? AND o.epoch = ?",
                        row -> row.integer(0),
                        live.node().bytes(),
                        live.epoch())
                .orElse(0L);
    }

    /**
     * An epoch above any that this file knows of the node. By how much is chance: of one old copy that is put back
     * twice, the second knows nothing of the epoch that the first went on under.
     */
    private long nextEpoch(NodeId node) {
        long known = session.first(
                        "SELECT coalesce(max(epoch), 0) FROM fazt_origin WHERE node = ?",
                        row -> row.integer(0),
                        (Object) node.bytes())
                .orElse(0L);
        return known + 1 + chance.nextInt(EPOCH_STEP);
    }

    private @Nullable String meta(String key) {
        return session.first("SELECT value FROM fazt_meta WHERE key = ?", row -> row.text(0), key)
                .orElse(null);
    }

    private String meta(String key, String value) {
        if (key.equals("epoch") && value.equals("0") || value.isEmpty()) {
            String found = meta(key);
            return found == null ? value : found;
        }
        session.update(
                "INSERT INTO fazt_meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                key,
                value);
        return value;
    }

    @Override
    public <T> CompletionStage<T> write(Scope scope, WriteBody<T> body) {
        return commits.submit(new Job<T>() {
            @Override
            T run(List<Commit> events) throws Exception {
                Tx tx = new Tx(engine, scope, origin);
                T result = body.run(tx);
                Changeset changeset = tx.changeset();
                if (changeset != null || !tx.localTables.isEmpty()) {
                    events.add(new Commit(changeset == null ? null : scope, changeset, true, tx.changes()));
                }
                return result;
            }
        });
    }

    @Override
    public <T> CompletionStage<T> writeLocal(LocalBody<T> body) {
        return writeLocal(body, false);
    }

    @Override
    public <T> CompletionStage<T> writeLocalAlone(LocalBody<T> body) {
        return writeLocal(body, true);
    }

    private <T> CompletionStage<T> writeLocal(LocalBody<T> body, boolean alone) {
        return commits.submit(new Job<T>() {
            @Override
            T run(List<Commit> events) throws Exception {
                Tx tx = new Tx(engine, null, null);
                T result = body.run(tx);
                events.add(new Commit(null, null, true, tx.changes()));
                return result;
            }

            @Override
            boolean alone() {
                return alone;
            }
        });
    }

    @Override
    public <T> T read(ReadBody<T> body) {
        Session reader = null;
        try {
            while (reader == null) {
                if (commits.isClosed()) {
                    throw commits.closedException();
                }
                // Whoever waits while the cartridge closes is told within the second.
                reader = readers.poll(1, TimeUnit.SECONDS);
            }
            reader.update("BEGIN");
            try {
                return body.run(reader);
            } finally {
                reader.update("COMMIT");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CartridgeException(
                    CartridgeException.Reason.OVERLOADED, "interrupted while waiting for a reader", e);
        } finally {
            if (reader != null) {
                readers.add(reader);
            }
        }
    }

    @Override
    public void listen(CommitListener listener) {
        commits.listen(listener);
    }

    @Override
    public ReplicaStore replica() {
        return replica;
    }

    @Override
    public CompletionStage<Void> forget(Scope scope) {
        return forget(scope, null).thenApply(ignored -> null);
    }

    /** Answers whether it was done: not when the scope's vector is another one, unless any will do. */
    CompletionStage<Boolean> forget(Scope scope, @Nullable VersionVector at) {
        record Forgotten(boolean done, @Nullable Origin live) {}
        return commits.submit(new Job.Alone<Forgotten>() {
                    @Override
                    Forgotten run(List<Commit> events) {
                        if (at != null && !engine.state(scope).vector().equals(at)) {
                            return new Forgotten(false, origin);
                        }
                        List<CommitListener.Change> changes = new Forgetting(session, schema).run(scope);
                        engine.state(scope, new Engine.State(VersionVector.EMPTY, 0, Hlc.ZERO));
                        events.add(new Commit(scope, null, true, changes));
                        return new Forgotten(true, origin == null ? null : openEpochNow(events));
                    }

                    @Override
                    void committed(Forgotten forgotten) {
                        if (forgotten.done()) {
                            goOn(forgotten.live());
                            commits.unpublish(scope);
                        }
                    }
                })
                .thenApply(Forgotten::done);
    }

    /** What this node writes as; null before it is bound. */
    @Nullable
    Origin origin() {
        return origin;
    }

    /** See {@link ReplicaStore#openEpoch}. */
    CompletionStage<Origin> openEpoch() {
        return commits.submit(new Job.Alone<Origin>() {
            @Override
            Origin run(List<Commit> events) {
                return openEpochNow(events);
            }

            @Override
            void committed(Origin live) {
                LOG.warn("a peer knows more of this node's history than this file: new epoch epoch={}", live.epoch());
                goOn(live);
            }
        });
    }

    /** See {@link ReplicaStore#settle}. */
    CompletionStage<Boolean> settle() {
        return commits.submit(new Job.Alone<Boolean>() {
            @Override
            Boolean run(List<Commit> events) {
                Doubt.end(session);
                return true;
            }

            @Override
            void committed(Boolean settled) {
                engine.doubt(null);
            }
        });
    }

    private void goOn(@Nullable Origin live) {
        origin = live;
        engine.doubt(null);
        written = live == null ? 0 : writtenBy(live);
        ownership.count(written);
    }

    private Origin openEpochNow(List<Commit> events) {
        Origin before = origin;
        if (before == null) {
            throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
        }
        Origin next = new Origin(before.node(), (int) nextEpoch(before.node()));
        meta("epoch", Integer.toString(next.epoch()));
        engine.id(next);
        Doubt doubt = engine.doubt();
        if (doubt != null) {
            new Doubt.Renaming(engine, schema, doubt, next).run(events);
            Doubt.end(session);
        }
        return next;
    }

    @Override
    public Conflicts conflicts() {
        return new Conflicts(this, schema);
    }

    @Override
    public Map<String, List<String>> blobColumns() {
        Map<String, List<String>> columns = new HashMap<>();
        schema.tables.values().stream()
                .filter(table -> !table.blobColumns.isEmpty())
                .forEach(table -> columns.put(table.name, List.copyOf(table.blobColumns)));
        return columns;
    }

    @Override
    public List<Reference> references(Rows rows, String blob) {
        List<Reference> references = new ArrayList<>();
        for (TableSql table : schema.tables.values()) {
            for (String column : table.blobColumns) {
                references.addAll(rows.query(
                        table.naming(column),
                        row -> new Reference(new Scope(row.text(0)), table.name, RowReader.key(table, row, 1)),
                        blob));
            }
        }
        return references;
    }

    @Override
    public void backup(Path target) {
        Backups.write(this, target);
    }

    @Override
    public List<String> check() {
        List<String> found = read(rows -> rows.query("PRAGMA integrity_check", row -> row.text(0)));
        return found.equals(List.of("ok")) ? List.of() : found;
    }

    @Override
    public void close() {
        try {
            if (!commits.close()) {
                return;
            }
            for (int i = 0; i < options.readers(); i++) {
                readers.take().close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            if (origin != null && !refusals.now()) {
                String marker = UUID.randomUUID().toString();
                meta("marker", marker);
                session.query("PRAGMA wal_checkpoint(TRUNCATE)", row -> row.integer(0));
                ownership.mark(marker, written);
            }
        } finally {
            session.close();
            spools.close();
            ownership.close();
        }
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** On the writer: how much the live origin has written by now. */
    private void count(Map<String, Engine.State> changed) {
        Origin live = origin;
        if (live == null) {
            return;
        }
        long more = 0;
        for (Map.Entry<String, Engine.State> entry : changed.entrySet()) {
            Engine.State before = commits.published().get(entry.getKey());
            more += entry.getValue().vector().get(live)
                    - (before == null ? 0 : before.vector().get(live));
        }
        if (more > 0) {
            written += more;
            ownership.count(written);
        }
    }

    /** Why writes are refused, or some were within the last minute; null when all is well. */
    public @Nullable String notWritable() {
        return refusals.lately();
    }

    /** How large the file is, and how much of that holds nothing. */
    public record Size(long bytes, long free) {}

    public Size size() {
        return read(Space::size);
    }

    /** Gives what the file does not need back to the disk, a little at a time; answers how many bytes. Blocking. */
    public long shrink() {
        long before = size().bytes();
        while (await(commits.submit(new Job<Boolean>() {
            @Override
            Boolean run(List<Commit> events) {
                return Space.giveBack(session);
            }
        }))) {
            // Others write in between.
        }
        return before - size().bytes();
    }

    /** Since when, in nanoTime, the writer has been at the transaction that it is at; empty while it waits for work. */
    public OptionalLong busySince() {
        return commits.busySince();
    }

    /** The clock that stamps writes here; it knows the time as the swarm has it. */
    public HybridClock clock() {
        return engine.clock();
    }
}
