package sh.fazt.sync;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.Blobs.Amount;
import sh.fazt.blob.Blobs.Unasked;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.BlobReply;
import sh.fazt.protocol.sync.v1.BlobRequest;

/**
 * Fetches blobs that rows here refer to, as {@link BlobCore} decides, and answers who asks for some. Every chunk is
 * checked against its hash and kept at once, so that an interruption costs what is under way. Thread-safe: monitors;
 * the cartridge is touched on {@code io} only.
 */
final class BlobFetcher {
    private static final Logger LOG = LoggerFactory.getLogger(BlobFetcher.class);
    /** A chunk of the largest size takes so long over 35 KiB a second. */
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    /** What nobody can give must not hide what somebody can. */
    private static final int MOST_WANTED = 1000;

    private final Links links;
    private final Blobs blobs;
    private final Executor io;
    private final LongSupplier nanos;
    private final Supplier<List<BlobCore.Holder>> nearest;
    private final BiConsumer<NodeId, Integer> fetched;
    private final Consumer<NodeId> lied;
    private final HeldBack held;
    private final BlobCore core;
    /** Something may be wanted, or not, that was not at the last look. */
    private final AtomicBoolean stale = new AtomicBoolean(true);
    /** What the last look saw; confined to one look at a time. */
    private List<Wishes.Wish> wishes = List.of();

    private Unasked unasked = Unasked.ALL;
    private Amount amount = new Amount(0, 0);
    private boolean looking;
    private boolean again;

    /**
     * @param offset  where in a blob this node begins
     * @param nearest linked peers, the nearest first
     * @param fetched told of the bytes of each chunk that came from a peer
     * @param lied    told of whoever sent something else than what was asked for
     * @param held    decides what is left with peers until it is asked for
     */
    BlobFetcher(
            Links links,
            Blobs blobs,
            Executor io,
            LongSupplier nanos,
            long offset,
            Supplier<List<BlobCore.Holder>> nearest,
            BiConsumer<NodeId, Integer> fetched,
            Consumer<NodeId> lied,
            HeldBack held) {
        this.links = links;
        this.blobs = blobs;
        this.io = io;
        this.nanos = nanos;
        this.nearest = nearest;
        this.fetched = fetched;
        this.lied = lied;
        this.held = held;
        this.core = new BlobCore(offset);
        blobs.listen(hash -> {
            stale.set(true);
            held.here(hash);
        });
    }

    // ---- answering ----

    /** Answers a peer's request. */
    CompletionStage<byte[]> serve(byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        io.execute(() -> {
            try {
                answer.complete(read(BlobRequest.parseFrom(request)).toByteArray());
            } catch (InvalidProtocolBufferException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private BlobReply read(BlobRequest request) {
        if (request.hasChunk()) {
            // Whoever gets something else takes this node for a liar.
            return blobs.right(request.getChunk())
                    .map(body -> BlobReply.newBuilder()
                            .setHere(true)
                            .setBody(UnsafeByteOperations.unsafeWrap(body))
                            .build())
                    .orElse(BlobReply.getDefaultInstance());
        }
        Blobs.Manifest manifest = blobs.manifest(request.getBlob()).orElse(null);
        if (manifest == null) {
            return BlobReply.getDefaultInstance();
        }
        BlobReply.Builder reply =
                BlobReply.newBuilder().setHere(blobs.contains(manifest.hash())).setSize(manifest.size());
        manifest.chunks()
                .forEach(chunk -> reply.addChunks(
                        BlobReply.Chunk.newBuilder().setHash(chunk.hash()).setSize(chunk.size())));
        if (!reply.getHere()) {
            Set<Blobs.Chunk> lacking = new HashSet<>(blobs.lacking(manifest));
            BitSet held = new BitSet();
            for (int i = 0; i < manifest.chunks().size(); i++) {
                held.set(i, !lacking.contains(manifest.chunks().get(i)));
            }
            reply.setHeld(ByteString.copyFrom(held.toByteArray()));
        }
        return reply.build();
    }

    private static BlobCore.@Nullable Offer offer(String blob, BlobReply reply) {
        BitSet held = BitSet.valueOf(reply.getHeld().toByteArray());
        List<Blobs.Chunk> chunks = new ArrayList<>();
        Set<String> hashes = new HashSet<>();
        long start = 0;
        for (BlobReply.Chunk chunk : reply.getChunksList()) {
            if (reply.getHere() || held.get(chunks.size())) {
                hashes.add(chunk.getHash());
            }
            chunks.add(new Blobs.Chunk(chunk.getHash(), start, chunk.getSize()));
            start += chunk.getSize();
        }
        return chunks.isEmpty()
                ? null
                : new BlobCore.Offer(new Blobs.Manifest(blob, reply.getSize(), chunks), reply.getHere(), hashes);
    }

    // ---- fetching ----

    /** Something may be wanted: the next tick looks for it. */
    void changed() {
        stale.set(true);
    }

    /** Looks for what is wanted now. */
    void look() {
        changed();
        tick();
    }

    /** Time passed, a few times a second: goes on fetching; cheap when nothing is wanted. */
    void tick() {
        synchronized (this) {
            if (looking) {
                again = true;
                return;
            }
            looking = true;
        }
        io.execute(() -> {
            try {
                turn();
            } catch (RuntimeException e) {
                stale.set(true);
                LOG.debug("can't look for wanted blobs", e);
            }
            boolean repeat;
            synchronized (this) {
                looking = false;
                repeat = again;
                again = false;
            }
            if (repeat) {
                tick();
            }
        });
    }

    private void turn() {
        List<BlobCore.Holder> near = nearest.get();
        Unasked now = held.look(near);
        boolean forgotten = held.tick(nanos.getAsLong());
        if (stale.getAndSet(false) || forgotten || !now.equals(unasked)) {
            unasked = now;
            wishes = wishes();
            amount = now.equals(Unasked.ALL) ? new Amount(0, 0) : blobs.held(now);
        }
        step(new BlobCore.Event.Looked(near.isEmpty() ? List.of() : wishes, near));
        step(new BlobCore.Event.Tick());
        Set<String> passed;
        synchronized (this) {
            passed = core.held();
        }
        long bytes = wishes.stream()
                .filter(wish -> passed.contains(wish.blob()))
                .mapToLong(wish -> Math.max(0, wish.size()))
                .sum();
        held.set(now, passed, new Amount(amount.blobs() + passed.size(), amount.bytes() + bytes));
    }

    private List<Wishes.Wish> wishes() {
        Map<String, Wishes.Wish> all = new LinkedHashMap<>();
        blobs.wanted(unasked, HeldBack.UNASKED, MOST_WANTED)
                .forEach(blob -> all.put(blob.hash(), new Wishes.Wish(blob.hash(), blob.size(), blob.eager())));
        held.asked().forEach(hash -> all.put(hash, new Wishes.Wish(hash, -1, true)));
        return List.copyOf(all.values());
    }

    /** Has a blob fetched that may be held back, and tells when it is here, or why it is not. */
    CompletionStage<HeldBack.Outcome> fetch(String hash, Duration patience) {
        CompletionStage<HeldBack.Outcome> outcome = held.ask(hash, nanos.getAsLong(), patience);
        try {
            io.execute(() -> {
                if (blobs.contains(hash)) {
                    held.here(hash);
                } else if (nearest.get().isEmpty()) {
                    held.missed(hash);
                } else {
                    stale.set(true);
                    step(new BlobCore.Event.Asked(hash));
                    tick();
                }
            });
        } catch (RejectedExecutionException busy) {
            // Whoever waits is told when its time is over; the next tick looks.
            stale.set(true);
        }
        return outcome;
    }

    /** Whether everything that is fetched without being asked for is here. Blocking. */
    boolean caughtUp() {
        return blobs.wanted(held.unasked(), HeldBack.UNASKED, MOST_WANTED).stream()
                .allMatch(blob -> held.isPassed(blob.hash()));
    }

    private void step(BlobCore.Event event) {
        List<BlobCore.Effect> effects;
        synchronized (this) {
            effects = core.step(event, nanos.getAsLong());
        }
        effects.forEach(this::run);
    }

    private void run(BlobCore.Effect effect) {
        if (effect instanceof BlobCore.Effect.AskBlob ask) {
            ask(ask.to(), BlobRequest.newBuilder().setBlob(ask.blob()).build())
                    .whenCompleteAsync(
                            (reply, failed) -> step(new BlobCore.Event.Offered(
                                    ask.to(),
                                    ask.blob(),
                                    reply == null ? null : offer(ask.blob(), reply),
                                    failed != null)),
                            io);
        } else if (effect instanceof BlobCore.Effect.Accept accept) {
            io.execute(() -> accept(accept));
        } else if (effect instanceof BlobCore.Effect.AskChunk ask) {
            ask(ask.to(), BlobRequest.newBuilder().setChunk(ask.chunk()).build())
                    .whenCompleteAsync(
                            (reply, failed) -> step(new BlobCore.Event.Ended(
                                    ask.to(), ask.chunk(), keep(ask.to(), ask.chunk(), failed == null ? reply : null))),
                            io);
        } else if (effect instanceof BlobCore.Effect.Assemble assemble) {
            io.execute(() -> assemble(assemble.blob()));
        } else if (effect instanceof BlobCore.Effect.Lied liar) {
            lied.accept(liar.peer());
        } else if (effect instanceof BlobCore.Effect.Missed missed) {
            held.missed(missed.blob());
        }
    }

    private CompletionStage<BlobReply> ask(NodeId holder, BlobRequest request) {
        return links.ask(holder, Channel.BLOBS, request.toByteArray(), DEADLINE).thenApply(bytes -> {
            try {
                // The body stays where it is, in the message.
                CodedInputStream in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
                in.enableAliasing(true);
                return BlobReply.parseFrom(in);
            } catch (IOException e) {
                throw new IllegalArgumentException("a damaged answer about a blob", e);
            }
        });
    }

    private void accept(BlobCore.Effect.Accept accept) {
        String blob = accept.manifest().hash();
        try {
            step(new BlobCore.Event.Accepted(accept.from(), blob, blobs.accept(accept.manifest())));
        } catch (Blobs.Mismatch e) {
            step(new BlobCore.Event.Accepted(accept.from(), blob, null));
        } catch (RuntimeException e) {
            broke(blob, e);
        }
    }

    private BlobCore.Outcome keep(NodeId from, String chunk, @Nullable BlobReply reply) {
        if (reply == null) {
            return BlobCore.Outcome.FAILED;
        }
        if (!reply.getHere()) {
            return BlobCore.Outcome.ABSENT;
        }
        try {
            blobs.putChunk(chunk, reply.getBody().toByteArray());
            fetched.accept(from, reply.getBody().size());
            return BlobCore.Outcome.KEPT;
        } catch (Blobs.Mismatch e) {
            return BlobCore.Outcome.WRONG;
        } catch (RuntimeException e) {
            LOG.debug("a chunk of a blob can't be stored chunk={}", chunk, e);
            return BlobCore.Outcome.UNKEPT;
        }
    }

    private void assemble(String blob) {
        try {
            boolean whole = blobs.assemble(blob);
            step(new BlobCore.Event.Assembled(
                    blob, whole, !whole && blobs.manifest(blob).isEmpty()));
        } catch (RuntimeException e) {
            broke(blob, e);
        }
    }

    private void broke(String blob, RuntimeException e) {
        LOG.debug("a blob can't be stored blob={}", blob, e);
        step(new BlobCore.Event.Broke(blob));
    }
}
