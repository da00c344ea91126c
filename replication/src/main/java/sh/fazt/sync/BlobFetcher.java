package sh.fazt.sync;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.BlobReply;
import sh.fazt.protocol.sync.v1.BlobRequest;

/**
 * Fetches blobs that rows here refer to, chunk by chunk from whoever has them, nearest first. Every chunk is
 * checked against its hash and kept at once, so that an interruption costs one chunk. Thread-safe: monitors;
 * the cartridge is touched on {@code io} only.
 */
final class BlobFetcher {
    private static final Logger LOG = LoggerFactory.getLogger(BlobFetcher.class);
    private static final Duration DEADLINE = Duration.ofSeconds(15);
    private static final int BLOBS_AT_A_TIME = 4;
    private static final int CHUNKS_AT_A_TIME = 4;

    private final Links links;
    private final Blobs blobs;
    private final Executor io;
    private final Supplier<List<NodeId>> nearest;
    private final Set<String> fetching = new HashSet<>();
    private boolean looking;
    private boolean again;

    /** @param nearest linked peers, the shortest round trip first */
    BlobFetcher(Links links, Blobs blobs, Executor io, Supplier<List<NodeId>> nearest) {
        this.links = links;
        this.blobs = blobs;
        this.io = io;
        this.nearest = nearest;
    }

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
            return blobs.chunk(request.getChunk())
                    .map(body -> BlobReply.newBuilder()
                            .setHere(true)
                            .setBody(UnsafeByteOperations.unsafeWrap(body))
                            .build())
                    .orElse(BlobReply.getDefaultInstance());
        }
        if (!blobs.contains(request.getBlob())) {
            return BlobReply.getDefaultInstance();
        }
        Blobs.Manifest manifest = blobs.manifest(request.getBlob()).orElseThrow();
        BlobReply.Builder reply = BlobReply.newBuilder().setHere(true).setSize(manifest.size());
        manifest.chunks()
                .forEach(chunk -> reply.addChunks(
                        BlobReply.Chunk.newBuilder().setHash(chunk.hash()).setSize(chunk.size())));
        return reply.build();
    }

    /** Looks for wanted blobs and starts fetching them; cheap when there are none. */
    void look() {
        synchronized (this) {
            if (looking) {
                again = true;
                return;
            }
            looking = true;
        }
        io.execute(() -> {
            List<String> wanted = List.of();
            try {
                wanted = nearest.get().isEmpty() ? List.of() : blobs.wanted(64);
            } catch (RuntimeException e) {
                LOG.debug("can't look for wanted blobs", e);
            }
            List<String> start = new ArrayList<>();
            boolean repeat;
            synchronized (this) {
                looking = false;
                repeat = again;
                again = false;
                for (String hash : wanted) {
                    if (fetching.size() < BLOBS_AT_A_TIME && fetching.add(hash)) {
                        start.add(hash);
                    }
                }
            }
            start.forEach(hash -> fetch(hash, new ArrayDeque<>(nearest.get())));
            if (repeat) {
                look();
            }
        });
    }

    private void fetch(String hash, Deque<NodeId> holders) {
        NodeId holder = holders.poll();
        if (holder == null) {
            ended(hash, false);
            return;
        }
        ask(holder, BlobRequest.newBuilder().setBlob(hash).build())
                .thenComposeAsync(
                        reply -> {
                            if (!reply.getHere()) {
                                return CompletableFuture.completedFuture(false);
                            }
                            List<Blobs.Chunk> chunks = new ArrayList<>();
                            long start = 0;
                            for (BlobReply.Chunk chunk : reply.getChunksList()) {
                                chunks.add(new Blobs.Chunk(chunk.getHash(), start, chunk.getSize()));
                                start += chunk.getSize();
                            }
                            List<Blobs.Chunk> lacking = blobs.accept(new Blobs.Manifest(hash, reply.getSize(), chunks));
                            Chunks rest = new Chunks(holder, lacking);
                            rest.more();
                            return rest.done.thenApplyAsync(all -> blobs.assemble(hash), io);
                        },
                        io)
                .whenComplete((whole, failed) -> {
                    if (Boolean.TRUE.equals(whole)) {
                        ended(hash, true);
                    } else {
                        fetch(hash, holders);
                    }
                });
    }

    private void ended(String hash, boolean whole) {
        synchronized (this) {
            fetching.remove(hash);
        }
        if (whole) {
            look();
        }
    }

    private CompletionStage<BlobReply> ask(NodeId holder, BlobRequest request) {
        return links.ask(holder, Channel.BLOBS, request.toByteArray(), DEADLINE).thenApply(bytes -> {
            try {
                return BlobReply.parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalArgumentException("a damaged answer about a blob", e);
            }
        });
    }

    /** The chunks of one blob that are lacking, as they come from one holder. */
    private final class Chunks {
        final CompletableFuture<Boolean> done = new CompletableFuture<>();
        private final NodeId holder;
        private final Deque<Blobs.Chunk> left;
        private int underWay;

        Chunks(NodeId holder, List<Blobs.Chunk> lacking) {
            this.holder = holder;
            this.left = new ArrayDeque<>(lacking);
        }

        synchronized void more() {
            if (left.isEmpty() && underWay == 0) {
                done.complete(true);
                return;
            }
            while (underWay < CHUNKS_AT_A_TIME && !left.isEmpty() && !done.isDone()) {
                Blobs.Chunk chunk = left.poll();
                underWay++;
                ask(holder, BlobRequest.newBuilder().setChunk(chunk.hash()).build())
                        .whenCompleteAsync((reply, failed) -> arrived(chunk, reply, failed), io);
            }
        }

        private void arrived(Blobs.Chunk chunk, @Nullable BlobReply reply, @Nullable Throwable failed) {
            try {
                if (failed != null || reply == null || !reply.getHere()) {
                    throw new IllegalStateException("chunk " + chunk.hash() + " did not come", failed);
                }
                blobs.putChunk(chunk.hash(), reply.getBody().toByteArray());
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
            synchronized (this) {
                underWay--;
                more();
            }
        }
    }
}
