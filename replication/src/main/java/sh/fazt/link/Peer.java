package sh.fazt.link;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * Another node: what waits for it, where it may be dialled, and its one link. Confined to the loop, but for
 * the queues and what {@link #state} shows.
 */
final class Peer {
    static final long MIN_BACK_OFF_MILLIS = 200;
    static final long MAX_BACK_OFF_MILLIS = 5000;
    private static final int MAX_LEARNED = 8;

    private final GrpcLinks links;
    private final NodeId id;
    private final LaneQueue[] queues;
    private final LongAdder sent = new LongAdder();
    private final LongAdder received = new LongAdder();
    private List<HostPort> configured = List.of();
    private List<HostPort> learned = List.of();
    private int nextAddress;
    private long backOffMillis = MIN_BACK_OFF_MILLIS;
    private @Nullable ScheduledFuture<?> retry;
    private @Nullable Dial dial;
    private volatile boolean trusted;
    private volatile @Nullable Link link;
    private volatile @Nullable String lastError;
    private volatile String lastAddress = "";

    Peer(GrpcLinks links, NodeId id) {
        this.links = links;
        this.id = id;
        this.queues = new LaneQueue[Channel.Lane.values().length];
        for (Channel.Lane lane : Channel.Lane.values()) {
            queues[lane.number()] = new LaneQueue(id.shortText(), lane, links::finish);
        }
    }

    NodeId id() {
        return id;
    }

    LaneQueue queue(Channel.Lane lane) {
        return queues[lane.number()];
    }

    void sent(int bytes) {
        sent.add(bytes);
    }

    void received(int bytes) {
        received.add(bytes);
    }

    boolean isTrusted() {
        return trusted;
    }

    @Nullable
    Link link() {
        return link;
    }

    @Nullable
    Dial dial() {
        return dial;
    }

    String lastError() {
        String error = lastError;
        if (error != null) {
            return error;
        }
        return trusted ? "" : "it is not a member of this swarm";
    }

    LinkState state() {
        Link now = link;
        if (now == null || !now.isUp()) {
            return new LinkState(id, false, false, lastAddress, null, 0, sent.sum(), received.sum(), lastError);
        }
        return new LinkState(
                id,
                true,
                now.isDialled(),
                now.address(),
                now.roundTrip(),
                now.offsetMillis(),
                sent.sum(),
                received.sum(),
                null);
    }

    // ---- trust ----

    void trust(List<HostPort> addresses) {
        boolean changed = !trusted || !configured.equals(addresses);
        trusted = true;
        configured = List.copyOf(addresses);
        if (lastAddress.isEmpty() && !configured.isEmpty()) {
            lastAddress = configured.get(0).toString();
        }
        if (changed && link == null && dial == null) {
            backOffMillis = MIN_BACK_OFF_MILLIS;
            dialIn(0);
        }
    }

    void distrust() {
        trusted = false;
        configured = List.of();
        learned = List.of();
        stop(Wire.NOT_MEMBER, "it is no member of this swarm any more");
        lastError = null;
    }

    void stop(int code, String why) {
        cancelRetry();
        Dial running = dial;
        if (running != null) {
            dial = null;
            running.cancel(why);
        }
        Link now = link;
        if (now != null) {
            now.down(why, code, false);
        }
        cancelRetry();
    }

    /** Where the peer says it can be dialled; tried after what the swarm's config says. */
    void learn(List<String> addresses) {
        List<HostPort> good = new ArrayList<>();
        for (String text : addresses.subList(0, Math.min(addresses.size(), MAX_LEARNED))) {
            try {
                good.add(HostPort.parse(text));
            } catch (IllegalArgumentException e) {
                links.counts().badFrames.increment();
            }
        }
        learned = List.copyOf(good);
    }

    // ---- dialling ----

    /** Now rather than after the back-off: the network has changed or someone asked. */
    void redial() {
        backOffMillis = MIN_BACK_OFF_MILLIS;
        if (link == null && dial == null) {
            dialIn(0);
        }
    }

    private void dialIn(long millis) {
        cancelRetry();
        if (trusted && !links.isClosed()) {
            retry = links.later(millis, this::dialNow);
        }
    }

    private void cancelRetry() {
        ScheduledFuture<?> set = retry;
        if (set != null) {
            set.cancel(false);
            retry = null;
        }
    }

    private void dialNow() {
        retry = null;
        List<HostPort> addresses = addresses();
        if (link != null || dial != null || !trusted || links.isClosed() || addresses.isEmpty()) {
            return;
        }
        nextAddress = nextAddress < addresses.size() ? nextAddress : 0;
        HostPort to = addresses.get(nextAddress);
        lastAddress = to.toString();
        Dial next = new Dial(links, this, to);
        dial = next;
        next.start();
    }

    void dialFailed(Dial failed, String why) {
        if (dial != failed) {
            return;
        }
        dial = null;
        lastError = failed.address() + ": " + why;
        nextAddress++;
        // The next address at once; a pause only after a round through all of them.
        dialIn(nextAddress >= addresses().size() ? pause() : 0);
    }

    private List<HostPort> addresses() {
        Set<HostPort> all = new LinkedHashSet<>(configured);
        all.addAll(learned);
        return List.copyOf(all);
    }

    /** Another node's link took the place of our dial. */
    void abandonDial(String why) {
        Dial running = dial;
        if (running != null) {
            dial = null;
            running.cancel(why);
        }
    }

    private long pause() {
        long base = backOffMillis;
        backOffMillis = Math.min(MAX_BACK_OFF_MILLIS, base * 2);
        // Between half and all of it, so that a swarm that lost one node does not call it in step.
        return base / 2 + links.chance(base / 2 + 1);
    }

    // ---- the link ----

    /** A link has begun, on either side: no further one is dialled. */
    void begins(Link next) {
        cancelRetry();
        link = next;
    }

    void dialled(Dial done, Link next) {
        if (dial == done) {
            dial = null;
        }
        begins(next);
    }

    void cameUp(Link now) {
        lastError = null;
        lastAddress = now.address();
    }

    void refused(int code, String why) {
        lastError = why;
        if (code != Wire.LINKED && code != Wire.STOPPING) {
            // Nothing that a quick retry would change.
            backOffMillis = MAX_BACK_OFF_MILLIS;
        }
        if (code == Wire.COPY) {
            links.reportCopy(why);
        }
    }

    void wentDown(Link gone, String why, boolean lasted) {
        if (link != gone) {
            return;
        }
        link = null;
        lastError = why;
        if (lasted) {
            backOffMillis = MIN_BACK_OFF_MILLIS;
        }
        dialIn(pause());
    }
}
