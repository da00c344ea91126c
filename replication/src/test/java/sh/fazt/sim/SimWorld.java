package sh.fazt.sim;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * A deterministic world: one seed, one thread, virtual time. Nothing happens between calls of {@link #run}
 * and {@link #runUntil}; within them events run one after the other in the order of their time, and of
 * their making where the time is the same.
 *
 * <p>What belongs to a node (its executor, its timers, what arrives for it) dies when the node crashes and
 * waits while it is paused. Confined to the thread that runs it.
 */
public final class SimWorld {
    private static final Instant EPOCH = Instant.parse("2030-01-01T00:00:00Z");
    private static final int TRACE_LINES = 400;
    private static final long MAX_EVENTS_PER_INSTANT = 1_000_000;

    private final long seed;
    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final Map<NodeId, SimNode> nodes = new HashMap<>();
    private final List<NodeId> ids = new ArrayList<>();
    private final ArrayDeque<TraceLine> trace = new ArrayDeque<>();
    private final SimNetwork network;
    private long nowNanos;
    private Duration leapt = Duration.ZERO;
    private long made;
    private long happened;
    private long fingerprint = 0xcbf29ce484222325L;

    /** A world whose whole history follows from the seed. */
    public SimWorld(long seed) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.network = new SimNetwork(this);
    }

    public long seed() {
        return seed;
    }

    // ---- time ----

    /** The true time, which no node sees when its clock is skewed. */
    public Instant now() {
        return EPOCH.plusNanos(nowNanos).plus(leapt);
    }

    /** Lets every wall clock go on by this much in which nothing happens: no timer falls due. */
    public void leap(Duration time) {
        trace("%s pass", time);
        leapt = leapt.plus(time);
    }

    /** Nanoseconds since the world began; never skewed. */
    public long nanos() {
        return nowNanos;
    }

    /** {@link #nanos()} as what production code takes for {@code System::nanoTime}. */
    public LongSupplier nanoClock() {
        return this::nanos;
    }

    /** The node's own wall clock, with its skew. */
    public InstantSource clock(NodeId node) {
        SimNode owner = node(node);
        return () -> now().plus(owner.skew);
    }

    // ---- chance ----

    /** A new stream of chance, which depends on the seed and on how many were taken before. */
    public RandomGenerator random() {
        return random.split();
    }

    /** A stream of chance for a named use: the same however many others were taken before. */
    public RandomGenerator random(String use) {
        return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + use.hashCode());
    }

    // ---- events ----

    /** Runs the task after the delay, whatever becomes of the nodes. */
    public SimTimer schedule(Duration delay, Runnable task) {
        return add(delay.toNanos(), null, task);
    }

    /** Runs the task on the node after the delay: never if the node crashes before, later if it is paused. */
    public SimTimer schedule(NodeId node, Duration delay, Runnable task) {
        return add(delay.toNanos(), node(node), task);
    }

    Event add(long delayNanos, @Nullable SimNode owner, Runnable task) {
        if (owner != null && !owner.up) {
            Event dead = new Event(nowNanos, made++, owner, -1, task);
            dead.done = true;
            return dead;
        }
        Event event =
                new Event(nowNanos + Math.max(0, delayNanos), made++, owner, owner == null ? 0 : owner.boot, task);
        events.add(event);
        return event;
    }

    /** Lets this much time pass. */
    public void run(Duration time) {
        runUntil(() -> false, time);
    }

    /**
     * Lets time pass until the condition holds, which is looked at after every event.
     *
     * @return whether it held within the limit
     */
    public boolean runUntil(BooleanSupplier condition, Duration limit) {
        long end = nowNanos + limit.toNanos();
        if (condition.getAsBoolean()) {
            return true;
        }
        long instantSince = happened;
        while (true) {
            Event next = events.peek();
            if (next == null || next.at > end) {
                nowNanos = end;
                return condition.getAsBoolean();
            }
            events.poll();
            if (next.at > nowNanos) {
                nowNanos = next.at;
                instantSince = happened;
            } else if (happened - instantSince > MAX_EVENTS_PER_INSTANT) {
                throw new IllegalStateException("time stands still: more than " + MAX_EVENTS_PER_INSTANT + " events at "
                        + now() + "; something schedules itself without a delay");
            }
            if (happen(next) && condition.getAsBoolean()) {
                return true;
            }
        }
    }

    private boolean happen(Event event) {
        SimNode owner = event.owner;
        if (event.done || (owner != null && owner.boot != event.boot)) {
            return false;
        }
        if (owner != null && (owner.paused || !owner.parked.isEmpty())) {
            owner.parked.add(event);
            return false;
        }
        start(event);
        return true;
    }

    private void start(Event event) {
        event.done = true;
        happened++;
        mark(nowNanos);
        mark(event.number);
        event.task.run();
    }

    /** Makes the fingerprint depend on this number. */
    public void mark(long number) {
        fingerprint = (fingerprint ^ number) * 0x100000001b3L;
    }

    /** A hash of which events happened, when and in what order, and of everything {@link #mark}ed. */
    public long fingerprint() {
        return fingerprint;
    }

    // ---- nodes ----

    /** The node of this number, made at the first call; the same seed and number give the same id. */
    public NodeId node(int number) {
        while (ids.size() <= number) {
            byte[] bytes = new byte[32];
            new SplittableRandom(seed + 31L * ids.size()).nextBytes(bytes);
            NodeId id = NodeId.of(bytes);
            nodes.put(id, new SimNode(id, "n" + ids.size()));
            ids.add(id);
        }
        return ids.get(number);
    }

    /**
     * A place of its own for a further process with a node's key: to all others it is that node, and each has a link
     * with one of the two at a time.
     */
    public NodeId twin(NodeId of) {
        byte[] bytes = new byte[32];
        new SplittableRandom(seed - 31L * nodes.size()).nextBytes(bytes);
        NodeId place = NodeId.of(bytes);
        SimNode made = new SimNode(place, node(of).name + "'");
        made.since = nowNanos;
        nodes.put(place, made);
        network.show(place, of);
        return place;
    }

    /** Short for traces: {@code n3}. */
    public String name(NodeId node) {
        SimNode known = nodes.get(node);
        return known == null ? node.shortText() : known.name;
    }

    SimNode node(NodeId id) {
        SimNode node = nodes.get(id);
        if (node == null) {
            throw new IllegalArgumentException(
                    id.shortText() + " is not a node of this world: take ids from node(int)");
        }
        return node;
    }

    public SimNetwork network() {
        return network;
    }

    /** An executor without a node: it survives every crash. */
    public SimExecutor executor() {
        return new SimExecutor(this, null);
    }

    /** The node's executor of the present boot; all executors of a node share its one thread of events. */
    public SimExecutor executor(NodeId node) {
        return new SimExecutor(this, node(node));
    }

    public boolean isUp(NodeId node) {
        return node(node).up;
    }

    /**
     * Ends the node as kill -9 does: its timers and executors never run again, its peers see their links
     * break. Make its parts anew after {@link #restart}.
     */
    public void crash(NodeId node) {
        end(node, true);
    }

    /** Ends the node as a pulled plug does: its peers find out when nothing comes back. */
    public void powerOff(NodeId node) {
        end(node, false);
    }

    private void end(NodeId id, boolean seen) {
        SimNode node = node(id);
        if (!node.up) {
            return;
        }
        trace("%s %s", node.name, seen ? "crashes" : "loses power");
        node.up = false;
        node.boot++;
        node.paused = false;
        node.parked.clear();
        network.ended(id, seen);
    }

    /** Lets a crashed node run again; the caller makes its parts, as a new process would. */
    public void restart(NodeId id) {
        SimNode node = node(id);
        if (!node.up) {
            trace("%s starts again", node.name);
            node.up = true;
            node.since = nowNanos;
        }
    }

    /** Stops the node for a while as SIGSTOP does: its links stay up, what is due for it waits. */
    public void pause(NodeId id, Duration time) {
        SimNode node = node(id);
        if (!node.up || node.paused) {
            return;
        }
        trace("%s pauses for %s", node.name, time);
        node.paused = true;
        int boot = node.boot;
        schedule(time, () -> {
            if (node.boot == boot) {
                trace("%s goes on", node.name);
                node.paused = false;
                goOn(node, boot);
            }
        });
    }

    private void goOn(SimNode node, int boot) {
        // In the order in which they fell due; one that pauses or crashes the node leaves the rest parked or dead.
        while (node.boot == boot && !node.paused && !node.parked.isEmpty()) {
            Event event = node.parked.poll();
            if (!event.done && event.boot == boot) {
                start(event);
            }
        }
    }

    /** Sets the node's wall clock off by this much from now on. */
    public void skew(NodeId id, Duration skew) {
        trace("%s has a clock skewed by %s", name(id), skew);
        node(id).skew = skew;
    }

    Duration skew(NodeId id) {
        return node(id).skew;
    }

    // ---- trace ----

    /** Remembers a line for the case of a failure; arguments have to be immutable, as they are formatted then. */
    public void trace(String format, @Nullable Object... arguments) {
        if (trace.size() == TRACE_LINES) {
            trace.poll();
        }
        trace.add(new TraceLine(nowNanos, format, arguments));
    }

    /** The last lines of the trace. */
    public String traceText() {
        StringBuilder text = new StringBuilder();
        for (TraceLine line : trace) {
            text.append(String.format("%11.6f  ", line.at / 1e9))
                    .append(String.format(line.format, line.arguments))
                    .append('\n');
        }
        return text.toString();
    }

    /** How many events of a node are to come: its timers, tasks and what is on its way to it. */
    public long pending(NodeId node) {
        SimNode owner = node(node);
        return events.stream()
                .filter(event -> event.owner == owner && event.boot == owner.boot && !event.done)
                .count();
    }

    /** How many events have happened. */
    public long happened() {
        return happened;
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record TraceLine(
            long at, String format, @Nullable Object[] arguments) {}

    /** A node as the world sees it. */
    static final class SimNode {
        final NodeId id;
        final String name;
        final ArrayDeque<Event> parked = new ArrayDeque<>();
        boolean up = true;
        boolean paused;
        int boot;
        /** When its process was started. */
        long since;

        Duration skew = Duration.ZERO;

        SimNode(NodeId id, String name) {
            this.id = id;
            this.name = name;
        }
    }

    /** One thing that will happen. */
    static final class Event implements Comparable<Event>, SimTimer {
        final long at;
        private final long number;
        private final @Nullable SimNode owner;
        private final int boot;
        private final Runnable task;
        private boolean done;

        Event(long at, long number, @Nullable SimNode owner, int boot, Runnable task) {
            this.at = at;
            this.number = number;
            this.owner = owner;
            this.boot = boot;
            this.task = task;
        }

        @Override
        public boolean cancel() {
            boolean inTime = !done;
            done = true;
            return inTime;
        }

        boolean isDone() {
            return done;
        }

        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }
}
