package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;
import sh.fazt.testkit.Await;

/** Transactions and rows that no message could carry, over real links between real cartridges. */
@Timeout(120)
class LargePullIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private final List<Wire> open = new ArrayList<>();

    @AfterEach
    void stop() {
        open.forEach(Wire::close);
    }

    private <T extends Wire> T opened(T wire) {
        open.add(wire);
        return wire;
    }

    /** One transaction of so many rows of so many MiB each. */
    static void write(Side side, String name, int rows, int mib) {
        side.cartridge
                .write(Side.SCOPE, tx -> {
                    for (int row = 0; row < rows; row++) {
                        tx.put("pair", List.of(name + row), Map.of("value", (name + row).repeat(mib * MIB / 3)));
                    }
                    return true;
                })
                .toCompletableFuture()
                .join();
    }

    private static long weight(Side side) {
        return side.cartridge
                .read(rows ->
                        rows.query("SELECT coalesce(sum(length(value)), 0) FROM pair_live", row -> row.integer(0)))
                .get(0);
    }

    private static void link(Side one, Wire other) {
        one.trust(other);
        other.trust(one);
    }

    /** Looks at what is pulled, and does something at the hundredth piece. */
    private static final class Watched implements Links {
        final AtomicInteger asked = new AtomicInteger();
        final AtomicInteger mostAsked = new AtomicInteger();
        final AtomicInteger largest = new AtomicInteger();
        final AtomicLong bytes = new AtomicLong();
        final AtomicInteger pieces = new AtomicInteger();
        final CompletableFuture<Void> hundredth = new CompletableFuture<>();
        private final Links links;

        Watched(Links links) {
            this.links = links;
        }

        @Override
        public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
            if (channel != Channel.PULL) {
                return links.ask(to, channel, request, deadline);
            }
            mostAsked.accumulateAndGet(asked.incrementAndGet(), Math::max);
            return links.ask(to, channel, request, deadline).whenComplete((answer, failed) -> {
                asked.decrementAndGet();
                if (answer != null) {
                    bytes.addAndGet(answer.length);
                    largest.accumulateAndGet(answer.length, Math::max);
                    if (pieces.incrementAndGet() == 100) {
                        hundredth.complete(null);
                    }
                }
            });
        }

        @Override
        public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
            return links.send(to, channel, message, deadline);
        }

        @Override
        public void handle(Channel channel, Handler handler) {
            links.handle(channel, handler);
        }

        @Override
        public void listen(Listener listener) {
            links.listen(listener);
        }

        @Override
        public List<LinkState> states() {
            return links.states();
        }

        @Override
        public void close() {
            links.close();
        }
    }

    @Test
    void aLargeTransactionAndALargeRowGoOnWhereTheLinkWasCut() throws Exception {
        Side writer = opened(new Side(folder.resolve("writer")));
        Watched[] watched = new Watched[1];
        Side reader = opened(new Side(folder.resolve("reader"), links -> watched[0] = new Watched(links)));
        write(writer, "a", 40, 1);
        write(writer, "b", 1, 8);
        CompletableFuture<Void> cut = watched[0].hundredth.thenRunAsync(reader::trust);
        link(reader, writer);
        cut.get(60, TimeUnit.SECONDS);
        Await.until("the link is cut", SOON, () -> reader.linked(0));
        assertThat(reader.pairs()).as("nothing of it shows before all is here").isZero();
        assertThat(folder.resolve("reader.spool")).isDirectory();
        long before = watched[0].bytes.get();
        reader.trust(writer);
        Await.until("all is here", SOON, () -> reader.pairs() == 41);
        assertThat(weight(reader)).isEqualTo(weight(writer));
        assertThat(watched[0].bytes.get())
                .as("what was here was not sent again")
                .isBetween(49L * MIB - before, 51L * MIB);
        assertThat((long) watched[0].mostAsked.get() * watched[0].largest.get())
                .as("bytes under way at a time")
                .isLessThanOrEqualTo(5L * (260 << 10));
        // From now on one that has them passes them on.
        Side third = opened(new Side(folder.resolve("third")));
        third.trust(reader);
        reader.trust(writer, third);
        Await.until("it is passed on", SOON, () -> third.pairs() == 41);
        assertThat(weight(third)).isEqualTo(weight(writer));
        assertThat(reader.offences(writer)).isZero();
        assertThat(third.offences(reader)).isZero();
    }

    @Test
    void whereTheDiskTakesNothingThePullFailsWithAReasonAndGoesOnLater() throws IOException {
        Side writer = opened(new Side(folder.resolve("writer")));
        Side reader = opened(new Side(folder.resolve("reader")));
        write(writer, "a", 5, 1);
        Path place = folder.resolve("reader.spool");
        Files.writeString(place, "in the way");
        link(reader, writer);
        Await.until("the reason is told", SOON, () -> reader.cartridge.notWritable() != null);
        assertThat(reader.cartridge.notWritable())
                .startsWith("can't stage a pull in " + place)
                .contains("make room on the disk");
        assertThat(reader.pairs()).isZero();
        reader.set("k");
        assertThat(reader.pairs()).as("writes go on").isEqualTo(1);
        Files.delete(place);
        Await.until("it is tried again", SOON, () -> reader.pairs() == 6);
        assertThat(reader.offences(writer)).isZero();
        Await.until("nothing stays behind", SOON, () -> {
            try (Stream<Path> left = Files.list(place)) {
                return left.findAny().isEmpty();
            }
        });
    }

    @Test
    void whatAKilledProcessLeftBehindGoesAtTheNextStart() throws IOException {
        Path place = Files.createDirectory(folder.resolve("reader.spool"));
        Files.writeString(place.resolve("pull-1.spool"), "left behind");
        opened(new Side(folder.resolve("reader")));
        assertThat(place).doesNotExist();
    }

    /** The protocol as it was before parts came in pieces: whole, without sizes, and nothing about all of them. */
    @Test
    void nodesThatGiveAndTakePartsWholeAreUnderstood() {
        Side writer = opened(new Side(folder.resolve("writer")));
        Side reader = opened(new Side(folder.resolve("reader")));
        Wire older = opened(new Wire());
        for (int row = 0; row < 3; row++) {
            write(writer, "r" + row, 1, 1);
        }
        ReplicaStore.Spool spool = writer.cartridge.replica().open(Side.SCOPE, VersionVector.EMPTY);
        List<byte[]> taken = new ArrayList<>();
        older.links.handle(Channel.VECTORS, answering(request -> PullReply.getDefaultInstance()));
        older.links.handle(Channel.CHANGES, answering(request -> PullReply.getDefaultInstance()));
        older.links.handle(Channel.PULL, answering(request -> {
            PullReply.Builder reply = PullReply.newBuilder().setSpool(7).setParts(spool.parts());
            if (request.getSpool() == 0) {
                reply.addAllVector(SyncCodec.seen(spool.vector()));
            }
            return request.getPart() >= spool.parts()
                    ? PullReply.getDefaultInstance()
                    : reply.setPart(ByteString.copyFrom(spool.part(request.getPart())))
                            .build();
        }));
        older.links.start();
        writer.links.start();
        older.trust(reader, writer);
        reader.trust(older);
        writer.trust(older);
        Await.until("they are linked", SOON, () -> older.linked(2));
        older.links.send(
                reader.key.id(),
                Channel.VECTORS,
                SyncCodec.vectors(Map.of(Side.SCOPE, spool.vector()), false, writer.cartridge.replica()),
                SOON);
        Await.until("an older node's parts come", SOON, () -> reader.pairs() == 3);
        PullReply first = ask(older, writer, PullRequest.newBuilder().setScope(Side.SCOPE.id()));
        taken.add(first.getPart().toByteArray());
        for (int part = 1; part < first.getParts(); part++) {
            taken.add(ask(
                            older,
                            writer,
                            PullRequest.newBuilder()
                                    .setScope(Side.SCOPE.id())
                                    .setSpool(first.getSpool())
                                    .setPart(part))
                    .getPart()
                    .toByteArray());
        }
        assertThat(taken.stream().flatMap(part -> RowCodec.read(part).rows().stream()))
                .hasSize(3);
        spool.close();
    }

    private static PullReply ask(Wire from, Wire to, PullRequest.Builder request) {
        return from.links
                .ask(to.key.id(), Channel.PULL, request.build().toByteArray(), SOON)
                .thenApply(SyncedReply::of)
                .toCompletableFuture()
                .join();
    }

    private interface Answer {
        PullReply to(PullRequest request);
    }

    private static final class SyncedReply {
        static PullReply of(byte[] bytes) {
            try {
                return PullReply.parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static Links.Handler answering(Answer answer) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {}

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                try {
                    return CompletableFuture.completedFuture(
                            answer.to(PullRequest.parseFrom(request)).toByteArray());
                } catch (InvalidProtocolBufferException e) {
                    return CompletableFuture.failedFuture(e);
                }
            }
        };
    }
}
