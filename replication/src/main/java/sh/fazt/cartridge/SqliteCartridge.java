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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.Function;
import org.sqlite.SQLiteConfig;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * The cartridge on SQLite in WAL mode. Writes queue for the one {@code writer} thread, which commits many of
 * them as one durable SQLite transaction (group commit): a body that fails leaves nothing and fails nobody else. Thread-safe: one bounded queue in, immutable snapshots out.
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
    private final BlockingQueue<Job<?>> queue;
    private final BlockingQueue<Session> readers;
    private final List<CommitListener> listeners = new CopyOnWriteArrayList<>();
    private final Thread writer;
    private final Replica replica = new Replica();
    private final Refusals refusals;
    private final SpoolFolder spools;

    /** What the last commit left; replaced as a whole. */
    private volatile Map<String, Engine.State> published;

    private volatile @Nullable Origin origin;
    private volatile boolean closed;
    /** Whether the writer takes nothing more. */
    private volatile boolean ended;

    /** Whether the engine remembers a transaction that was rolled back, and could not be read anew. */
    private boolean stale;

    /** When the writer began what it does now, in nanoTime; null while it waits for work. */
    private volatile @Nullable Long busySince;

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
            published = load();
            ownership.opened();
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
        queue = new ArrayBlockingQueue<>(options.queue());
        readers = new ArrayBlockingQueue<>(options.readers());
        for (int i = 0; i < options.readers(); i++) {
            readers.add(connect(true));
        }
        writer = options.threads().newThread(this::writeLoop);
        writer.start();
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
        await(submit(new EpochJob<Origin>() {
            @Override
            Origin run(List<Commit> events) {
                String before = meta("node");
                long epoch = Long.parseLong(meta("epoch", "0"));
                if (!id.equals(before) || !isLastRunHere(new Origin(node, (int) Math.max(1, epoch)))) {
                    epoch = nextEpoch(node);
                    if (id.equals(before)) {
                        LOG.warn("this cartridge is a copy: it goes on under a new epoch epoch={}", epoch);
                    }
                }
                meta("node", id);
                meta("epoch", Long.toString(epoch));
                meta("marker", marker);
                Origin live = new Origin(node, (int) epoch);
                engine.id(live);
                return live;
            }

            @Override
            void committed(Origin live) {
                origin = live;
                written = writtenBy(live);
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
        return submit(new Job<T>() {
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
        return submit(new Job<T>() {
            @Override
            T run(List<Commit> events) throws Exception {
                Tx tx = new Tx(engine, null, null);
                T result = body.run(tx);
                events.add(new Commit(null, null, true, tx.changes()));
                return result;
            }
        });
    }

    @Override
    public <T> T read(ReadBody<T> body) {
        Session reader = null;
        try {
            while (reader == null) {
                if (closed) {
                    throw closedException();
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
        listeners.add(listener);
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
    private CompletionStage<Boolean> forget(Scope scope, @Nullable VersionVector at) {
        record Forgotten(boolean done, @Nullable Origin live) {}
        return submit(new EpochJob<Forgotten>() {
                    @Override
                    Forgotten run(List<Commit> events) {
                        if (at != null && !engine.state(scope).vector().equals(at)) {
                            return new Forgotten(false, origin);
                        }
                        List<CommitListener.Change> changes = new Forgetting(session, schema).run(scope);
                        engine.state(scope, new Engine.State(VersionVector.EMPTY, 0, Hlc.ZERO));
                        events.add(new Commit(scope, null, true, changes));
                        return new Forgotten(true, origin == null ? null : openEpochNow());
                    }

                    @Override
                    void committed(Forgotten forgotten) {
                        if (forgotten.done()) {
                            origin = forgotten.live();
                            written = 0;
                            Map<String, Engine.State> rest = new HashMap<>(published);
                            rest.remove(scope.id());
                            published = Map.copyOf(rest);
                        }
                    }
                })
                .thenApply(Forgotten::done);
    }

    /**
     * Replaces what lies beyond a fence by what another member holds in its place, see {@link Cut}. Answers whether
     * that was all of it; else it is to be called again.
     *
     * @param fence   cuts a vector of the scope
     * @param instead rows of the scope as another member holds them
     */
    public CompletionStage<Boolean> cut(
            Scope scope, UnaryOperator<VersionVector> fence, List<sh.fazt.cartridge.change.Row> instead) {
        return submit(new Job<Boolean>() {
            @Override
            Boolean run(List<Commit> events) {
                Tx tx = new Tx(engine, scope, origin);
                VersionVector upTo = fence.apply(engine.state(scope).vector());
                boolean all = new Cut(engine, schema, tx, scope, instead, spools).run(upTo);
                events.add(new Commit(scope, tx.changeset(), true, tx.changes()));
                return all;
            }

            @Override
            boolean alone() {
                return true;
            }
        });
    }

    private Origin openEpochNow() {
        Origin before = origin;
        if (before == null) {
            throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
        }
        Origin next = new Origin(before.node(), (int) nextEpoch(before.node()));
        meta("epoch", Integer.toString(next.epoch()));
        engine.id(next);
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
        if (closed) {
            return;
        }
        closed = true;
        try {
            queue.put(new Job<Void>() {
                @Override
                @SuppressWarnings("NullAway") // A stop has no result.
                Void run(List<Commit> events) {
                    return null;
                }

                @Override
                boolean alone() {
                    return true;
                }

                @Override
                boolean stops() {
                    return true;
                }
            });
            writer.join();
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

    private <T> CompletableFuture<T> submit(Job<T> job) {
        if (closed) {
            job.future.completeExceptionally(closedException());
        } else if (!queue.offer(job)) {
            job.future.completeExceptionally(new CartridgeException(
                    CartridgeException.Reason.OVERLOADED,
                    "the cartridge has " + options.queue() + " writes waiting: try again in a moment"));
        } else if (ended && queue.remove(job)) {
            // It came in between the question above and the writer's last look.
            job.future.completeExceptionally(closedException());
        }
        return job.future;
    }

    private CartridgeException closedException() {
        return new CartridgeException(CartridgeException.Reason.CLOSED, "the cartridge " + file + " is closed");
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (java.util.concurrent.CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private void writeLoop() {
        Job<?> next = null;
        while (next == null || !next.stops()) {
            try {
                if (next == null) {
                    next = queue.take();
                } else {
                    busySince = System.nanoTime();
                    next = commit(next);
                    busySince = null;
                }
            } catch (InterruptedException e) {
                // Only close() ends this thread.
                continue;
            }
        }
        ended = true;
        Job<?> late = queue.poll();
        while (late != null) {
            late.future.completeExceptionally(closedException());
            late = queue.poll();
        }
    }

    /**
     * Commits a job together with whatever else waits by the time that its body has run: callers that were just
     * answered come again while it runs, and would else have a commit of their own each. Answers the job that has
     * to be next, if there is one.
     */
    private @Nullable Job<?> commit(Job<?> first) {
        Group group = new Group();
        Job<?> next = first;
        try {
            if (stale) {
                engine.reload();
                stale = false;
            }
            ownership.expectInPlace();
            long before = refusals.now() ? session.changes() : -1;
            try {
                session.update("BEGIN IMMEDIATE");
                do {
                    group.jobs.add(next);
                    group.run(next);
                    next = first.alone() || group.jobs.size() == options.group() ? null : queue.poll();
                } while (next != null && !next.alone());
            } catch (BodyFailedException e) {
                next = null;
                rollBack();
                session.update("BEGIN IMMEDIATE");
                group.runEachByItself();
            }
            Map<String, Engine.State> changed = engine.flush(published);
            session.update("COMMIT");
            count(changed);
            Map<String, Engine.State> now = new HashMap<>(published);
            now.putAll(changed);
            published = Map.copyOf(now);
            engine.committed();
            if (before < 0 || session.changes() > before) {
                refusals.committed();
            }
        } catch (RuntimeException | Error e) {
            // The writer outlives whatever a transaction comes to: without it nothing is ever written again.
            rollBack();
            if (e instanceof CartridgeException failed && failed.reason() == CartridgeException.Reason.NOT_WRITABLE) {
                refusals.refused(failed);
            }
            if (group.jobs.isEmpty()) {
                group.jobs.add(first);
            }
            group.jobs.forEach(job -> job.future.completeExceptionally(e));
            return next == null || group.jobs.contains(next) ? null : next;
        }
        group.tell();
        return next;
    }

    private void rollBack() {
        try {
            session.update("ROLLBACK");
        } catch (RuntimeException already) {
            // SQLite rolls back by itself when the disk fails.
        }
        try {
            engine.reload();
        } catch (RuntimeException unreadable) {
            stale = true;
        }
    }

    /** A body failed in a group that has no savepoints. */
    private static final class BodyFailedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        BodyFailedException(Throwable why) {
            super(null, why, false, false);
        }
    }

    /**
     * The jobs of one commit and what comes of them. A savepoint for each body would cost as much as the body: the
     * bodies run without, and in the rare case that one fails, all run again, each in a savepoint of its own.
     */
    private final class Group {
        final List<Job<?>> jobs = new ArrayList<>();
        private final List<Commit> events = new ArrayList<>();
        private final List<Runnable> outcomes = new ArrayList<>();

        <T> void run(Job<T> job) {
            T result;
            try {
                result = job.run(events);
            } catch (CartridgeException e) {
                throw failsAll(e) ? e : new BodyFailedException(e);
            } catch (Exception | Error e) {
                throw new BodyFailedException(e);
            }
            outcomes.add(() -> {
                job.committed(result);
                job.future.complete(result);
            });
        }

        private static boolean failsAll(CartridgeException e) {
            return e.reason() == CartridgeException.Reason.NOT_WRITABLE
                    || e.reason() == CartridgeException.Reason.DAMAGED;
        }

        void runEachByItself() {
            events.clear();
            outcomes.clear();
            for (Job<?> job : jobs) {
                Map<String, Engine.State> mark = engine.mark();
                int eventsBefore = events.size();
                session.update("SAVEPOINT body");
                try {
                    run(job);
                    session.update("RELEASE body");
                } catch (BodyFailedException e) {
                    session.update("ROLLBACK TO body");
                    session.update("RELEASE body");
                    engine.backTo(mark);
                    events.subList(eventsBefore, events.size()).clear();
                    outcomes.add(() -> job.future.completeExceptionally(e.getCause()));
                }
            }
        }

        /** After the commit: listeners first, so that a caller who is answered finds them told. */
        void tell() {
            for (Commit event : events) {
                for (CommitListener listener : listeners) {
                    try {
                        listener.committed(event);
                    } catch (RuntimeException | Error e) {
                        LOG.error(
                                "a commit listener failed listener={}",
                                listener.getClass().getName(),
                                e);
                    }
                }
            }
            outcomes.forEach(Runnable::run);
        }
    }

    private void count(Map<String, Engine.State> changed) {
        Origin live = origin;
        if (live == null) {
            return;
        }
        long more = 0;
        for (Map.Entry<String, Engine.State> entry : changed.entrySet()) {
            Engine.State before = published.get(entry.getKey());
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
        while (await(submit(new Job<Boolean>() {
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
        Long since = busySince;
        return since == null ? OptionalLong.empty() : OptionalLong.of(since);
    }

    /** The clock that stamps writes here; it knows the time as the swarm has it. */
    public HybridClock clock() {
        return engine.clock();
    }

    /** One thing for the writer to do. */
    private abstract static class Job<T extends @Nullable Object> {
        final CompletableFuture<T> future = new CompletableFuture<>();

        abstract T run(List<Commit> events) throws Exception;

        /** On the writer, once it is durable. */
        void committed(T result) {}

        /** Whether it has a transaction to itself, because it changes what the next ones are stamped with. */
        boolean alone() {
            return false;
        }

        boolean stops() {
            return false;
        }
    }

    /** A job that changes the live origin. */
    private abstract static class EpochJob<T extends @Nullable Object> extends Job<T> {
        @Override
        boolean alone() {
            return true;
        }
    }

    /** This cartridge as sync sees it. */
    private final class Replica implements ReplicaStore {
        @Override
        public Origin origin() {
            Origin live = origin;
            if (live == null) {
                throw new IllegalStateException("the cartridge is not bound to a node yet: bind it first");
            }
            return live;
        }

        @Override
        public Map<Scope, VersionVector> vectors() {
            Map<Scope, VersionVector> vectors = new HashMap<>();
            published.forEach((scope, state) -> vectors.put(new Scope(scope), state.vector()));
            return Map.copyOf(vectors);
        }

        @Override
        public VersionVector vector(Scope scope) {
            Engine.State state = published.get(scope.id());
            return state == null ? VersionVector.EMPTY : state.vector();
        }

        @Override
        public long digest(Scope scope) {
            Engine.State state = published.get(scope.id());
            return state == null ? 0 : state.digest();
        }

        @Override
        public CompletionStage<Applied> apply(Changeset changeset) {
            Scope scope = changeset.dot().scope();
            Origin from = changeset.dot().origin();
            long sequence = changeset.dot().sequence();
            return submit(new Job<Applied>() {
                @Override
                Applied run(List<Commit> events) {
                    VersionVector here = engine.state(scope).vector();
                    if (here.includes(from, sequence)) {
                        return Applied.KNOWN;
                    }
                    if (here.get(from) != sequence - 1 || !here.covers(changeset.deps())) {
                        return Applied.NEEDS_PULL;
                    }
                    VersionVector sender = changeset.deps().with(from, sequence);
                    if (new Floors(engine, schema, scope).doubts(sender, changeset)) {
                        // Whoever sent it may have deleted it since: what it has now is what counts.
                        return Applied.NEEDS_PULL;
                    }
                    merging(scope, events)
                            .run(
                                    sender,
                                    List.of(changeset.contents()),
                                    here.with(from, sequence),
                                    changeset,
                                    Floor.NONE);
                    return Applied.DONE;
                }
            });
        }

        @Override
        public CompletionStage<Applied> apply(
                Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts) {
            return apply(scope, since, senderVector, parts, Floor.NONE);
        }

        @Override
        public CompletionStage<Applied> apply(
                Scope scope, VersionVector since, VersionVector senderVector, List<byte[]> parts, Floor floor) {
            return submit(new Job<Applied>() {
                @Override
                Applied run(List<Commit> events) {
                    VersionVector here = engine.state(scope).vector();
                    if (!here.covers(since)) {
                        return Applied.NEEDS_PULL;
                    }
                    if (here.covers(senderVector)) {
                        return Applied.KNOWN;
                    }
                    merging(scope, events)
                            .run(
                                    senderVector,
                                    () -> parts.stream().map(RowCodec::read).iterator(),
                                    here.merge(senderVector),
                                    null,
                                    floor);
                    return Applied.DONE;
                }
            });
        }

        private Merging merging(Scope scope, List<Commit> events) {
            return new Merging(engine, schema, scope, origin, events);
        }

        @Override
        public Spool open(Scope scope, VersionVector since) {
            return read(rows -> Spools.answer(schema, (Session) rows, scope, since, spools.open(0)));
        }

        @Override
        public Scratch scratch(long bytes) {
            return spools.open(bytes);
        }

        @Override
        public Scan scan(Scope scope, @Nullable String table, Consumer<sh.fazt.cartridge.change.Row> rows) {
            return read(session -> Scans.read(schema, (Session) session, scope, table, rows));
        }

        @Override
        public Weight weigh(Scope scope, VersionVector since) {
            return read(rows -> Weights.of(schema, (Session) rows, scope, since));
        }

        @Override
        public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
            return submit(new Job<Boolean>() {
                @Override
                Boolean run(List<Commit> events) {
                    Engine.Merged repaired = new Repairs(engine, scope, origin()).run(repair, schema);
                    if (repaired == null) {
                        return false;
                    }
                    events.add(new Commit(scope, null, false, repaired.changed()));
                    Merging merging = merging(scope, events);
                    merging.writeAnew(repaired.anew());
                    merging.record(repaired.losers());
                    return true;
                }
            });
        }

        @Override
        public Floor floor(Scope scope) {
            return read(rows -> Floors.read((Session) rows, scope, new RowReader((Session) rows)::origin));
        }

        @Override
        public CompletionStage<Integer> collect(Scope scope, VersionVector stable, Hlc until, int most) {
            return submit(new Job<Integer>() {
                @Override
                Integer run(List<Commit> events) {
                    return new Floors(engine, schema, scope).collect(stable, until, most);
                }
            });
        }

        @Override
        public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
            return SqliteCartridge.this.forget(scope, at);
        }

        @Override
        public CompletionStage<Origin> openEpoch() {
            return submit(new EpochJob<Origin>() {
                @Override
                Origin run(List<Commit> events) {
                    return openEpochNow();
                }

                @Override
                void committed(Origin live) {
                    LOG.warn(
                            "a peer knows more of this node's history than this file: new epoch epoch={}",
                            live.epoch());
                    origin = live;
                    written = 0;
                }
            });
        }
    }
}
