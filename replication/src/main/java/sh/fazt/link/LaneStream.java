package sh.fazt.link;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import sh.fazt.link.LinkException.Reason;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;

/**
 * One call of Open, seen from either side. What arrives comes on one network thread at a time, as gRPC
 * promises; what is written is written under its {@link LaneQueue}'s lock, or before it has one. Events for
 * its owner are handed to the loop.
 */
final class LaneStream implements StreamObserver<Frame> {
    /** Whom this stream tells; called on the loop. */
    interface Owner {
        void hello(LaneStream stream, Hello hello);

        void goodbye(LaneStream stream, Goodbye goodbye);

        void closed(LaneStream stream, String why);

        /** It sent what it may not; on any thread. */
        void misbehaved(Fault kind, String what);
    }

    private final GrpcLinks links;
    private final CallStreamObserver<Frame> out;
    private final AtomicBoolean over = new AtomicBoolean();
    /** Completes when the peer's messages go on elsewhere and all that came here are with their handler. */
    private final CompletableFuture<Void> moved = new CompletableFuture<>();

    private volatile ConcurrentHashMap<Long, Outgoing> asked = new ConcurrentHashMap<>();
    private volatile @Nullable LaneStream successor;
    private volatile Owner owner;
    private volatile @Nullable FrameSink sink;
    private volatile @Nullable Runnable whenReady;
    private volatile @Nullable Object lock;
    private volatile boolean sawMove;
    private boolean greeted;

    LaneStream(GrpcLinks links, CallStreamObserver<Frame> out, Owner owner) {
        this.links = links;
        this.out = out;
        this.owner = owner;
    }

    /** Who is told from now on; on the loop. */
    void owner(Owner next) {
        owner = next;
    }

    /**
     * Belongs to a link that is up. Messages come from {@link #release} on.
     *
     * @param ready  what to do when there is room to write
     * @param writes the lock that its writers hold
     */
    void open(FrameSink to, Runnable ready, Object writes) {
        lock = writes;
        sink = to;
        whenReady = ready;
    }

    /** From now on messages are taken, so many frames ahead. */
    void release(int credits) {
        request(credits);
    }

    // ---- moving to another link ----

    /** Answers that are due here come there from now on. Under the queue's lock. */
    void movedTo(LaneStream next) {
        next.asked = asked;
        successor = next;
    }

    /** The stream that has taken its place, or itself. */
    LaneStream latest() {
        LaneStream at = this;
        LaneStream next;
        while ((next = at.successor) != null) {
            at = next;
        }
        return at;
    }

    /** Whether the peer has sent its last message here. */
    boolean sawMove() {
        return sawMove;
    }

    /** Runs once all that came here is with its handler. */
    void whenMoved(Runnable then) {
        moved.thenRun(then);
    }

    void moveDone() {
        moved.complete(null);
    }

    // ---- out ----

    boolean isOver() {
        return over.get();
    }

    boolean isReady() {
        return !over.get() && out.isReady();
    }

    void write(Frame frame) {
        if (over.get()) {
            return;
        }
        try {
            out.onNext(frame);
        } catch (IllegalStateException | StatusRuntimeException e) {
            ended("the stream is closed");
        }
    }

    void request(int frames) {
        if (!over.get()) {
            out.request(frames);
        }
    }

    /** The stream has room. */
    void ready() {
        Runnable then = whenReady;
        if (then != null) {
            then.run();
        }
    }

    void asked(Outgoing request) {
        asked.put(request.id, request);
    }

    void forget(Outgoing request) {
        asked.remove(request.id);
    }

    List<Outgoing> forgetAsked() {
        if (successor != null) {
            return List.of();
        }
        List<Outgoing> all = new ArrayList<>(asked.values());
        asked.clear();
        return all;
    }

    /** The peer's answer to a request of ours. */
    void answered(int kind, long id, byte[] body) {
        Outgoing request = asked.remove(id);
        if (request == null) {
            // Came after its deadline.
            return;
        }
        links.finish(() -> {
            if (kind == Wire.ANSWER) {
                request.answered(body);
            } else {
                String text = new String(body, StandardCharsets.UTF_8);
                request.failed(kind == Wire.BUSY ? Reason.UNREACHABLE : Reason.REFUSED, text);
            }
        });
    }

    /** Ends it after a last word; tells nobody here. */
    void close(int code, String message) {
        Object writes = lock;
        Runnable last = () -> {
            write(Wire.goodbye(code, message));
            if (over.compareAndSet(false, true)) {
                try {
                    out.onCompleted();
                } catch (IllegalStateException | StatusRuntimeException e) {
                    // Ended by itself in the same moment.
                    over.set(true);
                }
            }
        };
        if (writes == null) {
            last.run();
        } else {
            synchronized (writes) {
                last.run();
            }
        }
    }

    /** Ends it without a word; tells nobody here. */
    void abort(String why) {
        if (!over.compareAndSet(false, true)) {
            return;
        }
        cut(why);
    }

    private void cut(String why) {
        try {
            if (out instanceof ClientCallStreamObserver<Frame> call) {
                call.cancel(why, null);
            } else {
                out.onError(Status.ABORTED.withDescription(why).asRuntimeException());
            }
        } catch (IllegalStateException | StatusRuntimeException e) {
            // Ended by itself in the same moment.
            over.set(true);
        }
    }

    // ---- in: network threads, one at a time ----

    @Override
    public void onNext(Frame frame) {
        try {
            if (frame.getKind() == Wire.GOODBYE) {
                Goodbye goodbye = Goodbye.parseFrom(frame.getBody());
                links.loop().execute(() -> owner.goodbye(this, goodbye));
            } else if (greeted) {
                FrameSink to = sink;
                if (to == null) {
                    broke(Fault.MALFORMED, "a frame of kind " + frame.getKind() + " before the link was up");
                } else {
                    sawMove |= frame.getKind() == Wire.MOVED;
                    to.frame(frame);
                }
            } else if (frame.getKind() == Wire.HELLO) {
                greeted = true;
                Hello hello = Hello.parseFrom(frame.getBody());
                links.loop().execute(() -> owner.hello(this, hello));
            } else {
                broke(Fault.MALFORMED, "a frame of kind " + frame.getKind() + " where a hello was expected");
            }
        } catch (InvalidProtocolBufferException e) {
            broke(Fault.MALFORMED, "a damaged frame of kind " + frame.getKind());
        }
    }

    /** The peer does not keep to the protocol. */
    void broke(Fault kind, String what) {
        owner.misbehaved(kind, what);
        if (over.compareAndSet(false, true)) {
            cut("unexpected: " + what);
            links.loop().execute(() -> owner.closed(this, "it sent " + what));
        }
    }

    @Override
    public void onError(Throwable error) {
        String why = Reasons.of(error);
        Fault fault = Fault.of(Status.fromThrowable(error));
        if (fault != null && !over.get()) {
            owner.misbehaved(fault, why);
        }
        ended(why);
    }

    @Override
    public void onCompleted() {
        if (!over.get()) {
            try {
                out.onCompleted();
            } catch (IllegalStateException | StatusRuntimeException e) {
                // Both sides ended at once.
                over.set(true);
            }
        }
        ended("closed by the peer");
    }

    void ended(String why) {
        if (over.compareAndSet(false, true)) {
            links.loop().execute(() -> owner.closed(this, why));
        }
    }
}
