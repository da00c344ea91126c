package sh.fazt.link;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
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
    private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>();
    private long bytes;
    private @Nullable LaneStream stream;
    private boolean draining;
    private boolean closed;

    LaneQueue(String peer, Channel.Lane lane, Executor finisher) {
        this.peer = peer;
        this.lane = lane;
        this.finisher = finisher;
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
        synchronized (this) {
            // gRPC may call ready() while it takes a frame; the loop below sees what that would.
            if (draining) {
                return done;
            }
            draining = true;
            try {
                while (stream != null && !waiting.isEmpty() && stream.isReady()) {
                    Outgoing head = waiting.element();
                    if (head.only != null && head.only != stream) {
                        drop(head);
                        continue;
                    }
                    if (!head.isStarted() && head.answer != null) {
                        stream.asked(head);
                    }
                    stream.write(head.next());
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
        return done;
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
            if (stream == from) {
                stream = null;
            }
            for (Iterator<Outgoing> all = waiting.iterator(); all.hasNext(); ) {
                Outgoing one = all.next();
                if (one.only == from || (one.isStarted() && stream == null)) {
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
