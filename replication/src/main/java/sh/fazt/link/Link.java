package sh.fazt.link;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.Pong;

/**
 * One connection with its lanes: five, and four where it is relayed itself or the peer is older. Confined to
 * the loop, but for what {@link LinkState} shows, which is volatile, and {@link #pinged}, which only sends.
 *
 * <p>A link may replace one that is up. Then each lane of both sides goes over by itself: the sender ends the
 * message that has begun, marks the end of the old lane and goes on in the new one; the receiver takes from
 * the new lane what comes once everything before the mark is with its handler. So nothing is lost, nothing
 * changes places, and nobody above hears of it.
 */
final class Link implements LaneStream.Owner {
    /** A link that held so long is no sign of trouble when it breaks. */
    private static final long LASTED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long GRACE_MILLIS = 500;
    private static final long OPENING_MILLIS = 5000;

    private static final Logger LOG = LoggerFactory.getLogger(Link.class);

    private enum Phase {
        OPENING,
        UP,
        /** Another link has taken its place; the last messages come in. */
        LEAVING,
        DOWN
    }

    /**
     * What both sides know of a link before it is up.
     *
     * @param via    the relay, or null
     * @param uptime for how long the peer's process had run, in ms, at {@code atNanos}; 0 when it does not say
     * @param place  where the peer is, for a reader
     * @param lanes  how many it has
     * @param schemaLevel of the peer's release
     */
    record Terms(
            boolean dialled,
            Way way,
            LinkClass rank,
            @Nullable NodeId via,
            String address,
            long boot,
            long uptime,
            long atNanos,
            String place,
            int lanes,
            int schemaLevel) {
        /** Whether the peer's process was started after one that has run for so long now; false when unknown. */
        boolean isYoungerThan(long otherUptime, long nowNanos) {
            return uptime > 0 && otherUptime > 0 && uptime + (nowNanos - atNanos) / 1_000_000 < otherUptime;
        }

        /** Where the sender of a hello says that it is dialled, which says more than the port that it came from. */
        static String place(String address, Hello hello) {
            return hello.getAddressesCount() == 0 ? address : hello.getAddresses(0);
        }

        static Terms of(boolean dialled, Way way, String address, Hello hello, long nanos) {
            NodeId via = way instanceof Way.Via relayed ? relayed.relay() : null;
            boolean full = via == null && hello.getCapabilityLevel() >= Wire.RELAYS;
            return new Terms(
                    dialled,
                    way,
                    via == null ? way.rank().orBetter(hello.getWay()) : LinkClass.RELAYED,
                    via,
                    address,
                    hello.getBootNonce(),
                    hello.getUptimeMillis(),
                    nanos,
                    Reasons.fromPeer(place(address, hello)),
                    Channel.Lane.values().length - (full ? 0 : 1),
                    Greetings.schemaLevel(hello));
        }
    }

    private final GrpcLinks links;
    private final Peer peer;
    private final Terms terms;
    private final boolean modern;
    private final @Nullable ManagedChannel connection;
    private final @Nullable LaneStream[] lanes = new LaneStream[Channel.Lane.values().length];
    private final boolean[] greeted = new boolean[lanes.length];
    private final boolean[] markSent = new boolean[lanes.length];
    private final Pulse pulse;
    private @Nullable Link replaces;
    private @Nullable Link replacedBy;
    private boolean saidDone;
    private boolean peerIsDone;
    private Phase phase = Phase.OPENING;
    private long upSinceNanos;
    private volatile boolean up;
    private volatile LinkClass linkClass;

    Link(GrpcLinks links, Peer peer, Terms terms, Hello hello, @Nullable ManagedChannel connection) {
        this.links = links;
        this.peer = peer;
        this.terms = terms;
        this.modern = hello.getCapabilityLevel() >= Wire.RELAYS;
        this.connection = connection;
        this.linkClass = terms.rank();
        this.pulse = new Pulse(
                links,
                id -> say(Wire.frame(Wire.PING, id, ByteString.EMPTY)),
                () -> links.tell(listener -> listener.silent(peer.id())));
    }

    Peer peer() {
        return peer;
    }

    Terms terms() {
        return terms;
    }

    Pulse pulse() {
        return pulse;
    }

    boolean isUp() {
        return up;
    }

    boolean isOpening() {
        return phase == Phase.OPENING;
    }

    /** The peer knows statuses and books, and can move. */
    boolean isModern() {
        return modern;
    }

    LinkClass linkClass() {
        return linkClass;
    }

    // ---- coming up ----

    /** It shall take the place of that one, which is up. */
    void replaces(Link old) {
        replaces = old;
        links.after(OPENING_MILLIS, () -> {
            if (phase == Phase.OPENING) {
                down("not all lanes came within " + OPENING_MILLIS + " ms", Wire.OUT_OF_PLACE, false);
            }
        });
    }

    /** False when the lane is taken or the link is past opening. */
    boolean attach(int lane, LaneStream stream) {
        if (phase != Phase.OPENING || lane < 0 || lane >= terms.lanes() || lanes[lane] != null) {
            return false;
        }
        lanes[lane] = stream;
        stream.owner(this);
        return true;
    }

    boolean isWhole() {
        for (int lane = 0; lane < terms.lanes(); lane++) {
            if (lanes[lane] == null) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void hello(LaneStream stream, Hello hello) {
        // On a link that we dialled: the lanes are greeted back. Then the other side is whole.
        greeted[Math.floorMod(hello.getLane(), greeted.length)] = true;
        if (phase == Phase.OPENING && replaces != null && terms.dialled()) {
            for (int lane = 1; lane < terms.lanes(); lane++) {
                if (!greeted[lane]) {
                    return;
                }
            }
            open();
        }
    }

    /** All lanes are there. */
    void open() {
        Link old = replaces;
        replaces = null;
        boolean moving = old != null && old.phase == Phase.UP && peer.link() == old;
        phase = Phase.UP;
        up = true;
        upSinceNanos = links.nanos();
        (moving ? links.counts().moved : links.counts().linksUp).increment();
        peer.opened(this);
        classify();
        for (int lane = 0; lane < terms.lanes(); lane++) {
            open(lane, moving ? old : null);
        }
        pulse.start();
        if (moving && old != null) {
            old.leave(this);
            LOG.info(
                    "link moved peer={} from={} to={} class={}",
                    peer.id().shortText(),
                    old.terms.address(),
                    terms.address(),
                    linkClass.text());
        } else {
            LOG.info(
                    "link up peer={} address={} class={} dialled={}",
                    peer.id().shortText(),
                    terms.address(),
                    linkClass.text(),
                    terms.dialled());
            links.tell(listener -> listener.up(peer.id()));
        }
        links.directory().linked(this);
    }

    private void open(int number, @Nullable Link old) {
        LaneStream stream = lanes[number];
        if (stream == null) {
            throw new IllegalStateException("lane " + number + " is missing");
        }
        if (number == Channel.Lane.RELAY.number()) {
            peer.relayLane().attach(stream);
            return;
        }
        Channel.Lane lane = Channel.Lane.values()[number];
        LaneQueue queue = peer.queue(lane);
        int credits = linkClass.credits();
        stream.open(new LaneReceiver(links, this, lane, stream), queue::ready, queue);
        LaneStream before = old == null ? null : old.lanes[number];
        if (old == null || before == null) {
            queue.attach(stream);
            stream.release(credits);
        } else {
            before.whenMoved(() -> stream.release(credits));
            queue.move(before, stream, () -> links.loop().execute(() -> old.marked(number)));
        }
    }

    // ---- alive ----

    /** Once per tick; {@code lateNanos} is how long this node itself was not running. */
    void tick(long lateNanos) {
        if (phase == Phase.UP) {
            classify();
            long silent = pulse.tick(linkClass, lateNanos, peer.unheardNanos());
            if (silent > 0) {
                down(silence(silent), Wire.OUT_OF_PLACE, true);
            }
        } else if (phase == Phase.LEAVING) {
            // A handler that takes its time may keep the old link for long; a dead one must not be waited for.
            long silent = pulse.tick(terms.rank(), lateNanos, 0);
            if (silent > 0) {
                broke(silence(silent));
            }
        }
    }

    private static String silence(long nanos) {
        return "no answer for " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms";
    }

    /** What the link is now: what is paid for, what was measured and what was set. */
    void classify() {
        LinkClass way = terms.rank() == LinkClass.LAN && !pulse.isNear() ? LinkClass.WAN : terms.rank();
        LinkClass now = peer.isMetered() ? LinkClass.METERED : way;
        // Before it is told: whoever sees the class may rely on its limits.
        peer.limit(now);
        linkClass = now;
    }

    /** A frame on the control lane, ahead of everything. */
    void say(Frame frame) {
        LaneStream control = lanes[Channel.Lane.CONTROL.number()];
        if (control != null) {
            peer.queue(Channel.Lane.CONTROL).writeNow(control, frame);
        }
    }

    /** The peer asks whether we are there. Called on a network thread, so that a busy loop does not look dead. */
    void pinged(long id) {
        say(Wire.frame(
                Wire.PONG,
                id,
                Pong.newBuilder().setWallMillis(links.wallMillis()).build().toByteString()));
    }

    /** The answer to a ping of ours. Called on a network thread. */
    void ponged(Frame frame) {
        long now = links.nanos();
        peer.heard();
        links.loop().execute(() -> {
            if (phase == Phase.UP || phase == Phase.LEAVING) {
                pulse.ponged(frame, now);
            }
        });
    }

    /** What the peer says of itself and of others. Called on a network thread. */
    void told(Frame frame) {
        links.loop().execute(() -> {
            if (phase == Phase.UP || phase == Phase.LEAVING) {
                links.directory().told(peer, frame);
            }
        });
    }

    /** Whether the peer answers within a second, told once. */
    void probe(Consumer<Boolean> alive) {
        if (phase == Phase.UP) {
            pulse.probe(alive);
        } else {
            alive.accept(phase == Phase.OPENING);
        }
    }

    // ---- leaving for another link ----

    private void leave(Link next) {
        phase = Phase.LEAVING;
        up = false;
        replacedBy = next;
        for (int lane = 0; lane < terms.lanes(); lane++) {
            if (lane == Channel.Lane.RELAY.number()) {
                marked(lane);
            }
            LaneStream stream = lanes[lane];
            if (stream != null) {
                stream.whenMoved(() -> links.loop().execute(this::leftWhenDone));
            }
        }
        leftWhenDone();
    }

    private void marked(int lane) {
        markSent[lane] = true;
        leftWhenDone();
    }

    /**
     * When both sides have sent their last message on every lane the peer is told so; when both have said it,
     * nothing is under way any more.
     */
    private void leftWhenDone() {
        if (phase != Phase.LEAVING || saidDone) {
            return;
        }
        for (int lane = 0; lane < terms.lanes(); lane++) {
            LaneStream stream = lanes[lane];
            if (!markSent[lane] || stream == null || !stream.sawMove()) {
                return;
            }
        }
        saidDone = true;
        say(Wire.goodbye(Wire.REPLACED, "another link took its place"));
        if (peerIsDone) {
            links.after(GRACE_MILLIS, this::left);
        }
    }

    private void left() {
        if (phase == Phase.LEAVING) {
            down("another link took its place", Wire.REPLACED, false);
        }
    }

    /** It ended before everything had come: what is lost is unknown, so the peers have to begin anew. */
    private void broke(String why) {
        Link next = replacedBy;
        if (phase == Phase.LEAVING) {
            down(why, Wire.OUT_OF_PLACE, true);
            if (next != null) {
                next.down("the link before it broke: " + why, Wire.OUT_OF_PLACE, false);
            }
        }
    }

    private void ended(LaneStream stream, String why) {
        if (phase != Phase.LEAVING) {
            down(why, Wire.OUT_OF_PLACE, true);
        } else if (saidDone) {
            // It has all of ours, and we have all of its.
            left();
        } else {
            broke(why);
        }
    }

    // ---- going down ----

    @Override
    public void goodbye(LaneStream stream, Goodbye goodbye) {
        String why = Reasons.fromPeer(goodbye.getMessage());
        if (phase == Phase.LEAVING && goodbye.getCode() == Wire.REPLACED) {
            peerIsDone = true;
            if (saidDone) {
                left();
            }
            return;
        }
        if (phase != Phase.LEAVING) {
            peer.refused(goodbye.getCode(), why);
        }
        ended(stream, why);
    }

    @Override
    public void closed(LaneStream stream, String why) {
        ended(stream, why);
    }

    @Override
    public void misbehaved(Fault kind, String what) {
        peer.misbehaved(kind, what);
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
                if (lane == Channel.Lane.RELAY) {
                    peer.relayLane().detach(stream, why);
                } else {
                    peer.queue(lane).detach(stream, why);
                }
            }
        }
        pulse.stop();
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
            LOG.info("link down peer={} address={} reason={}", peer.id().shortText(), terms.address(), why);
            links.tell(listener -> listener.down(peer.id(), why));
        }
        peer.wentDown(this, why, wasUp && links.nanos() - upSinceNanos > LASTED_NANOS);
    }
}
