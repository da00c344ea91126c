package sh.fazt.link;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One relayed stream as one link carries it. At its ends a leg leads to a {@link RelayChannel}, at the relay
 * to the other leg. Credit is given by the ends and only passed on by the relay, so that a slow end stops
 * the other one and what waits at the relay is never more than a window. Confined to the loop.
 */
final class RelayLeg {
    /** What may be under way between two ends, each way, and what a relay holds of it at most. */
    static final int WINDOW = 256 << 10;
    /** A piece; small, so that streams take turns often. */
    static final int PIECE = 16 << 10;
    /** What an end hands to its lane before it waits. */
    private static final int AHEAD = 2 * PIECE;

    /** What a leg leads to. */
    interface End {
        void accepted();

        void data(ByteString bytes);

        /** The far end takes so much more. */
        void credited(int bytes);

        /** There may be room to send. */
        void room();

        void ended(String why);
    }

    private final RelayLane lane;
    private final long id;
    private final ArrayDeque<ByteString> waiting = new ArrayDeque<>();
    private @Nullable End end;
    private @Nullable TokenBucket cap;
    private int queued;
    private int mayCome = WINDOW;
    private int maySend = WINDOW;
    private int owed;
    private boolean over;

    RelayLeg(RelayLane lane, long id) {
        this.lane = lane;
        this.id = id;
    }

    long id() {
        return id;
    }

    RelayLane lane() {
        return lane;
    }

    void end(End leadsTo) {
        end = leadsTo;
    }

    // ---- out ----

    /** How much {@link #send} takes now. */
    int room() {
        return over ? 0 : Math.max(0, Math.min(PIECE, Math.min(maySend, AHEAD - queued)));
    }

    void send(ByteString bytes) {
        if (!over) {
            maySend -= bytes.size();
            queued += bytes.size();
            waiting.add(bytes);
            lane.wants(this);
        }
    }

    /** How long the pair's cap keeps it from sending. */
    long delayNanos() {
        return cap == null ? 0 : cap.delayNanos();
    }

    /** The next piece; the lane calls it only while something waits. */
    ByteString next() {
        ByteString bytes = waiting.remove();
        queued -= bytes.size();
        if (cap != null) {
            cap.take(bytes.size());
        }
        return bytes;
    }

    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** Its lane took a piece. */
    void sent() {
        if (end != null && !over) {
            end.room();
        }
    }

    /** This end has used up so much: the far end may send it again. */
    void consumed(int bytes) {
        owed += bytes;
        if (!over && owed >= WINDOW / 4) {
            give(owed);
            owed = 0;
        }
    }

    /** Lets the peer on this leg send so much more. */
    void give(int bytes) {
        if (!over) {
            mayCome += bytes;
            lane.note(Wire.RELAY_CREDIT, id, note -> note.setCredit(bytes));
        }
    }

    void accept() {
        lane.note(Wire.RELAY_ACCEPT, id, note -> {});
    }

    /** Ends it from this side. */
    void close(String why) {
        if (!over) {
            lane.note(Wire.RELAY_END, id, note -> note.setMessage(why));
            over(why);
        }
    }

    // ---- in ----

    void accepted() {
        if (end != null) {
            end.accepted();
        }
    }

    /** False when the peer sends more than it may. */
    boolean data(ByteString bytes) {
        mayCome -= bytes.size();
        if (mayCome < 0) {
            return false;
        }
        if (end != null) {
            end.data(bytes);
        }
        return true;
    }

    /** False when the peer gives more than a window. */
    boolean credited(int bytes) {
        if (bytes <= 0 || bytes > WINDOW || maySend + bytes > WINDOW) {
            return false;
        }
        maySend += bytes;
        if (end != null) {
            end.credited(bytes);
            end.room();
        }
        return true;
    }

    void over(String why) {
        if (!over) {
            over = true;
            waiting.clear();
            queued = 0;
            lane.forget(this);
            End led = end;
            end = null;
            if (led != null) {
                led.ended(why);
            }
        }
    }

    /** Passes on what comes on one leg to the other; {@code then} runs once, when both have ended. */
    static void join(RelayLeg one, RelayLeg other, TokenBucket cap, Runnable then) {
        one.cap = cap;
        other.cap = cap;
        one.end(new PassOn(one, other, () -> {}));
        other.end(new PassOn(other, one, then));
    }

    private record PassOn(RelayLeg from, RelayLeg to, Runnable then) implements End {
        @Override
        public void accepted() {
            to.accept();
        }

        @Override
        public void data(ByteString bytes) {
            to.send(bytes);
        }

        @Override
        public void credited(int bytes) {
            to.give(bytes);
        }

        @Override
        public void room() {
            // What waits is sent by its lane.
        }

        @Override
        public void ended(String why) {
            to.close(why);
            then.run();
        }
    }
}
