package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.Pong;

/**
 * One connection with its four lanes. Confined to the loop, but for what {@link LinkState} shows, which is
 * volatile, and {@link #pinged}, which only sends.
 */
final class Link implements LaneStream.Owner {
    static final long PING_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long PROBE_MILLIS = 1000;
    private static final long GRACE_MILLIS = 500;
    /** Unanswered pings that are remembered: more than are sent before silence ends the link. */
    private static final int MAX_PINGS = 8;

    private static final Logger LOG = LoggerFactory.getLogger(Link.class);

    private enum Phase {
        OPENING,
        UP,
        DOWN
    }

    private record Ping(long nanos, long wallMillis) {}

    private final GrpcLinks links;
    private final Peer peer;
    private final boolean dialled;
    private final String address;
    private final long boot;
    private final @Nullable ManagedChannel connection;
    private final @Nullable LaneStream[] lanes = new LaneStream[Channel.Lane.values().length];
    private final Map<Long, Ping> pings = new HashMap<>();
    private final List<Runnable> whenAnswered = new ArrayList<>();
    private Phase phase = Phase.OPENING;
    private long nextPing;
    private long lastPingNanos;
    private long lastAnswerNanos;
    private long upSinceNanos;
    private volatile boolean up;
    private volatile @Nullable Duration roundTrip;
    private volatile long offsetMillis;

    Link(GrpcLinks links, Peer peer, boolean dialled, String address, long boot, @Nullable ManagedChannel connection) {
        this.links = links;
        this.peer = peer;
        this.dialled = dialled;
        this.address = address;
        this.boot = boot;
        this.connection = connection;
    }

    Peer peer() {
        return peer;
    }

    boolean isDialled() {
        return dialled;
    }

    String address() {
        return address;
    }

    long boot() {
        return boot;
    }

    boolean isUp() {
        return up;
    }

    @Nullable
    Duration roundTrip() {
        return roundTrip;
    }

    long offsetMillis() {
        return offsetMillis;
    }

    // ---- coming up ----

    /** False when the lane is taken or the link is past opening. */
    boolean attach(int lane, LaneStream stream) {
        if (phase != Phase.OPENING || lane >= lanes.length || lanes[lane] != null) {
            return false;
        }
        lanes[lane] = stream;
        stream.owner(this);
        return true;
    }

    boolean isWhole() {
        for (LaneStream stream : lanes) {
            if (stream == null) {
                return false;
            }
        }
        return true;
    }

    /** All lanes are there. */
    void open() {
        phase = Phase.UP;
        up = true;
        upSinceNanos = links.nanos();
        lastAnswerNanos = upSinceNanos;
        peer.cameUp(this);
        links.counts().linksUp.increment();
        LOG.info("link up peer={} address={} dialled={}", peer.id().shortText(), address, dialled);
        for (Channel.Lane lane : Channel.Lane.values()) {
            LaneStream stream = lanes[lane.number()];
            if (stream != null) {
                stream.open(new LaneReceiver(links, this, lane, stream), peer.queue(lane));
            }
        }
        ping();
        links.tell(listener -> listener.up(peer.id()));
    }

    // ---- alive ----

    /** Once per tick; {@code lateNanos} is how long this node itself was not running. */
    void tick(long lateNanos) {
        if (phase != Phase.UP) {
            return;
        }
        // A node that slept can't blame its peers for the silence.
        lastAnswerNanos += lateNanos;
        long now = links.nanos();
        long silent = now - lastAnswerNanos;
        if (silent > SILENCE_NANOS) {
            down("no answer for " + TimeUnit.NANOSECONDS.toMillis(silent) + " ms", Wire.OUT_OF_PLACE, true);
        } else if (now - lastPingNanos >= PING_NANOS) {
            ping();
        }
    }

    private void ping() {
        LaneStream control = lanes[Channel.Lane.CONTROL.number()];
        if (control == null || pings.size() >= MAX_PINGS) {
            return;
        }
        long id = ++nextPing;
        lastPingNanos = links.nanos();
        pings.put(id, new Ping(lastPingNanos, links.wallMillis()));
        peer.queue(Channel.Lane.CONTROL).writeNow(control, Wire.frame(Wire.PING, id, ByteString.EMPTY));
    }

    /** The peer asks whether we are there. Called on a network thread, so that a busy loop does not look dead. */
    void pinged(long id) {
        LaneStream control = lanes[Channel.Lane.CONTROL.number()];
        if (control != null) {
            ByteString body =
                    Pong.newBuilder().setWallMillis(links.wallMillis()).build().toByteString();
            peer.queue(Channel.Lane.CONTROL).writeNow(control, Wire.frame(Wire.PONG, id, body));
        }
    }

    /** The answer to a ping of ours. Called on a network thread. */
    void ponged(Frame frame) {
        long now = links.nanos();
        links.loop().execute(() -> ponged(frame, now));
    }

    private void ponged(Frame frame, long nanos) {
        Ping ping = pings.remove(frame.getId());
        if (ping == null || phase != Phase.UP) {
            return;
        }
        try {
            long there = Pong.parseFrom(frame.getBody()).getWallMillis();
            long tripNanos = nanos - ping.nanos();
            roundTrip = Duration.ofNanos(tripNanos);
            offsetMillis = there - (ping.wallMillis() + TimeUnit.NANOSECONDS.toMillis(tripNanos) / 2);
        } catch (InvalidProtocolBufferException e) {
            links.counts().badFrames.increment();
        }
        lastAnswerNanos = nanos;
        pings.keySet().removeIf(older -> older < frame.getId());
        List<Runnable> told = List.copyOf(whenAnswered);
        whenAnswered.clear();
        told.forEach(Runnable::run);
    }

    /** Whether the peer answers within a second, told once. */
    void probe(Consumer<Boolean> alive) {
        if (phase != Phase.UP) {
            alive.accept(phase == Phase.OPENING);
            return;
        }
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

    // ---- going down ----

    @Override
    public void hello(LaneStream stream, Hello hello) {
        // The lanes of a link that we dialled are greeted back; their order was ours.
    }

    @Override
    public void goodbye(LaneStream stream, Goodbye goodbye) {
        peer.refused(goodbye.getCode(), goodbye.getMessage());
        down(goodbye.getMessage(), Wire.OUT_OF_PLACE, true);
    }

    @Override
    public void closed(LaneStream stream, String why) {
        down(why, Wire.OUT_OF_PLACE, true);
    }

    /**
     * Ends it.
     *
     * @param code   what the peer is told, unless it is not told
     * @param silent whether the peer is told nothing: it is gone or knows
     */
    void down(String why, int code, boolean silent) {
        if (phase == Phase.DOWN) {
            return;
        }
        boolean wasUp = phase == Phase.UP;
        phase = Phase.DOWN;
        up = false;
        for (Channel.Lane lane : Channel.Lane.values()) {
            LaneStream stream = lanes[lane.number()];
            if (stream != null) {
                if (silent) {
                    stream.abort(why);
                } else {
                    stream.close(code, why);
                }
                peer.queue(lane).detach(stream, why);
            }
        }
        whenAnswered.clear();
        ManagedChannel mine = connection;
        if (mine != null) {
            if (silent) {
                mine.shutdownNow();
            } else {
                mine.shutdown();
                links.after(GRACE_MILLIS, mine::shutdownNow);
            }
        }
        if (wasUp) {
            links.counts().linksDown.increment();
            LOG.info("link down peer={} address={} reason={}", peer.id().shortText(), address, why);
            links.tell(listener -> listener.down(peer.id(), why));
        }
        peer.wentDown(this, why, wasUp && links.nanos() - upSinceNanos > 2 * PING_NANOS);
    }
}
