package sh.fazt.link;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Pong;

/**
 * Whether the other end of a link answers, how quickly, and how its clock stands. Confined to the loop, but for
 * what {@link LinkState} shows, which is volatile.
 */
final class Pulse {
    /** Unanswered pings that are remembered: more than are sent before silence ends a link. */
    private static final int MAX_PINGS = 8;

    private static final long PROBE_MILLIS = 1000;
    /** An answer that is not here by the tick after the ping is late on a LAN. */
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
    /** After so long without an answer the next pings come as on a LAN; elsewhere it is late then. */
    private static final long WORRIED_NANOS = TimeUnit.SECONDS.toNanos(3);
    /** On a metered link: so long may what was sent stay unanswered, and then so long a ping. */
    private static final long UNANSWERED_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long METERED_ANSWER_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** A local network answers within this at least once in {@link #RECENT} pings. */
    private static final long NEAR_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

    private static final int RECENT = 8;

    private record Ping(long nanos, long wallMillis) {}

    private final GrpcLinks links;
    private final LongConsumer send;
    private final Runnable whenLate;
    private final Map<Long, Ping> pings = new LinkedHashMap<>();
    private final ArrayDeque<Long> recent = new ArrayDeque<>();
    private final List<Runnable> whenAnswered = new ArrayList<>();
    private long nextPing;
    private long lastPingNanos;
    private long lastAnswerNanos;
    /** Whether it was told that the answer is late. */
    private boolean late;

    private volatile @Nullable Duration roundTrip;
    private volatile long offsetMillis;

    /**
     * @param send     sends a ping with that number
     * @param whenLate runs when an answer is late, once until one comes
     */
    Pulse(GrpcLinks links, LongConsumer send, Runnable whenLate) {
        this.links = links;
        this.send = send;
        this.whenLate = whenLate;
    }

    @Nullable
    Duration roundTrip() {
        return roundTrip;
    }

    long offsetMillis() {
        return offsetMillis;
    }

    /** Whether the answers come as quickly as on a local network; taken for granted before there are many. */
    boolean isNear() {
        return recent.size() < RECENT || Collections.min(recent) <= NEAR_NANOS;
    }

    void start() {
        lastAnswerNanos = links.nanos();
        ping();
    }

    /**
     * Once per tick.
     *
     * @param lateNanos      how long this node itself was not running: a node that slept can't blame its peers
     * @param unheardNanos   for how long what was sent has had no sign of arrival; 0 when nothing is open
     * @return nanoseconds of a silence that ends the link, or 0
     */
    long tick(LinkClass now, long lateNanos, long unheardNanos) {
        lastAnswerNanos += lateNanos;
        long nanos = links.nanos();
        long silent = nanos - lastAnswerNanos;
        long sincePing = nanos - lastPingNanos;
        if (now == LinkClass.METERED) {
            if (!pings.isEmpty() && nanos - oldest() - lateNanos > METERED_ANSWER_NANOS) {
                return silent;
            }
            if (pings.isEmpty()
                    && (sincePing >= now.ping().toNanos()
                            || (unheardNanos > UNANSWERED_NANOS && sincePing > UNANSWERED_NANOS))) {
                ping();
            }
            return 0;
        }
        if (silent > now.silence().toNanos()) {
            return silent;
        }
        // Not after standing still: the answer may be here, unread.
        long unanswered = pings.isEmpty() || lateNanos > 0 ? 0 : nanos - oldest();
        if (!late && unanswered > (now == LinkClass.LAN ? LATE_NANOS : WORRIED_NANOS)) {
            late = true;
            whenLate.run();
        }
        boolean worried = !pings.isEmpty() && nanos - oldest() > WORRIED_NANOS;
        if (sincePing >= (worried ? LinkClass.LAN : now).ping().toNanos()) {
            ping();
        }
        return 0;
    }

    private long oldest() {
        return pings.values().iterator().next().nanos();
    }

    private void ping() {
        if (pings.size() < MAX_PINGS) {
            long id = ++nextPing;
            lastPingNanos = links.nanos();
            pings.put(id, new Ping(lastPingNanos, links.wallMillis()));
            send.accept(id);
        }
    }

    /** The answer to a ping came at that time. */
    void ponged(Frame frame, long nanos) {
        Ping ping = pings.remove(frame.getId());
        if (ping == null) {
            return;
        }
        try {
            long there = Pong.parseFrom(frame.getBody()).getWallMillis();
            long tripNanos = nanos - ping.nanos();
            recent.add(tripNanos);
            if (recent.size() > RECENT) {
                recent.remove();
            }
            // In this order: whoever sees a round trip sees an offset that was measured.
            offsetMillis = there - (ping.wallMillis() + TimeUnit.NANOSECONDS.toMillis(tripNanos) / 2);
            roundTrip = Duration.ofNanos(tripNanos);
        } catch (InvalidProtocolBufferException e) {
            links.counts().badFrames.increment();
        }
        lastAnswerNanos = nanos;
        late = false;
        pings.keySet().removeIf(older -> older < frame.getId());
        List<Runnable> told = List.copyOf(whenAnswered);
        whenAnswered.clear();
        told.forEach(Runnable::run);
    }

    /** Whether the peer answers within a second, told once. */
    void probe(Consumer<Boolean> alive) {
        boolean[] told = {false};
        long asked = nextPing + 1;
        ping();
        if (nextPing < asked) {
            // So many pings without an answer are an answer.
            alive.accept(false);
            return;
        }
        whenAnswered.add(() -> {
            if (!told[0]) {
                told[0] = true;
                alive.accept(true);
            }
        });
        links.after(PROBE_MILLIS, () -> {
            if (!told[0]) {
                told[0] = true;
                alive.accept(false);
            }
        });
    }

    void stop() {
        whenAnswered.clear();
    }
}
