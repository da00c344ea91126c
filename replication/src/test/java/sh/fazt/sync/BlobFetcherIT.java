package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.BlobReply;
import sh.fazt.protocol.sync.v1.BlobRequest;
import sh.fazt.testkit.Await;

/** One blob from several holders, over real links into a real cartridge. */
@Timeout(60)
class BlobFetcherIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final List<Side> sides = new ArrayList<>();
    private volatile Runnable noteAsked = () -> {};

    /** A node: its links, its blobs, and what it answers about them. */
    private final class Side extends Wire {
        final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        final SqliteCartridge cartridge =
                SqliteCartridge.open(folder.resolve("side-" + sides.size()), CartridgeOptions.standard(), List.of());
        final Blobs blobs = new Blobs(cartridge);
        final CompletableFuture<Void> mayAnswer = new CompletableFuture<>();
        final AtomicInteger chunksServed = new AtomicInteger();
        final Map<NodeId, Integer> fetched = new ConcurrentHashMap<>();
        final Queue<NodeId> liars = new ConcurrentLinkedQueue<>();
        final BlobFetcher fetcher = new BlobFetcher(
                links,
                blobs,
                io,
                System::nanoTime,
                0,
                () -> links.states().stream()
                        .filter(LinkState::up)
                        .map(state -> new BlobCore.Holder(state.peer(), false))
                        .toList(),
                (peer, bytes) -> fetched.merge(peer, bytes, Integer::sum),
                liars::add,
                new HeldBack(() -> false, Holders.EVERYBODY));

        Side(UnaryOperator<byte[]> change, int dyingAfter) {
            sides.add(this);
            links.handle(Channel.BLOBS, new Links.Handler() {
                @Override
                public void message(NodeId from, byte[] message) {
                    throw new AssertionError("blobs are asked for");
                }

                @Override
                public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                    if (!isChunk(request)) {
                        return fetcher.serve(request);
                    }
                    boolean dies = chunksServed.incrementAndGet() == dyingAfter;
                    noteAsked.run();
                    if (dies) {
                        clock.execute(links::close);
                        return new CompletableFuture<>();
                    }
                    return mayAnswer.thenCompose(now -> fetcher.serve(request)).thenApply(change);
                }
            });
            links.start();
        }

        Side() {
            this(answer -> answer, Integer.MAX_VALUE);
        }

        void want(String hash) {
            cartridge
                    .writeLocal(tx -> tx.execute("INSERT INTO fazt_wanted VALUES (?, 'shop', -1, 0)", hash))
                    .toCompletableFuture()
                    .join();
            clock.scheduleWithFixedDelay(fetcher::look, 0, 50, TimeUnit.MILLISECONDS);
        }

        @Override
        public void close() {
            clock.shutdownNow();
            super.close();
            cartridge.close();
        }
    }

    private static boolean isChunk(byte[] request) {
        try {
            return BlobRequest.parseFrom(request).hasChunk();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] other(byte[] answer) {
        return BlobReply.newBuilder()
                .setHere(true)
                .setBody(com.google.protobuf.ByteString.copyFromUtf8("something else"))
                .build()
                .toByteArray();
    }

    @AfterEach
    void close() {
        sides.forEach(Side::close);
    }

    @Test
    void aBlobComesWholeThoughOneHolderDiesAnotherLiesAndAThirdHasHalfOfIt() {
        byte[] content = new byte[16_000_000];
        new Random(1).nextBytes(content);
        Side reader = new Side();
        Side whole = new Side();
        Side dying = new Side(answer -> answer, 2);
        Side liar = new Side(BlobFetcherIT::other, Integer.MAX_VALUE);
        Side half = new Side();
        for (Side side : List.of(whole, dying, liar)) {
            side.blobs.put(content);
        }
        String hash = whole.blobs.put(content);
        Blobs.Manifest manifest = whole.blobs.manifest(hash).orElseThrow();
        List<Blobs.Chunk> chunks = manifest.chunks();
        half.blobs.accept(manifest);
        chunks.subList(chunks.size() / 2, chunks.size())
                .forEach(chunk -> half.blobs.putChunk(
                        chunk.hash(), whole.blobs.chunk(chunk.hash()).orElseThrow()));
        // It was fetching before, and had begun at the end.
        List<Blobs.Chunk> before = chunks.subList(chunks.size() - 4, chunks.size());
        before.forEach(chunk -> reader.blobs.putChunk(
                chunk.hash(), whole.blobs.chunk(chunk.hash()).orElseThrow()));
        long stored = before.stream().mapToLong(Blobs.Chunk::size).sum();

        Side[] holders = {whole, dying, liar, half};
        for (Side holder : holders) {
            holder.trust(reader);
        }
        reader.trust(holders);
        Await.until(
                "all links",
                SOON,
                () -> reader.links.states().stream().filter(LinkState::up).count() == holders.length);
        // Else the quickest might have sent all before the others were asked.
        noteAsked = () -> {
            if (dying.chunksServed.get() >= 2 && liar.chunksServed.get() > 0 && half.chunksServed.get() > 0) {
                whole.mayAnswer.complete(null);
            }
        };
        List.of(dying, liar, half).forEach(side -> side.mayAnswer.complete(null));
        reader.want(hash);
        Await.until("the blob", SOON, () -> reader.blobs.contains(hash));
        assertThat(Arrays.equals(reader.blobs.read(hash).orElseThrow(), content))
                .isTrue();
        assertThat(reader.liars).containsOnly(liar.key.id());
        assertThat(reader.fetched).doesNotContainKey(liar.key.id());
        assertThat(reader.fetched.get(half.key.id()))
                .as("of what half of it has")
                .isPositive();
        assertThat(reader.fetched.values().stream().mapToLong(bytes -> bytes).sum())
                .as("nothing comes twice, and nothing that was here")
                .isEqualTo(content.length - stored);
    }
}
