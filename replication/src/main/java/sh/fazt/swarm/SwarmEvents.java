package sh.fazt.swarm;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;

/** The last thousand things that happened in the swarm, as this node saw them. Thread-safe. */
public final class SwarmEvents {
    private static final Logger LOG = LoggerFactory.getLogger(SwarmEvents.class);
    private static final int MOST = 1000;

    private final InstantSource clock;
    private final Deque<Event> ring = new ArrayDeque<>();
    private final List<Consumer<Event>> listeners = new CopyOnWriteArrayList<>();
    private long count;

    /**
     * One thing that happened. Immutable.
     *
     * @param number 1, 2, 3 ... since this node started
     * @param at     by this machine's clock
     * @param kind   for programs: {@code member-up, member-suspect, member-down, member-away, member-joined,
     *     member-left, link-up, link-down, link-relayed, link-direct, protocol, leader, conflict, offence, flood, alarm, repair,
     *     damage, blob-damaged, epoch, claim, set-back, forged, clock, disk, standstill, schema-level, role, evicted,
     *     key-rotated, placement, recovered}
     * @param node   the member that it is about; null for this node or the swarm
     * @param what   what happened
     * @param why    why, as far as is known; may be empty
     */
    public record Event(
            long number, Instant at, String kind, @Nullable NodeId node, String what, String why) {}

    SwarmEvents(InstantSource clock) {
        this.clock = clock;
    }

    /** Something happened. */
    public void add(String kind, @Nullable NodeId node, String what, String why) {
        Event event;
        synchronized (ring) {
            event = new Event(++count, clock.instant(), kind, node, what, why);
            ring.add(event);
            if (ring.size() > MOST) {
                ring.remove();
            }
        }
        for (Consumer<Event> listener : listeners) {
            try {
                listener.accept(event);
            } catch (RuntimeException e) {
                LOG.warn("a listener to events failed", e);
            }
        }
    }

    /** What happened after the event of that number, oldest first. */
    public List<Event> since(long number) {
        synchronized (ring) {
            List<Event> events = new ArrayList<>(ring);
            events.removeIf(event -> event.number() <= number);
            return events;
        }
    }

    /** Told each event, on any thread; must hand over and return. What is answered ends it. */
    public Runnable listen(Consumer<Event> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}
