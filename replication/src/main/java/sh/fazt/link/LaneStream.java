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
    }

    /** So many frames may be under way to us; with a window of this size a lane is never starved. */
    private static final int CREDITS = 16;

    private final GrpcLinks links;
    private final CallStreamObserver<Frame> out;
    private final ConcurrentHashMap<Long, Outgoing> asked = new ConcurrentHashMap<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile Owner owner;
    private volatile @Nullable LaneReceiver receiver;
    private volatile @Nullable LaneQueue queue;
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

    /** Belongs to a link that is up: from now on messages are taken. */
    void open(LaneReceiver to, LaneQueue from) {
        receiver = to;
        queue = from;
        from.attach(this);
        request(CREDITS);
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
        LaneQueue from = queue;
        if (from != null) {
            from.ready();
        }
    }

    void asked(Outgoing request) {
        asked.put(request.id, request);
    }

    void forget(Outgoing request) {
        asked.remove(request.id);
    }

    List<Outgoing> forgetAsked() {
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
        LaneQueue from = queue;
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
        if (from == null) {
            last.run();
        } else {
            synchronized (from) {
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
                LaneReceiver to = receiver;
                if (to == null) {
                    broke("a frame of kind " + frame.getKind() + " before the link was up");
                } else {
                    to.frame(frame);
                }
            } else if (frame.getKind() == Wire.HELLO) {
                greeted = true;
                Hello hello = Hello.parseFrom(frame.getBody());
                links.loop().execute(() -> owner.hello(this, hello));
                if (receiver != null) {
                    request(1);
                }
            } else {
                broke("a frame of kind " + frame.getKind() + " where a hello was expected");
            }
        } catch (InvalidProtocolBufferException e) {
            broke("a damaged frame of kind " + frame.getKind());
        }
    }

    /** The peer does not keep to the protocol. */
    void broke(String what) {
        links.counts().badFrames.increment();
        if (over.compareAndSet(false, true)) {
            cut("unexpected: " + what);
            links.loop().execute(() -> owner.closed(this, "it sent " + what));
        }
    }

    @Override
    public void onError(Throwable error) {
        ended(Reasons.of(error));
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
