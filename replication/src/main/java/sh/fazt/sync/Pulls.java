package sh.fazt.sync;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkException;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;

/**
 * Both ends of a pull. The holder reads the rows once, from one snapshot, and keeps them for a while, so that
 * an interrupted pull goes on where it was; the puller has several pieces under way, keeps what comes in a scratch file
 * beside the cartridge, and applies the whole as one transaction. Thread-safe: spools and pulls are guarded by this.
 */
final class Pulls {
    private static final Duration PART_DEADLINE = Duration.ofSeconds(15);
    /** How long what nobody asks for is kept, at either end. */
    private static final Duration KEEP = Duration.ofSeconds(60);
    /** The same of what would take long to send again. */
    private static final Duration KEEP_LARGE = Duration.ofMinutes(10);

    private static final int LARGE = 1 << 20;
    /** Enough to fill a long link at 256 KiB a piece, and little enough to come in time over a slow one. */
    private static final int AT_A_TIME = 4;

    private static final int PIECE = 256 << 10;
    /** A peer that asks for more at once waits: each spool may be large. */
    private static final int MOST_SPOOLS = 16;

    private static final int TRIES = 3;

    private final Links links;
    private final ReplicaStore store;
    private final Executor io;
    private final LongSupplier nanos;
    private final BiConsumer<NodeId, String> offended;
    private final BiConsumer<NodeId, Scope> progress;
    private final Map<Long, Kept> spools = new HashMap<>();
    private final Map<Source, Coming> coming = new HashMap<>();
    private long lastSpool;

    /** @param scope what was asked for: ids are used again by the next process */
    private record Kept(NodeId reader, Scope scope, ReplicaStore.Spool spool, long usedAt) {
        boolean idle(long now) {
            return now - usedAt > (spool.bytes() > LARGE ? KEEP_LARGE : KEEP).toNanos();
        }
    }

    private record Source(NodeId peer, Scope scope) {}

    /**
     * A pull that was begun.
     *
     * @param goesOn  whether it was begun earlier: its rows may be older than what the peer has told since
     * @param outcome the vector that was pulled, as the peer sent it, once it is applied
     */
    record Pull(boolean goesOn, CompletionStage<VersionVector> outcome) {}

    /**
     * @param offended hears of peers that send what makes no sense
     * @param progress hears of each piece that comes
     */
    Pulls(
            Links links,
            ReplicaStore store,
            Executor io,
            LongSupplier nanos,
            BiConsumer<NodeId, String> offended,
            BiConsumer<NodeId, Scope> progress) {
        this.links = links;
        this.store = store;
        this.io = io;
        this.nanos = nanos;
        this.offended = offended;
        this.progress = progress;
    }

    // ---- the holder's end ----

    /** Answers a peer's request. */
    CompletionStage<byte[]> serve(NodeId peer, PullRequest request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        io.execute(() -> {
            try {
                answer.complete(read(peer, request).toByteArray());
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private PullReply read(NodeId peer, PullRequest request) {
        Scope scope = new Scope(request.getScope());
        if (request.getSpool() == 0) {
            forgetIdle();
            ReplicaStore.Spool spool = store.open(scope, SyncCodec.vector(request.getSinceList()));
            long id = keep(peer, scope, spool);
            PullReply.Builder reply = PullReply.newBuilder()
                    .setSpool(id)
                    .setParts(spool.parts())
                    .addAllVector(SyncCodec.seen(spool.vector()))
                    .addAllFloor(SyncCodec.seen(spool.floor().below()))
                    .setFloorHlc(spool.floor().hlc().value())
                    .setBytes(spool.bytes())
                    .setDigest(ByteString.copyFrom(spool.digest()));
            if (spool.parts() > 0) {
                put(reply, spool, 0, 0, request.getMost());
            }
            if (spool.parts() == 0 || spool.parts() == 1 && reply.getPart().size() == spool.size(0)) {
                drop(id);
            }
            return reply.build();
        }
        ReplicaStore.Spool spool = find(peer, scope, request.getSpool());
        int part = request.getPart();
        if (spool == null || part < 0) {
            return PullReply.getDefaultInstance();
        }
        if (part >= spool.parts()) {
            drop(request.getSpool());
            return PullReply.getDefaultInstance();
        }
        if (request.getOffset() < 0 || request.getOffset() >= spool.size(part)) {
            throw new IllegalArgumentException(
                    "part " + part + " has " + spool.size(part) + " bytes, and none at " + request.getOffset());
        }
        PullReply.Builder reply =
                PullReply.newBuilder().setSpool(request.getSpool()).setParts(spool.parts());
        put(reply, spool, part, (int) request.getOffset(), request.getMost());
        return reply.build();
    }

    /** @param most 0 for the rest of the part */
    private static void put(PullReply.Builder reply, ReplicaStore.Spool spool, int part, int offset, int most) {
        byte[] piece = spool.piece(part, offset, most <= 0 ? Integer.MAX_VALUE : Math.min(most, PIECE));
        reply.setPart(UnsafeByteOperations.unsafeWrap(piece)).setOffset(offset).setSize(spool.size(part));
    }

    private synchronized long keep(NodeId peer, Scope scope, ReplicaStore.Spool spool) {
        if (spools.size() >= MOST_SPOOLS) {
            // Somebody who may come back gives way to somebody who is here.
            spools.entrySet().stream()
                    .min(Comparator.comparingLong(kept -> kept.getValue().usedAt()))
                    .filter(oldest -> nanos.getAsLong() - oldest.getValue().usedAt() > KEEP.toNanos())
                    .ifPresent(oldest -> drop(oldest.getKey()));
        }
        if (spools.size() >= MOST_SPOOLS) {
            spool.close();
            throw new IllegalStateException("too many pulls are under way here: try again in a moment");
        }
        spools.put(++lastSpool, new Kept(peer, scope, spool, nanos.getAsLong()));
        return lastSpool;
    }

    private synchronized ReplicaStore.@Nullable Spool find(NodeId peer, Scope scope, long id) {
        Kept kept = spools.get(id);
        if (kept == null || !kept.reader().equals(peer) || !kept.scope().equals(scope)) {
            return null;
        }
        spools.put(id, new Kept(peer, scope, kept.spool(), nanos.getAsLong()));
        return kept.spool();
    }

    private synchronized void drop(long id) {
        Kept kept = spools.remove(id);
        if (kept != null) {
            kept.spool().close();
        }
    }

    /** Closes what nobody asks for any more, and what no peer goes on with. */
    void forgetIdle() {
        long now = nanos.getAsLong();
        List<Coming> waiting;
        synchronized (this) {
            Map.copyOf(spools).forEach((id, kept) -> {
                if (kept.idle(now)) {
                    drop(id);
                }
            });
            waiting = List.copyOf(coming.values());
        }
        // Never under this lock: what comes in takes it under its own.
        waiting.stream().filter(one -> one.idle(now)).forEach(Coming::remove);
    }

    void close() {
        List<Coming> all;
        synchronized (this) {
            List.copyOf(spools.keySet()).forEach(this::drop);
            all = List.copyOf(coming.values());
        }
        all.forEach(Coming::remove);
    }

    // ---- the puller's end ----

    /** Pulls a scope from a peer and applies it. One that is under way, or was interrupted, goes on. */
    Pull pull(NodeId peer, Scope scope) {
        Coming known;
        Coming one;
        synchronized (this) {
            known = coming.get(new Source(peer, scope));
            one = known == null ? new Coming(peer, scope, store.vector(scope)) : known;
            coming.put(one.source, one);
        }
        return new Pull(known != null, one.applied());
    }

    /** A scope as a peer has it, as of one moment. */
    record Whole(VersionVector vector, List<Row> rows) {}

    /** Reads a whole scope of a peer into memory, without applying it. */
    CompletionStage<Whole> fetch(NodeId peer, Scope scope) {
        Coming one = new Coming(peer, scope, VersionVector.EMPTY);
        return one.whole()
                .thenApply(staged -> new Whole(
                        staged.vector(),
                        staged.stream()
                                .flatMap(part -> RowCodec.read(part).rows().stream())
                                .toList()))
                .whenComplete((whole, failed) -> one.discard());
    }

    /** Asks a holder whether it has all that a vector says, and keeps it. */
    CompletionStage<Boolean> keeps(NodeId peer, Scope scope, VersionVector all) {
        PullRequest request = PullRequest.newBuilder()
                .setScope(scope.id())
                .addAllSince(SyncCodec.seen(all))
                .setKeeps(true)
                .build();
        return ask(peer, request, 1).thenApply(PullReply::getKeeps);
    }

    private CompletionStage<PullReply> ask(NodeId peer, PullRequest request, int tries) {
        return links.ask(peer, Channel.PULL, request.toByteArray(), PART_DEADLINE)
                .thenApply(bytes -> {
                    try {
                        return PullReply.parseFrom(bytes);
                    } catch (InvalidProtocolBufferException e) {
                        throw new IllegalArgumentException("a damaged answer to a pull", e);
                    }
                })
                .exceptionallyCompose(
                        failed -> tries > 1 ? ask(peer, request, tries - 1) : CompletableFuture.failedFuture(failed));
    }

    /**
     * One pull as it comes. What is here when it is interrupted stays for a while, and the next attempt asks for the
     * rest. Thread-safe: guarded by this.
     */
    private final class Coming {
        final Source source;
        private final VersionVector since;
        private @Nullable Staged staged;
        private long spool;
        /** The attempt that runs; null in between. */
        private @Nullable Attempt attempt;

        private @Nullable CompletionStage<VersionVector> outcome;
        /** Attempts that brought nothing, since the last that did. */
        private int fruitless;

        private long usedAt;

        Coming(NodeId peer, Scope scope, VersionVector since) {
            this.source = new Source(peer, scope);
            this.since = since;
        }

        /** The attempt that is under way, or another. */
        synchronized CompletionStage<VersionVector> applied() {
            CompletionStage<VersionVector> running = outcome;
            if (running != null) {
                return running;
            }
            CompletableFuture<VersionVector> ended = new CompletableFuture<>();
            outcome = ended;
            whole().thenCompose(this::apply).whenComplete((vector, failed) -> {
                boolean waits;
                synchronized (this) {
                    outcome = null;
                    waits = failed != null && staged != null;
                }
                if (!waits) {
                    remove();
                }
                if (failed != null) {
                    ended.completeExceptionally(failed);
                } else {
                    ended.complete(vector);
                }
            });
            return ended;
        }

        void remove() {
            synchronized (Pulls.this) {
                coming.remove(source, this);
            }
            discard();
        }

        private CompletionStage<VersionVector> apply(Staged all) {
            return store.apply(source.scope(), since, all.vector(), all, all.floor())
                    .whenComplete((applied, failed) -> discard())
                    .thenApply(applied -> {
                        if (applied == ReplicaStore.Applied.NEEDS_PULL) {
                            throw new IllegalStateException(
                                    "scope " + source.scope() + " was forgotten while it was pulled");
                        }
                        return all.vector();
                    });
        }

        synchronized void discard() {
            Staged open = staged;
            staged = null;
            if (open != null) {
                open.close();
            }
        }

        /** Whether it waits for longer than it is worth. */
        synchronized boolean idle(long now) {
            boolean large = staged != null && staged.bytes() > LARGE;
            return outcome == null && now - usedAt > (large ? KEEP_LARGE : KEEP).toNanos();
        }

        /** Fetches what is lacking. */
        synchronized CompletionStage<Staged> whole() {
            Attempt next = new Attempt();
            attempt = next;
            usedAt = nanos.getAsLong();
            if (staged == null) {
                begin(next);
            } else {
                more(next);
            }
            return next.done;
        }

        private void begin(Attempt running) {
            PullRequest first = PullRequest.newBuilder()
                    .setScope(source.scope().id())
                    .addAllSince(SyncCodec.seen(since))
                    .setMost(PIECE)
                    .build();
            ask(source.peer(), first, TRIES)
                    .thenAcceptAsync(reply -> begun(running, reply), io)
                    .whenComplete((ok, failed) -> end(running, failed));
        }

        private synchronized void begun(Attempt running, PullReply first) {
            if (attempt != running) {
                return;
            }
            if (first.getSpool() == 0) {
                throw new IllegalStateException("the peer's spool is gone");
            }
            discard();
            Staged next = new Staged(store, first);
            staged = next;
            spool = first.getSpool();
            if (next.size() > 0) {
                next.take(0, first);
            }
            running.came = true;
            more(running);
        }

        /** Asks for pieces until enough are under way, or all is here. */
        private synchronized void more(Attempt running) {
            Staged all = staged;
            if (attempt != running || all == null) {
                return;
            }
            if (all.isWhole()) {
                all.verify();
                attempt = null;
                if (running.next > 0) {
                    // It need not be kept for us any longer; whether the peer hears that does not matter.
                    ask(source.peer(), request(all.size(), 0), 1);
                }
                running.done.complete(all);
                return;
            }
            while (running.underWay < AT_A_TIME && running.next < all.size()) {
                int part = running.next++;
                if (!all.isWhole(part)) {
                    running.underWay++;
                    askFor(running, part, all.here(part));
                }
            }
        }

        private void askFor(Attempt running, int part, int from) {
            ask(source.peer(), request(part, from), TRIES)
                    .thenAcceptAsync(reply -> came(running, part, reply), io)
                    .whenComplete((ok, failed) -> end(running, failed));
        }

        private PullRequest request(int part, int from) {
            return PullRequest.newBuilder()
                    .setScope(source.scope().id())
                    .setSpool(spool)
                    .setPart(part)
                    .setOffset(from)
                    .setMost(PIECE)
                    .build();
        }

        private synchronized void came(Attempt running, int part, PullReply reply) {
            Staged all = staged;
            if (attempt != running || all == null) {
                return;
            }
            if (reply.getSpool() == 0) {
                discard();
                if (running.came) {
                    throw new IllegalStateException("the peer's spool is gone");
                }
                // It was cut off for too long: from the beginning.
                Attempt anew = new Attempt(running.done);
                attempt = anew;
                begin(anew);
                return;
            }
            all.take(part, reply);
            running.came = true;
            usedAt = nanos.getAsLong();
            progress.accept(source.peer(), source.scope());
            if (all.isWhole(part)) {
                running.underWay--;
                more(running);
            } else {
                askFor(running, part, all.here(part));
            }
        }

        /** Something failed. What is here stays if it was the link, and it gets on. */
        private synchronized void end(Attempt running, @Nullable Throwable failed) {
            if (failed == null || attempt != running) {
                return;
            }
            Throwable why =
                    failed instanceof CompletionException && failed.getCause() != null ? failed.getCause() : failed;
            attempt = null;
            fruitless = running.came ? 0 : fruitless + 1;
            if (!(why instanceof LinkException) || fruitless == TRIES || staged == null || !staged.canGoOn()) {
                discard();
            }
            if (why instanceof IllegalArgumentException) {
                offended.accept(source.peer(), String.valueOf(why.getMessage()));
            }
            running.done.completeExceptionally(why);
        }
    }

    /** One try to fetch what is lacking of a pull. */
    private static final class Attempt {
        final CompletableFuture<Staged> done;
        int next;
        int underWay;
        /** Whether anything came. */
        boolean came;

        Attempt() {
            this(new CompletableFuture<>());
        }

        Attempt(CompletableFuture<Staged> done) {
            this.done = done;
        }
    }
}
