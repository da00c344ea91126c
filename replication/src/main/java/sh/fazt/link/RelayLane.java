package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.RelayNote;

/**
 * The relayed streams on the links to one peer, in turns and behind everything else. It moves from a link to
 * the one that replaces it, and ends with the last. Confined to the loop, to which frames are handed.
 */
final class RelayLane {
    /** Streams of one peer; each costs two windows at most. */
    private static final int MAX_LEGS = 64;
    /** While other lanes wait, one piece in that time: little, but not nothing. */
    private static final long YIELD_MILLIS = 50;
    /** What has come and is not yet looked at; a peer that sends more than its windows gets that far. */
    private static final int CREDITS = 64;

    private final GrpcLinks links;
    private final Peer peer;
    private final Map<Long, RelayLeg> legs = new HashMap<>();
    private final ArrayDeque<RelayLeg> turns = new ArrayDeque<>();
    private @Nullable LaneStream stream;
    private @Nullable ScheduledFuture<?> later;
    private long lastYieldNanos;
    private long opened;
    private long openedByPeer;

    RelayLane(GrpcLinks links, Peer peer) {
        this.links = links;
        this.peer = peer;
    }

    Peer peer() {
        return peer;
    }

    /** Whether streams can pass: a link is up, and it is not itself relayed. */
    boolean isOpen() {
        return stream != null;
    }

    /** The link that is up has this stream. */
    void attach(LaneStream to) {
        LaneStream before = stream;
        if (before != null) {
            before.write(Wire.frame(Wire.MOVED, 0, ByteString.EMPTY));
        } else {
            opened = 0;
            openedByPeer = 0;
        }
        stream = to;
        to.open(
                frame -> links.loop().execute(() -> frame(to, frame)),
                () -> links.loop().execute(this::pump),
                this);
        if (before == null) {
            to.release(CREDITS);
        } else {
            before.whenMoved(() -> to.release(CREDITS));
        }
        pump();
    }

    void detach(LaneStream from, String why) {
        if (stream == from) {
            stream = null;
            List.copyOf(legs.values()).forEach(leg -> leg.over(why));
        }
    }

    // ---- out ----

    /** A stream of ours; null when there is no room. */
    @Nullable
    RelayLeg open(int kind, byte[] named) {
        if (stream == null || legs.size() >= 2 * MAX_LEGS) {
            return null;
        }
        // The two sides number their own streams, one of them oddly.
        long id = 2 * ++opened + (isOdd() ? 1 : 0);
        RelayLeg leg = new RelayLeg(this, id);
        legs.put(id, leg);
        note(kind, id, note -> note.setNodeId(ByteString.copyFrom(named)));
        return leg;
    }

    private boolean isOdd() {
        return links.id().compareTo(peer.id()) < 0;
    }

    void note(int kind, long id, Consumer<RelayNote.Builder> says) {
        LaneStream to = stream;
        if (to != null) {
            RelayNote.Builder note = RelayNote.newBuilder();
            says.accept(note);
            to.write(Wire.frame(kind, id, note.build().toByteString()));
        }
    }

    void wants(RelayLeg leg) {
        if (!turns.contains(leg)) {
            turns.add(leg);
        }
        pump();
    }

    void forget(RelayLeg leg) {
        legs.remove(leg.id(), leg);
        turns.remove(leg);
    }

    private void pump() {
        long shortest = Long.MAX_VALUE;
        int held = 0;
        while (!turns.isEmpty() && held < turns.size()) {
            LaneStream to = stream;
            if (to == null || !to.isReady()) {
                return;
            }
            long yield = yieldNanos();
            if (yield > 0) {
                again(yield);
                return;
            }
            RelayLeg leg = turns.remove();
            long delay = leg.delayNanos();
            if (delay > 0) {
                turns.add(leg);
                shortest = Math.min(shortest, delay);
                held++;
                continue;
            }
            held = 0;
            ByteString piece = leg.next();
            if (leg.isWaiting()) {
                turns.add(leg);
            }
            peer.relayed(piece.size());
            to.write(Wire.frame(Wire.RELAY_DATA, leg.id(), piece));
            leg.sent();
        }
        if (!turns.isEmpty()) {
            again(shortest);
        }
    }

    /** How long to hold back for the sake of the other lanes. */
    private long yieldNanos() {
        if (!peer.isWaiting()) {
            return 0;
        }
        long now = links.nanos();
        long due = lastYieldNanos + TimeUnit.MILLISECONDS.toNanos(YIELD_MILLIS);
        if (now - due >= 0) {
            lastYieldNanos = now;
            return 0;
        }
        return due - now;
    }

    private void again(long nanos) {
        if (later == null) {
            later = links.loop()
                    .schedule(
                            () -> {
                                later = null;
                                pump();
                            },
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }

    // ---- in ----

    private void frame(LaneStream from, Frame frame) {
        if (from.isOver() && !from.sawMove()) {
            return;
        }
        try {
            if (frame.getKind() == Wire.MOVED) {
                from.moveDone();
            } else {
                take(frame);
            }
        } catch (InvalidProtocolBufferException e) {
            from.broke(Fault.MALFORMED, "a damaged frame about a relayed stream");
        }
        from.request(1);
    }

    private void take(Frame frame) throws InvalidProtocolBufferException {
        long id = frame.getId();
        switch (frame.getKind()) {
            case Wire.RELAY_OPEN, Wire.RELAY_COMING -> opens(frame);
            case Wire.RELAY_ACCEPT -> with(id, RelayLeg::accepted);
            case Wire.RELAY_DATA ->
                with(id, leg -> {
                    if (frame.getBody().size() > Wire.MAX_BODY || !leg.data(frame.getBody())) {
                        misbehaves(leg, "more than its window on a relayed stream");
                    }
                });
            case Wire.RELAY_CREDIT -> {
                int credit = RelayNote.parseFrom(frame.getBody()).getCredit();
                with(id, leg -> {
                    if (!leg.credited(credit)) {
                        misbehaves(leg, "more credit than a window");
                    }
                });
            }
            case Wire.RELAY_END -> {
                String why = RelayNote.parseFrom(frame.getBody()).getMessage();
                with(id, leg -> leg.over(Reasons.fromPeer(why)));
            }
            default -> links.counts().unknownFrames.increment();
        }
    }

    private void with(long id, Consumer<RelayLeg> does) {
        RelayLeg leg = legs.get(id);
        if (leg != null) {
            does.accept(leg);
            return;
        }
        // What was on its way when the stream ended is no fault.
        boolean ours = (id & 1) == (isOdd() ? 1 : 0);
        if (id / 2 > (ours ? opened : openedByPeer)) {
            peer.misbehaved(Fault.MALFORMED, "a frame for relayed stream " + id + ", which is not its own");
        }
    }

    private void misbehaves(RelayLeg leg, String what) {
        peer.misbehaved(Fault.BEYOND_CREDIT, what);
        leg.close("the sender did not keep to its window");
    }

    private void opens(Frame frame) throws InvalidProtocolBufferException {
        long id = frame.getId();
        RelayNote note = RelayNote.parseFrom(frame.getBody());
        if ((id & 1) == (isOdd() ? 1 : 0)
                || id / 2 <= openedByPeer
                || note.getNodeId().size() != 32) {
            peer.misbehaved(Fault.MALFORMED, "a relayed stream with a number or a name that it can't have");
            return;
        }
        openedByPeer = id / 2;
        RelayLeg leg = new RelayLeg(this, id);
        legs.put(id, leg);
        if (legs.size() > MAX_LEGS) {
            leg.close("too many relayed streams on one link");
            return;
        }
        links.relays().opened(leg, note.getNodeId().toByteArray(), frame.getKind() == Wire.RELAY_OPEN);
    }
}
