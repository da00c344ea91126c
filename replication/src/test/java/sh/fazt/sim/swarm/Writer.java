package sh.fazt.sim.swarm;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.sim.SimWorld;

/**
 * The writer of a simulated node over virtual time: jobs wait, and are committed together once the disk has them.
 * Listeners and callers are told after that, as the cartridge tells them. When the process ends, what waits is lost,
 * or is on the disk and nobody was told.
 */
final class Writer implements ReplicaStore {
    private final SimWorld world;
    private final NodeId node;
    private final SimReplica replica;
    private final Notebook notes;
    private final RandomGenerator random;
    private final List<CommitListener> listeners = new ArrayList<>();
    private final ArrayDeque<Job<?>> waiting = new ArrayDeque<>();
    private boolean committing;
    private int openSpools;
    private boolean ended;
    /** Chance that a commit fails, as on a full disk. */
    double failing;
    /** Whether spools are never closed: a planted bug. */
    boolean leaks;

    private record Job<T>(Supplier<T> body, CompletableFuture<T> done) {}

    Writer(SimWorld world, NodeId node, SimReplica replica, Notebook notes, RandomGenerator random) {
        this.world = world;
        this.node = node;
        this.replica = replica;
        this.notes = notes;
        this.random = random;
    }

    void listen(CommitListener listener) {
        listeners.add(listener);
    }

    /** Spools that a reader holds, and what is staged. */
    int openSpools() {
        return openSpools;
    }

    boolean hasEnded() {
        return ended;
    }

    <T> CompletionStage<T> submit(Supplier<T> body) {
        CompletableFuture<T> done = new CompletableFuture<>();
        waiting.add(new Job<>(body, done));
        if (!committing) {
            committing = true;
            long micros = random.nextInt(50) == 0 ? 40_000 : 200 + random.nextInt(4_000);
            world.schedule(node, Duration.ofNanos(micros * 1000), this::commit);
        }
        return done;
    }

    private void commit() {
        committing = false;
        List<Job<?>> group = List.copyOf(waiting);
        waiting.clear();
        if (failing > 0 && random.nextDouble() < failing) {
            world.trace("%s can't write", world.name(node));
            group.forEach(job -> job.done().completeExceptionally(new IllegalStateException("the disk is full")));
            return;
        }
        List<Runnable> outcomes = new ArrayList<>();
        List<CommitListener.Commit> commits = new ArrayList<>();
        for (Job<?> job : group) {
            outcomes.add(run(job, commits));
        }
        commits.forEach(commit -> listeners.forEach(listener -> listener.committed(commit)));
        outcomes.forEach(Runnable::run);
    }

    private <T> Runnable run(Job<T> job, List<CommitListener.Commit> commits) {
        T result = job.body().get();
        commits.addAll(note());
        return () -> job.done().complete(result);
    }

    /** Notes in the history what the replica wrote by itself. */
    private List<CommitListener.Commit> note() {
        List<CommitListener.Commit> commits = replica.commits();
        for (CommitListener.Commit commit : commits) {
            Changeset changeset = commit.changeset();
            if (commit.local() && changeset != null && !notes.knows(changeset.dot())) {
                notes.addOwn(changeset);
            }
        }
        return commits;
    }

    /** The process ends. */
    void end() {
        ended = true;
        listeners.clear();
        if (random.nextBoolean()) {
            for (Job<?> job : waiting) {
                var unused = job.body().get();
                note();
            }
        }
        waiting.clear();
    }

    // ---- ReplicaStore ----

    @Override
    public Origin origin() {
        return replica.store().origin();
    }

    @Override
    public Map<Scope, VersionVector> vectors() {
        return replica.store().vectors();
    }

    @Override
    public VersionVector vector(Scope scope) {
        return replica.store().vector(scope);
    }

    @Override
    public CompletionStage<Applied> apply(Changeset changeset) {
        return submit(() -> join(replica.store().apply(changeset)));
    }

    @Override
    public CompletionStage<Applied> apply(Scope scope, VersionVector since, VersionVector sender, List<byte[]> parts) {
        return submit(() -> join(replica.store().apply(scope, since, sender, parts)));
    }

    @Override
    public CompletionStage<Applied> apply(
            Scope scope, VersionVector since, VersionVector sender, List<byte[]> parts, Floor floor) {
        return submit(() -> join(replica.store().apply(scope, since, sender, parts, floor)));
    }

    @Override
    public Floor floor(Scope scope) {
        return replica.store().floor(scope);
    }

    @Override
    public long digest(Scope scope) {
        return replica.store().digest(scope);
    }

    @Override
    public CompletionStage<Boolean> forget(Scope scope, VersionVector at) {
        return submit(() -> join(replica.store().forget(scope, at)));
    }

    @Override
    public CompletionStage<Applied> cut(
            Scope scope, Function<VersionVector, Optional<VersionVector>> fence, List<Row> instead) {
        return submit(() -> join(replica.store().cut(scope, fence, instead)));
    }

    @Override
    public CompletionStage<Origin> openEpoch() {
        return submit(() -> notes.named(() -> join(replica.store().openEpoch())));
    }

    @Override
    public boolean inDoubt() {
        return replica.store().inDoubt();
    }

    @Override
    public VersionVector certain(Scope scope) {
        return replica.store().certain(scope);
    }

    @Override
    public CompletionStage<Boolean> settle() {
        return submit(() -> notes.named(() -> join(replica.store().settle())));
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    @Override
    public Scan scan(Scope scope, @Nullable String table, Consumer<Row> rows) {
        return replica.store().scan(scope, table, rows);
    }

    @Override
    public CompletionStage<Boolean> repair(Scope scope, Repair repair) {
        return submit(() -> join(replica.store().repair(scope, repair)));
    }

    @Override
    public Weight weigh(Scope scope, VersionVector since) {
        return replica.store().weigh(scope, since);
    }

    @Override
    public Scratch scratch(long bytes) {
        Scratch scratch = replica.store().scratch(bytes);
        openSpools++;
        return new Scratch() {
            private boolean closed;

            @Override
            public void write(long at, byte[] more) {
                scratch.write(at, more);
            }

            @Override
            public byte[] read(long at, int length) {
                return scratch.read(at, length);
            }

            @Override
            public void close() {
                if (!closed && !leaks) {
                    closed = true;
                    openSpools--;
                    scratch.close();
                }
            }
        };
    }

    @Override
    public Spool open(Scope scope, VersionVector since) {
        Spool spool = replica.store().open(scope, since);
        openSpools++;
        return new Spool() {
            private @Nullable Spool open = spool;

            @Override
            public VersionVector vector() {
                return spool.vector();
            }

            @Override
            public long rows() {
                return spool.rows();
            }

            @Override
            public long bytes() {
                return spool.bytes();
            }

            @Override
            public int parts() {
                return spool.parts();
            }

            @Override
            public byte[] digest() {
                return spool.digest();
            }

            @Override
            public Floor floor() {
                return spool.floor();
            }

            @Override
            public int size(int index) {
                return spool.size(index);
            }

            @Override
            public byte[] piece(int index, int offset, int most) {
                return spool.piece(index, offset, most);
            }

            @Override
            public void close() {
                if (open != null && !leaks) {
                    open = null;
                    openSpools--;
                    spool.close();
                }
            }
        };
    }
}
