package sh.fazt.link;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.link.LinkException.Reason;
import sh.fazt.protocol.peer.v1.Frame;

/**
 * What waits to be sent to one peer on one lane; it outlives the links. Thread-safe: one short lock, under
 * which frames are handed to gRPC, which only queues them. No foreign code runs under it.
 */
final class LaneQueue {
    /** Above this a sender is told at once that there is no room: some 4 of the largest messages. */
    static final int MAX_BYTES = 4 * Wire.MAX_MESSAGE;

    static final int MAX_MESSAGES = 4096;

    private final String peer;
    private final Channel.Lane lane;
    private final Executor finisher;
    private final Throttle throttle;
    private final LongConsumer readyIn;
    private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>();
    private long bytes;
    private @Nullable LaneStream stream;
    /** Where to go on once the message that has begun is through, and whom to tell. */
    private @Nullable LaneStream next;

    private Runnable whenMoved = () -> {};
    private boolean held;
    private boolean draining;
    private boolean closed;

    /** @param readyIn calls {@link #readyAgain} so many nanoseconds later */
    LaneQueue(String peer, Channel.Lane lane, Executor finisher, Throttle throttle, LongConsumer readyIn) {
        this.peer = peer;
        this.lane = lane;
        this.finisher = finisher;
        this.throttle = throttle;
        this.readyIn = readyIn;
    }

    /** Whether something waits for room; a guess while others send. */
    synchronized boolean isWaiting() {
        return !waiting.isEmpty() && !held;
    }

    /** What the rate or the budget held back may try again. */
    void readyAgain() {
        synchronized (this) {
            held = false;
        }
        ready();
    }

    /** Puts a message in line and sends what has room. The caller has not shown the future to anyone yet. */
    void add(Outgoing next) {
        String refusal = null;
        boolean closing;
        synchronized (this) {
            closing = closed;
            boolean full = bytes + next.body.length > MAX_BYTES || waiting.size() >= MAX_MESSAGES;
            // An answer is room that the asker has reserved.
            if (closing || (full && next.only == null)) {
                refusal = waiting.size() + " messages with " + bytes + " bytes wait already";
            } else {
                waiting.add(next);
                bytes += next.body.length;
            }
        }
        if (closing) {
            next.failed(Reason.CLOSED, "sending to " + peer + " on " + next.channel + ": this node is stopping");
        } else if (refusal != null) {
            next.failed(
                    Reason.UNREACHABLE,
                    "no room for " + peer + " on " + next.channel + ": " + refusal + "; retry later");
        } else {
            drain().forEach(Outgoing::took);
        }
    }

    /** The stream has room. Called on network threads. */
    void ready() {
        List<Outgoing> done = drain();
        if (!done.isEmpty()) {
            finisher.execute(() -> done.forEach(Outgoing::took));
        }
    }

    private List<Outgoing> drain() {
        List<Outgoing> done = List.of();
        Runnable moved = null;
        long delay = 0;
        synchronized (this) {
            // gRPC may call ready() while it takes a frame; the loop below sees what that would.
            if (draining) {
                return done;
            }
            draining = true;
            try {
                while (stream != null) {
                    if (next != null && (waiting.isEmpty() || !waiting.element().isStarted())) {
                        moved = goOn();
                        continue;
                    }
                    if (waiting.isEmpty() || held || !stream.isReady()) {
                        break;
                    }
                    Outgoing head = waiting.element();
                    if (head.only != null && head.only.latest() != (next == null ? stream : next)) {
                        drop(head);
                        continue;
                    }
                    delay = isThrottled() ? throttle.delayNanos() : 0;
                    if (delay > 0) {
                        held = true;
                        break;
                    }
                    if (!head.isStarted() && head.answer != null) {
                        stream.asked(head);
                    }
                    Frame frame = head.next();
                    throttle.spent(frame.getBody().size(), true);
                    stream.write(frame);
                    if (head.isWhole()) {
                        drop(head);
                        if (head.taken != null) {
                            done = done.isEmpty() ? new ArrayList<>() : done;
                            done.add(head);
                        }
                    }
                }
            } finally {
                draining = false;
            }
        }
        if (delay > 0) {
            readyIn.accept(delay);
        }
        if (moved != null) {
            moved.run();
        }
        return done;
    }

    private boolean isThrottled() {
        return lane == Channel.Lane.CHANGES || lane == Channel.Lane.BULK;
    }

    /** Nothing is half sent: the next message goes to the other stream. */
    private Runnable goOn() {
        LaneStream to = next;
        LaneStream from = stream;
        if (from != null && to != null) {
            from.write(Wire.frame(Wire.MOVED, 0, ByteString.EMPTY));
            stream = to;
        }
        next = null;
        return whenMoved;
    }

    /**
     * Everything after the message that has begun goes to another stream; answers that are due on the first
     * come on the second.
     *
     * @param then runs once nothing more will be sent to the first
     */
    void move(LaneStream from, LaneStream to, Runnable then) {
        synchronized (this) {
            from.movedTo(to);
            if (stream == from) {
                next = to;
                whenMoved = then;
            } else {
                stream = to;
            }
        }
        ready();
    }

    private void drop(Outgoing head) {
        waiting.remove(head);
        bytes -= head.body.length;
    }

    /** Sends a frame ahead of everything, room or not: for the few that must never wait. */
    synchronized void writeNow(LaneStream to, Frame frame) {
        to.write(frame);
    }

    void attach(LaneStream to) {
        synchronized (this) {
            stream = to;
        }
        ready();
    }

    /** The stream is gone: what had begun on it is lost, the rest waits for the next one. */
    void detach(LaneStream from, String why) {
        List<Outgoing> lost = new ArrayList<>();
        synchronized (this) {
            boolean wasCurrent = stream == from;
            if (wasCurrent) {
                stream = next;
                next = null;
            } else if (next == from) {
                next = null;
            }
            for (Iterator<Outgoing> all = waiting.iterator(); all.hasNext(); ) {
                Outgoing one = all.next();
                if ((one.only != null && one.only.latest() == from) || (one.isStarted() && wasCurrent)) {
                    all.remove();
                    bytes -= one.body.length;
                    lost.add(one);
                }
            }
        }
        lost.addAll(from.forgetAsked());
        if (!lost.isEmpty()) {
            finisher.execute(() -> lost.forEach(one ->
                    one.failed(Reason.BROKEN, "the link to " + peer + " broke (" + why + ") on " + one.channel)));
        }
    }

    /** Its deadline has come. */
    void expire(Outgoing one, long millis, String lastError) {
        boolean begun;
        boolean linked;
        synchronized (this) {
            begun = one.isStarted();
            linked = stream != null;
            if (!begun) {
                if (waiting.remove(one)) {
                    bytes -= one.body.length;
                }
            } else if (one.answer != null && stream != null) {
                stream.forget(one);
            }
        }
        if (one.isDone()) {
            return;
        }
        String where = peer + " on " + one.channel + " within " + millis + " ms";
        if (begun) {
            String what = one.answer == null ? "not all of a message was taken by " : "no answer from ";
            finisher.execute(() -> one.failed(Reason.TIMEOUT, what + where));
        } else if (linked && isThrottled() && throttle.isSpent()) {
            finisher.execute(() -> one.failed(
                    Reason.UNREACHABLE,
                    "today's budget for the metered link to " + where + " is used up: see \"fazt swarm link list\""));
        } else if (linked) {
            finisher.execute(() -> one.failed(Reason.UNREACHABLE, "no room on the " + lane + " lane to " + where));
        } else {
            String last = lastError.isEmpty() ? "" : ": " + lastError;
            finisher.execute(() -> one.failed(Reason.UNREACHABLE, "no link to " + where + last));
        }
    }

    /** This node is stopping. */
    void close() {
        List<Outgoing> left;
        synchronized (this) {
            closed = true;
            left = new ArrayList<>(waiting);
            waiting.clear();
            bytes = 0;
            if (stream != null) {
                left.addAll(stream.forgetAsked());
                stream = null;
            }
        }
        left.forEach(one ->
                one.failed(Reason.CLOSED, "sending to " + peer + " on " + one.channel + ": this node is stopping"));
    }
}
