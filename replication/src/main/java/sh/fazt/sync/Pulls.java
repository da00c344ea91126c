package sh.fazt.sync;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;

/**
 * Both ends of a pull. The holder reads the rows once, from one snapshot, and keeps them for a while, so that
 * an interrupted pull goes on where it was; the puller has several parts under way and applies the whole as one
 * transaction. Thread-safe: the spools are guarded by their map.
 */
final class Pulls {
    private static final Duration PART_DEADLINE = Duration.ofSeconds(15);
    private static final Duration KEEP_SPOOL = Duration.ofSeconds(60);
    /** Enough to fill a long link at 256 KiB a part. */
    private static final int AT_A_TIME = 4;
    /** A peer that asks for more at once waits: each spool may be large. */
    private static final int MOST_SPOOLS = 16;

    /** Parts have 256 KiB: this is more than any cartridge. What a peer announces must not fill the memory. */
    private static final int MOST_PARTS = 1 << 20;

    private static final int TRIES = 3;

    private final Links links;
    private final ReplicaStore store;
    private final Executor io;
    private final LongSupplier nanos;
    private final Map<Long, Kept> spools = new HashMap<>();
    private long lastSpool;

    private static final class Kept {
        final NodeId reader;
        final ReplicaStore.Spool spool;
        long usedAt;

        Kept(NodeId reader, ReplicaStore.Spool spool, long usedAt) {
            this.reader = reader;
            this.spool = spool;
            this.usedAt = usedAt;
        }
    }

    Pulls(Links links, ReplicaStore store, Executor io, LongSupplier nanos) {
        this.links = links;
        this.store = store;
        this.io = io;
        this.nanos = nanos;
    }

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
        if (request.getSpool() == 0) {
            forgetIdle();
            ReplicaStore.Spool spool =
                    store.open(new Scope(request.getScope()), SyncCodec.vector(request.getSinceList()));
            long id = keep(peer, spool);
            PullReply.Builder reply = PullReply.newBuilder()
                    .setSpool(id)
                    .setParts(spool.parts())
                    .addAllVector(SyncCodec.seen(spool.vector()))
                    .addAllFloor(SyncCodec.seen(spool.floor().below()))
                    .setFloorHlc(spool.floor().hlc().value());
            if (spool.parts() > 0) {
                reply.setPart(UnsafeByteOperations.unsafeWrap(spool.part(0)));
            }
            if (spool.parts() <= 1) {
                drop(id);
            }
            return reply.build();
        }
        ReplicaStore.Spool spool = find(peer, request.getSpool());
        if (spool == null || request.getPart() < 0 || request.getPart() >= spool.parts()) {
            return PullReply.getDefaultInstance();
        }
        return PullReply.newBuilder()
                .setSpool(request.getSpool())
                .setParts(spool.parts())
                .setPart(UnsafeByteOperations.unsafeWrap(spool.part(request.getPart())))
                .build();
    }

    private synchronized long keep(NodeId peer, ReplicaStore.Spool spool) {
        if (spools.size() >= MOST_SPOOLS) {
            spool.close();
            throw new IllegalStateException("too many pulls are under way here: try again in a moment");
        }
        spools.put(++lastSpool, new Kept(peer, spool, nanos.getAsLong()));
        return lastSpool;
    }

    private synchronized ReplicaStore.@org.jspecify.annotations.Nullable Spool find(NodeId peer, long id) {
        Kept kept = spools.get(id);
        if (kept == null || !kept.reader.equals(peer)) {
            return null;
        }
        kept.usedAt = nanos.getAsLong();
        return kept.spool;
    }

    private synchronized void drop(long id) {
        Kept kept = spools.remove(id);
        if (kept != null) {
            kept.spool.close();
        }
    }

    /** Closes what nobody asks for any more. */
    synchronized void forgetIdle() {
        long now = nanos.getAsLong();
        for (Iterator<Kept> each = spools.values().iterator(); each.hasNext(); ) {
            Kept kept = each.next();
            if (now - kept.usedAt > KEEP_SPOOL.toNanos()) {
                kept.spool.close();
                each.remove();
            }
        }
    }

    synchronized void close() {
        spools.values().forEach(kept -> kept.spool.close());
        spools.clear();
    }

    /** Pulls a scope from a peer and applies it; answers the vector that was pulled, as the peer sent it. */
    CompletionStage<VersionVector> pull(NodeId peer, Scope scope) {
        VersionVector since = store.vector(scope);
        return fetch(peer, scope, since)
                .thenCompose(fetched -> store.apply(scope, since, fetched.vector(), fetched.parts(), fetched.floor())
                        .thenApply(applied -> outcome(scope, applied, fetched.vector())));
    }

    /** Reads from a peer what a vector lacks. */
    CompletionStage<SyncService.Fetched> fetch(NodeId peer, Scope scope, VersionVector since) {
        PullRequest first = PullRequest.newBuilder()
                .setScope(scope.id())
                .addAllSince(SyncCodec.seen(since))
                .build();
        return ask(peer, first, TRIES).thenCompose(reply -> {
            if (reply.getSpool() == 0) {
                return CompletableFuture.failedFuture(new IllegalStateException("the peer's spool is gone"));
            }
            if (reply.getParts() < 0 || reply.getParts() > MOST_PARTS) {
                return CompletableFuture.failedFuture(
                        new IllegalArgumentException("a pull of " + reply.getParts() + " parts"));
            }
            VersionVector vector = SyncCodec.vector(reply.getVectorList());
            Floor floor = new Floor(SyncCodec.vector(reply.getFloorList()), new Hlc(reply.getFloorHlc()));
            Whole whole = new Whole(peer, scope, reply);
            whole.more();
            return whole.done.thenApply(parts -> new SyncService.Fetched(vector, parts, floor));
        });
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

    private static VersionVector outcome(Scope scope, ReplicaStore.Applied applied, VersionVector vector) {
        if (applied == ReplicaStore.Applied.NEEDS_PULL) {
            throw new IllegalStateException("scope " + scope + " was forgotten while it was pulled");
        }
        return vector;
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

    /** The parts of one pull as they come. */
    private final class Whole {
        final CompletableFuture<List<byte[]>> done = new CompletableFuture<>();
        private final NodeId peer;
        private final Scope scope;
        private final long spool;
        private final byte[][] parts;
        private int asked = 1;
        private int here;
        private int underWay;

        Whole(NodeId peer, Scope scope, PullReply first) {
            this.peer = peer;
            this.scope = scope;
            this.spool = first.getSpool();
            this.parts = new byte[first.getParts()][];
            if (parts.length > 0) {
                parts[0] = first.getPart().toByteArray();
                here = 1;
            }
        }

        synchronized void more() {
            if (here == parts.length) {
                done.complete(new ArrayList<>(List.of(parts)));
                return;
            }
            while (underWay < AT_A_TIME && asked < parts.length && !done.isDone()) {
                int part = asked++;
                underWay++;
                ask(
                                peer,
                                PullRequest.newBuilder()
                                        .setScope(scope.id())
                                        .setSpool(spool)
                                        .setPart(part)
                                        .build(),
                                TRIES)
                        .whenComplete((reply, failed) -> arrived(part, reply, failed));
            }
        }

        private synchronized void arrived(
                int part,
                @org.jspecify.annotations.Nullable PullReply reply,
                @org.jspecify.annotations.Nullable Throwable failed) {
            underWay--;
            if (failed != null || reply == null || reply.getSpool() == 0) {
                done.completeExceptionally(
                        failed != null ? failed : new IllegalStateException("the peer's spool is gone"));
                return;
            }
            parts[part] = reply.getPart().toByteArray();
            here++;
            more();
        }
    }
}
