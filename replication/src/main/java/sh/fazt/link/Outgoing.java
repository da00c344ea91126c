package sh.fazt.link;

import com.google.protobuf.UnsafeByteOperations;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import org.jspecify.annotations.Nullable;
import sh.fazt.link.LinkException.Reason;
import sh.fazt.protocol.peer.v1.Frame;

/**
 * One message on its way into a lane. Its progress is guarded by its {@link LaneQueue}; its future is
 * completed by whoever comes first.
 */
final class Outgoing {
    final int kind;
    final long id;
    final Channel channel;
    final byte[] body;
    final int deadlineMillis;
    /** For a message: completes when the lane took it. */
    final @Nullable CompletableFuture<Void> taken;
    /** For a request: completes with its answer. */
    final @Nullable CompletableFuture<byte[]> answer;
    /** For an answer: the one stream on which the question came. */
    final @Nullable LaneStream only;

    private int offset;
    private boolean started;
    private volatile @Nullable ScheduledFuture<?> timer;

    private Outgoing(
            int kind,
            long id,
            Channel channel,
            byte[] body,
            int deadlineMillis,
            @Nullable CompletableFuture<Void> taken,
            @Nullable CompletableFuture<byte[]> answer,
            @Nullable LaneStream only) {
        this.kind = kind;
        this.id = id;
        this.channel = channel;
        this.body = body;
        this.deadlineMillis = deadlineMillis;
        this.taken = taken;
        this.answer = answer;
        this.only = only;
    }

    static Outgoing message(long id, Channel channel, byte[] body, CompletableFuture<Void> taken) {
        return new Outgoing(Wire.MESSAGE, id, channel, body, 0, taken, null, null);
    }

    static Outgoing request(
            long id, Channel channel, byte[] body, int deadlineMillis, CompletableFuture<byte[]> answer) {
        return new Outgoing(Wire.REQUEST, id, channel, body, deadlineMillis, null, answer, null);
    }

    static Outgoing reply(int kind, long id, Channel channel, byte[] body, LaneStream only) {
        return new Outgoing(kind, id, channel, body, 0, null, null, only);
    }

    boolean isStarted() {
        return started;
    }

    boolean isWhole() {
        return started && offset == body.length;
    }

    Frame next() {
        started = true;
        int length = Math.min(Wire.MAX_BODY, body.length - offset);
        Frame frame = Frame.newBuilder()
                .setKind(kind)
                .setId(id)
                .setChannel(channel.number())
                .setDeadlineMillis(deadlineMillis)
                .setBody(UnsafeByteOperations.unsafeWrap(body, offset, length))
                .setMore(offset + length < body.length)
                .build();
        offset += length;
        return frame;
    }

    boolean isDone() {
        return (taken == null || taken.isDone()) && (answer == null || answer.isDone());
    }

    void timer(ScheduledFuture<?> newTimer) {
        timer = newTimer;
        if (isDone()) {
            newTimer.cancel(false);
        }
    }

    void took() {
        if (taken != null && taken.complete(null)) {
            cancelTimer();
        }
    }

    void answered(byte[] with) {
        if (answer != null && answer.complete(with)) {
            cancelTimer();
        }
    }

    void failed(Reason reason, String message) {
        LinkException error = new LinkException(reason, message);
        boolean first = taken != null
                ? taken.completeExceptionally(error)
                : answer != null && answer.completeExceptionally(error);
        if (first) {
            cancelTimer();
        }
    }

    private void cancelTimer() {
        ScheduledFuture<?> set = timer;
        if (set != null) {
            set.cancel(false);
        }
    }
}
