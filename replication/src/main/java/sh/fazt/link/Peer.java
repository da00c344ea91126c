package sh.fazt.link;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;

/**
 * Another node: what waits for it, its one link, and the one that is about to replace it. Confined to the loop,
 * but for the queues, the counters and what {@link #state} shows.
 */
final class Peer {
    private static final Logger LOG = LoggerFactory.getLogger(Peer.class);
    private static final long ON_ITS_WAY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final GrpcLinks links;
    private final NodeId id;
    private final LaneQueue[] queues;
    private final RelayLane relayLane;
    private final Throttle throttle;
    private final Dialler dialler;
    private final Rate sent = new Rate();
    private final Rate received = new Rate();
    private final Faults faults = new Faults();
    private volatile long firstUnheardNanos;
    private volatile boolean trusted;
    private volatile boolean toldMetered;
    private volatile @Nullable Link link;
    private @Nullable Link standby;
    private volatile @Nullable String lastError;
    private volatile @Nullable String otherProtocol;
    private volatile String lastAddress = "";

    Peer(GrpcLinks links, NodeId id) {
        this.links = links;
        this.id = id;
        this.throttle = new Throttle(links);
        this.relayLane = new RelayLane(links, this);
        this.dialler = new Dialler(links, this);
        this.queues = new LaneQueue[Channel.Lane.RELAY.number()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new LaneQueue(
                    id.shortText(), Channel.Lane.values()[i], links::finish, throttle, new ReadyAgain(this, i)::in);
        }
    }

    private record ReadyAgain(Peer peer, int lane) {
        void in(long nanos) {
            peer.links.afterNanos(nanos, () -> peer.queues[lane].readyAgain());
        }
    }

    NodeId id() {
        return id;
    }

    LaneQueue queue(Channel.Lane lane) {
        return queues[lane.number()];
    }

    RelayLane relayLane() {
        return relayLane;
    }

    Dialler dialler() {
        return dialler;
    }

    Throttle throttle() {
        return throttle;
    }

    /** Whether a lane has more than its stream takes. */
    boolean isWaiting() {
        for (LaneQueue queue : queues) {
            if (queue.isWaiting()) {
                return true;
            }
        }
        return false;
    }

    /** A message for the peer was taken. */
    void sent(int bytes) {
        sent.add(bytes);
        if (firstUnheardNanos == 0) {
            firstUnheardNanos = links.nanos() | 1;
        }
    }

    /** A message of the peer is whole. */
    void received(int bytes) {
        received.add(bytes);
        throttle.spent(bytes, false);
        heard();
    }

    /** Bytes of others that go to the peer. */
    void relayed(int bytes) {
        throttle.spent(bytes, true);
    }

    /** The peer was heard: what was sent a while ago has probably arrived; what was sent just now is not known. */
    void heard() {
        long since = firstUnheardNanos;
        if (since != 0 && links.nanos() - since > ON_ITS_WAY_NANOS) {
            firstUnheardNanos = 0;
        }
    }

    /** For how long what was sent has been without a sign of the peer; 0 when nothing is. */
    long unheardNanos() {
        long since = firstUnheardNanos;
        return since == 0 ? 0 : links.nanos() - since;
    }

    boolean isTrusted() {
        return trusted;
    }

    @Nullable
    Link link() {
        return link;
    }

    /** The link that is being made to replace the one that is up. */
    @Nullable
    Link standby() {
        return standby;
    }

    String lastError() {
        String error = lastError;
        if (error != null) {
            return error;
        }
        return trusted ? "" : "it is not a member of this swarm";
    }

    void failed(String why) {
        lastError = why;
    }

    void trying(String address) {
        if (link == null) {
            lastAddress = address;
        }
    }

    LinkState state() {
        Link now = link;
        boolean isUp = now != null && now.isUp();
        Link.Terms terms = now == null || !isUp ? null : now.terms();
        return new LinkState(
                id,
                isUp,
                terms != null && terms.dialled(),
                terms == null ? lastAddress : terms.address(),
                now == null || !isUp ? null : now.pulse().roundTrip(),
                now == null || !isUp ? 0 : now.pulse().offsetMillis(),
                sent.total(),
                received.total(),
                isUp ? null : lastError,
                now == null || !isUp ? null : now.linkClass(),
                terms == null ? null : terms.via(),
                sent.perSecond(),
                received.perSecond(),
                throttle.rate(),
                throttle.left(),
                faults.offences(),
                faults.floods(),
                isUp ? null : otherProtocol);
    }

    // ---- what it costs ----

    void toldMetered(boolean metered) {
        toldMetered = metered;
        Link now = link;
        if (now != null && now.isUp()) {
            now.classify();
        }
    }

    /** Whether either side pays for this link. */
    boolean isMetered() {
        return toldMetered || links.settings().metered(id);
    }

    /** What a link of that class may do. */
    void limit(LinkClass linkClass) {
        LinkSettings settings = links.settings();
        throttle.set(settings.rate(id, linkClass), linkClass == LinkClass.METERED, settings.budget(id));
    }

    /** Once per tick. */
    void tick(long lateNanos) {
        long now = links.nanos();
        sent.tick(now);
        received.tick(now);
        Link present = link;
        if (present != null) {
            present.tick(lateNanos);
        }
    }

    /** The peer did what no member does, or floods this node: counted and named. Any thread. */
    void misbehaved(Fault kind, String what) {
        if (kind != Fault.FLOOD) {
            links.counts().badFrames.increment();
        }
        long times = faults.count(kind, links.nanos());
        if (times > 0) {
            LOG.info("a member {} peer={} times={} what={}", kind.text(), id.shortText(), times, what);
            links.tell(listener -> listener.misbehaves(id, kind, times, what));
        }
    }

    // ---- trust ----

    void trust(boolean addressesChanged) {
        boolean changed = !trusted || addressesChanged;
        trusted = true;
        if (changed) {
            dialler.hasNewWays();
        }
    }

    void distrust() {
        trusted = false;
        String evicted = links.evicted(id);
        stop(
                evicted == null ? Wire.NOT_MEMBER : Wire.EVICTED,
                evicted == null ? "it is no member of this swarm any more" : evicted);
        dialler.forget();
        lastError = null;
        otherProtocol = null;
        lastAddress = "";
    }

    /** What the swarm has agreed on may be too new for either end of a link that is up. */
    void checkSchemaLevel() {
        for (Link one : new Link[] {standby, link}) {
            String problem =
                    one == null ? null : links.greetings().tooOld(one.terms().schemaLevel(), id);
            if (one != null && problem != null) {
                one.down(problem, Wire.PROTOCOL, false);
                incompatible(problem);
            }
        }
    }

    void stop(int code, String why) {
        dialler.stop(why);
        Link next = standby;
        standby = null;
        if (next != null) {
            next.down(why, code, false);
        }
        Link now = link;
        if (now != null) {
            now.down(why, code, false);
        }
        dialler.stop(why);
    }

    // ---- the link ----

    /** A link has begun, on either side: no further one is dialled. */
    void begins(Link next) {
        Link present = link;
        if (present != null && present.isUp() && present != next) {
            standby = next;
            next.replaces(present);
        } else {
            dialler.stopWaiting();
            link = next;
        }
    }

    /** All lanes of it are there: it is the link now. */
    void opened(Link now) {
        if (standby == now) {
            standby = null;
        }
        link = now;
        lastError = null;
        otherProtocol = null;
        lastAddress = now.terms().address();
        dialler.linked(now);
    }

    /** Until one of the two is updated there can't be a link. */
    void incompatible(String why) {
        if (link == null) {
            lastError = why;
        }
        otherProtocol = why;
        dialler.calmDown();
    }

    void refused(int code, String why) {
        lastError = why;
        if (code != Wire.LINKED && code != Wire.STOPPING && code != Wire.REPLACED) {
            // Nothing that a quick retry would change.
            dialler.calmDown();
        }
        if (code == Wire.PROTOCOL) {
            incompatible(why);
        }
        if (code == Wire.COPY) {
            links.reportCopy(why);
        }
        if (code == Wire.EVICTED) {
            links.tell(listener -> listener.evicted(id, why));
        }
    }

    void wentDown(Link gone, String why, boolean lasted) {
        if (standby == gone) {
            standby = null;
            dialler.moveFailed(gone, why);
            return;
        }
        if (link != gone) {
            return;
        }
        links.directory().unlinked(this);
        lastError = why;
        // One that was to replace it may still come up.
        link = standby;
        standby = null;
        if (link == null) {
            dialler.lost(gone, lasted);
        }
    }
}
