package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.ChangeStream;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.Vectors;
import sh.fazt.testkit.Await;

/** How changes are pushed over real links, seen by a peer that loses some of what was sent. */
@Timeout(120)
class PushIT {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Side side;
    private Wire peer;
    private final Queue<byte[]> received = new ConcurrentLinkedQueue<>();
    private final AtomicInteger complaints = new AtomicInteger();

    @BeforeEach
    void start() {
        side = new Side(folder.resolve("side"));
        peer = new Wire();
        peer.links.handle(Channel.CHANGES, taking(received::add));
        peer.links.handle(
                Channel.VECTORS,
                taking(message ->
                        complaints.addAndGet(SyncCodec.vectors(message).unreadable() ? 1 : 0)));
        peer.links.handle(Channel.PULL, taking(message -> {}));
        peer.links.start();
        peer.trust(side);
        side.trust(peer);
        Await.until("they are linked", SOON, () -> side.linked(1));
    }

    @AfterEach
    void stop() {
        peer.close();
        side.close();
    }

    private interface Taking {
        void take(byte[] message);
    }

    private static Links.Handler taking(Taking taking) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                taking.take(message);
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return CompletableFuture.failedStage(new IllegalStateException("it answers nothing"));
            }
        };
    }

    private void say(Channel channel, byte[] message) {
        peer.links.send(side.key.id(), channel, message, SOON);
    }

    private Changeset change(long sequence) {
        Stamp stamp = new Stamp(new Origin(peer.key.id(), 1), sequence, Hlc.of(1000 + sequence, 0));
        RowCodec.Writer rows = new RowCodec.Writer(stamp);
        rows.row(new Row("pair", false, List.of("k" + sequence), stamp, false, Map.of("value", "v")));
        return new Changeset(
                new Dot(Side.SCOPE, stamp.origin(), sequence),
                stamp.hlc(),
                VersionVector.EMPTY.with(stamp.origin(), sequence - 1),
                rows.take());
    }

    @Test
    void whoeverGetsAMessageBehindALostOneSaysSoAndReadsTheNextStream() {
        ChangeStream.Writer stream = new ChangeStream.Writer(7);
        say(Channel.CHANGES, stream.write(List.of(change(1))));
        Await.until("the first is here", SOON, () -> side.pairs() == 1);
        byte[] lost = stream.write(List.of(change(2)));
        say(Channel.CHANGES, stream.write(List.of(change(3))));
        Await.until("it complains", SOON, () -> complaints.get() == 1);
        assertThat(lost).isNotEmpty();
        say(Channel.CHANGES, new ChangeStream.Writer(8).write(List.of(change(2), change(3))));
        Await.until("both are here", SOON, () -> side.pairs() == 3);
        assertThat(side.offences(peer)).isZero();
        assertThat(complaints).hasValue(1);
    }

    @Test
    void whoeverIsToldThatItCouldNotBeReadBeginsAnew() {
        ChangeStream.Reader reader = new ChangeStream.Reader();
        Await.until("something is pushed", SOON, () -> {
            side.set("a" + received.size());
            return !received.isEmpty();
        });
        received.clear();
        side.set("b");
        Await.until("what is pushed relies on what was before", SOON, () -> !received.isEmpty());
        assertThat(reader.read(received.remove())).isNull();
        say(Channel.VECTORS, Vectors.newBuilder().setUnreadable(true).build().toByteArray());
        AtomicInteger written = new AtomicInteger();
        Await.until("a stream begins that can be read", SOON, () -> {
            side.set("c" + written.incrementAndGet());
            byte[] next = received.poll();
            return next != null && reader.read(next) != null;
        });
        side.set("d");
        Await.until("and goes on", SOON, () -> {
            byte[] next = received.poll();
            List<Changeset> read = next == null ? null : reader.read(next);
            return read != null
                    && read.stream()
                            .flatMap(one -> one.contents().rows().stream())
                            .anyMatch(row -> row.key().equals(List.of("d")));
        });
        assertThat(side.offences(peer)).isZero();
    }
}
