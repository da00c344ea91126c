package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.ChangeStream;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;

/**
 * Sends changesets to peers and reads theirs. What comes to be sent while something else is done goes as one message. A
 * message that is lost makes those behind it unreadable: its sender hears of it from its link or from the peer, begins
 * another stream, and says which scopes the peer may lack something of. Confined to the {@code swarm} executor.
 */
final class Pushes {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final long COMPLAIN_EVERY = Duration.ofSeconds(1).toNanos();
    /** A link carries messages of 4 MiB; a larger changeset is announced by its vector, and pulled. */
    private static final int MOST_PUSH = 3 << 20;
    /** What may be on its way to one peer before pushes become vectors. */
    private static final int MOST_IN_FLIGHT = 8 << 20;
    /** Rows in one message, unless one changeset has more: together with the rest one frame of a link. */
    private static final int MOST_TOGETHER = 32 << 10;

    private final Links links;
    private final Executor swarm;
    private final LongSupplier nanos;
    private final Tally tally;
    private final BiConsumer<NodeId, Scope> lost;
    private final Map<NodeId, Outbox> outboxes = new HashMap<>();
    private final Map<NodeId, Inbox> inboxes = new HashMap<>();
    private int streams;
    /** Bytes of an average changeset. */
    private double averageBytes = 200;

    private static final class Outbox {
        ChangeStream.Writer stream;
        final ArrayDeque<Changeset> waiting = new ArrayDeque<>();
        /** Of rows, waiting or with the link. */
        int bytes;

        Outbox(ChangeStream.Writer stream) {
            this.stream = stream;
        }
    }

    private static final class Inbox {
        final ChangeStream.Reader stream = new ChangeStream.Reader();
        long complained = Long.MIN_VALUE / 2;
    }

    /** @param lost told of each scope of which a peer may lack something that was for it */
    Pushes(Links links, Executor swarm, LongSupplier nanos, Tally tally, BiConsumer<NodeId, Scope> lost) {
        this.links = links;
        this.swarm = swarm;
        this.nanos = nanos;
        this.tally = tally;
        this.lost = lost;
        // A peer may remember a stream of this node's last life.
        this.streams = (int) nanos.getAsLong();
    }

    private ChangeStream.Writer stream() {
        return new ChangeStream.Writer(++streams);
    }

    /** A link came up or went down, and both sides tell all that they hold: what was under way may be lost. */
    void restart(NodeId peer) {
        Outbox out = outboxes.remove(peer);
        if (out != null) {
            out.waiting.clear();
        }
    }

    /** A member that is gone for good. */
    void forget(NodeId peer) {
        restart(peer);
        inboxes.remove(peer);
    }

    double averageBytes() {
        return averageBytes;
    }

    /** Sends a changeset, together with those that come before this thread has done what it has to do now. */
    void push(NodeId to, Changeset changeset) {
        Outbox out = outboxes.computeIfAbsent(to, any -> new Outbox(stream()));
        int size = changeset.rows().length;
        averageBytes += (size - averageBytes) / 32;
        if (size > MOST_PUSH || out.bytes + size > MOST_IN_FLIGHT) {
            tally.of(to).dropped.incrementAndGet();
            lost.accept(to, changeset.dot().scope());
            return;
        }
        out.bytes += size;
        out.waiting.add(changeset);
        if (out.waiting.size() == 1) {
            swarm.execute(() -> flush(to, out));
        }
    }

    private void flush(NodeId to, Outbox out) {
        while (!out.waiting.isEmpty()) {
            List<Changeset> together = new ArrayList<>();
            int bytes = 0;
            do {
                Changeset next = out.waiting.remove();
                together.add(next);
                bytes += next.rows().length;
            } while (!out.waiting.isEmpty() && bytes + out.waiting.element().rows().length <= MOST_TOGETHER);
            send(to, out, together, bytes);
        }
    }

    private void send(NodeId to, Outbox out, List<Changeset> together, int bytes) {
        if (out.stream.isFull()) {
            out.stream = stream();
        }
        ChangeStream.Writer stream = out.stream;
        tally.of(to).pushed.addAndGet(together.size());
        links.send(to, Channel.CHANGES, stream.write(together), DEADLINE)
                .whenComplete((sent, failed) -> swarm.execute(() -> {
                    out.bytes -= bytes;
                    if (failed != null) {
                        broken(to, out, stream);
                    }
                }));
    }

    private void broken(NodeId to, Outbox out, ChangeStream.Writer stream) {
        stream.carried().forEach(scope -> lost.accept(to, scope));
        if (out.stream == stream) {
            out.stream = stream();
        }
    }

    /** The peer could not read what was sent. */
    void unreadable(NodeId to) {
        Outbox out = outboxes.get(to);
        if (out != null) {
            broken(to, out, out.stream);
        }
    }

    /**
     * Reads a message of a peer's.
     *
     * @return nothing where one before it is lacking: the peer is told, and its vectors tell what was in it
     * @throws IllegalArgumentException when it is damaged
     */
    List<Changeset> read(NodeId from, byte[] message) {
        Inbox in = inboxes.computeIfAbsent(from, any -> new Inbox());
        @Nullable List<Changeset> read = in.stream.read(message);
        if (read == null) {
            if (nanos.getAsLong() - in.complained >= COMPLAIN_EVERY) {
                in.complained = nanos.getAsLong();
                links.send(from, Channel.VECTORS, SyncCodec.unreadable(), DEADLINE);
            }
            return List.of();
        }
        tally.of(from).received.addAndGet(read.size());
        return read;
    }
}
