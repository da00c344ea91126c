package sh.fazt.link;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.Frame;

/**
 * Puts the frames of one lane together and takes the messages to their handlers, one after the other.
 * Frames come on one network thread at a time; what is shared with the handlers' threads is guarded by this.
 *
 * <p>Credits: a frame's credit goes back to the sender at once, unless more than {@link #HELD_BYTES} of whole
 * messages wait for their handlers; then the sender's window fills and it waits. The control lane carries
 * the pings, so it is always read, and what finds no room there is dropped or answered "busy".
 */
final class LaneReceiver implements FrameSink {
    private static final int HELD_BYTES = 1 << 20;
    private static final int HELD_MESSAGES = 256;
    private static final int REQUESTS_UNDER_WAY = 256;
    private static final int REQUEST_BYTES_UNDER_WAY = 4 * Wire.MAX_MESSAGE;
    private static final int MAX_REASON = 4096;
    /** Each costs memory, however little it carries; the largest message has 64 that are full. */
    private static final int MOST_PARTS = 4096;
    /** Then the thread is given back, so that one busy lane can't keep it. */
    private static final int IN_A_ROW = 32;

    private static final long RETRY_MILLIS = 20;
    /** A lane that was full for so long is told of. */
    private static final Duration FULL = Duration.ofSeconds(30);

    private final GrpcLinks links;
    private final Peer peer;
    private final Link link;
    private final Channel.Lane lane;
    private final LaneStream stream;
    private final LaneQueue replies;

    // Network thread.
    private @Nullable Frame first;
    private final List<ByteString> parts = new ArrayList<>();
    private int partBytes;

    // Guarded by this.
    private final ArrayDeque<Delivery> inbox = new ArrayDeque<>();
    private boolean delivering;
    private long held;
    private int owed;
    private long fullSince;
    private int requests;
    private long requestBytes;

    private record Delivery(int bytes, Runnable task) {}

    LaneReceiver(GrpcLinks links, Link link, Channel.Lane lane, LaneStream stream) {
        this.links = links;
        this.link = link;
        this.peer = link.peer();
        this.lane = lane;
        this.stream = stream;
        this.replies = peer.queue(lane);
    }

    @Override
    public void frame(Frame frame) {
        switch (frame.getKind()) {
            case Wire.PING -> link.pinged(frame.getId());
            case Wire.PONG -> link.ponged(frame);
            case Wire.STATUS, Wire.BOOK -> link.told(frame);
            case Wire.MOVED -> put(0, stream::moveDone);
            case Wire.MESSAGE, Wire.REQUEST, Wire.ANSWER, Wire.REFUSAL, Wire.BUSY -> part(frame);
            default -> links.counts().unknownFrames.increment();
        }
        credit(1);
    }

    private void part(Frame frame) {
        int size = frame.getBody().size();
        Frame begun = first;
        if (size > Wire.MAX_BODY) {
            stream.broke(Fault.OVERSIZED, "a frame with " + size + " bytes, the limit is " + Wire.MAX_BODY);
        } else if (begun == null && !frame.getMore()) {
            whole(frame, frame.getBody().toByteArray());
        } else if (begun != null
                && (begun.getKind() != frame.getKind()
                        || begun.getId() != frame.getId()
                        || begun.getChannel() != frame.getChannel())) {
            stream.broke(Fault.MALFORMED, "a frame inside another message");
        } else if (partBytes + size > Wire.MAX_MESSAGE) {
            stream.broke(Fault.OVERSIZED, "a message of more than " + Wire.MAX_MESSAGE + " bytes");
        } else if (parts.size() == MOST_PARTS) {
            stream.broke(Fault.OVERSIZED, "a message of more than " + MOST_PARTS + " frames");
        } else {
            first = begun == null ? frame.toBuilder().clearBody().build() : begun;
            parts.add(frame.getBody());
            partBytes += size;
            if (!frame.getMore()) {
                byte[] message = joined();
                Frame head = first;
                first = null;
                whole(head, message);
            }
        }
    }

    /** The parts in one piece: each byte is copied once. */
    private byte[] joined() {
        byte[] message = new byte[partBytes];
        int at = 0;
        for (ByteString part : parts) {
            part.copyTo(message, at);
            at += part.size();
        }
        parts.clear();
        partBytes = 0;
        return message;
    }

    private void whole(Frame head, byte[] message) {
        peer.received(message.length);
        if (head.getKind() != Wire.MESSAGE && head.getKind() != Wire.REQUEST) {
            stream.answered(head.getKind(), head.getId(), message);
            return;
        }
        Channel channel = links.channel(head.getChannel());
        if (channel == null) {
            links.counts().unknownFrames.increment();
            if (head.getKind() == Wire.REQUEST) {
                links.counts().unknownFrames.increment();
                reply(Wire.REFUSAL, head.getId(), Channel.SWARM, "this node knows no channel " + head.getChannel());
            }
        } else if (channel.lane() != lane) {
            stream.broke(Fault.MALFORMED, "a message for " + channel + " on the " + lane + " lane");
        } else if (head.getKind() == Wire.MESSAGE) {
            message(channel, message);
        } else {
            request(channel, head, message);
        }
    }

    private void message(Channel channel, byte[] message) {
        Links.Handler handler = links.handler(channel);
        if (handler == null) {
            links.counts().unknownFrames.increment();
        } else if (!deliver(message.length, () -> {
            try {
                handler.message(peer.id(), message);
            } catch (RuntimeException e) {
                links.handlerFailed(channel, e);
            }
        })) {
            noRoom("a message", channel);
        }
    }

    private void request(Channel channel, Frame head, byte[] message) {
        Links.Handler handler = links.handler(channel);
        if (handler == null) {
            reply(Wire.REFUSAL, head.getId(), channel, "nobody answers on " + channel);
            return;
        }
        boolean room;
        synchronized (this) {
            room = requests < REQUESTS_UNDER_WAY && requestBytes + message.length <= REQUEST_BYTES_UNDER_WAY;
            if (room) {
                requests++;
                requestBytes += message.length;
            }
        }
        long arrived = links.nanos();
        if (!room || !deliver(message.length, () -> ask(handler, channel, head, message, arrived))) {
            if (room) {
                answered(message.length);
            }
            noRoom("a request", channel);
            reply(Wire.BUSY, head.getId(), channel, "the peer is busy on " + channel + ": retry later");
        }
    }

    private void noRoom(String what, Channel channel) {
        links.counts().dropped.increment();
        peer.misbehaved(Fault.FLOOD, what + " on " + channel + " found no room");
    }

    private void ask(Links.Handler handler, Channel channel, Frame head, byte[] message, long arrived) {
        CompletionStage<byte[]> stage;
        try {
            stage = handler.request(peer.id(), message);
        } catch (RuntimeException e) {
            stage = CompletableFuture.failedStage(e);
        }
        stage.whenComplete((answer, error) -> {
            answered(message.length);
            long waited = (links.nanos() - arrived) / 1_000_000;
            if (head.getDeadlineMillis() > 0 && waited > head.getDeadlineMillis()) {
                // Nobody waits any more.
                return;
            }
            if (error != null) {
                reply(Wire.REFUSAL, head.getId(), channel, Reasons.ofHandler(error));
            } else if (answer == null || answer.length > Wire.MAX_MESSAGE) {
                String size = answer == null ? "nothing" : answer.length + " bytes";
                reply(
                        Wire.REFUSAL,
                        head.getId(),
                        channel,
                        "the answer on " + channel + " was " + size + ", at most " + Wire.MAX_MESSAGE + " are taken");
            } else {
                peer.sent(answer.length);
                replies.add(Outgoing.reply(Wire.ANSWER, head.getId(), channel, answer, stream));
            }
        });
    }

    private void reply(int kind, long id, Channel channel, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        byte[] cut = bytes.length > MAX_REASON ? Arrays.copyOf(bytes, MAX_REASON) : bytes;
        replies.add(Outgoing.reply(kind, id, channel, cut, stream));
    }

    private synchronized void answered(int bytes) {
        requests--;
        requestBytes -= bytes;
    }

    // ---- towards the handlers ----

    private boolean deliver(int bytes, Runnable task) {
        synchronized (this) {
            if (lane == Channel.Lane.CONTROL && isFull()) {
                return false;
            }
        }
        put(bytes, task);
        return true;
    }

    private void put(int bytes, Runnable task) {
        synchronized (this) {
            held += bytes;
            inbox.add(new Delivery(bytes, task));
            if (delivering) {
                return;
            }
            delivering = true;
        }
        submit();
    }

    private boolean isFull() {
        return held > HELD_BYTES || inbox.size() >= HELD_MESSAGES;
    }

    private void submit() {
        try {
            links.handlers().execute(this::deliverSome);
        } catch (RejectedExecutionException e) {
            // A full executor: what waits here stays, its credits are withheld, and the sender feels it.
            if (!links.isClosed() && (!stream.isOver() || stream.sawMove())) {
                links.after(RETRY_MILLIS, this::submit);
            }
        }
    }

    private void deliverSome() {
        for (int i = 0; i < IN_A_ROW; i++) {
            Delivery next;
            synchronized (this) {
                next = inbox.poll();
                if (next == null) {
                    delivering = false;
                    return;
                }
            }
            try {
                next.task().run();
            } finally {
                synchronized (this) {
                    held -= next.bytes();
                }
                credit(0);
            }
        }
        submit();
    }

    private void credit(int frames) {
        int give = 0;
        boolean flooded = false;
        synchronized (this) {
            owed += frames;
            if (lane != Channel.Lane.CONTROL && isFull()) {
                long now = links.nanos() | 1;
                fullSince = fullSince == 0 ? now : fullSince;
                flooded = now - fullSince >= FULL.toNanos();
            } else {
                fullSince = 0;
                give = owed;
                owed = 0;
            }
        }
        if (flooded) {
            peer.misbehaved(
                    Fault.FLOOD, "the " + lane + " lane was full for " + FULL.toSeconds() + " s: it has to wait");
        }
        if (give > 0) {
            stream.request(give);
        }
    }
}
