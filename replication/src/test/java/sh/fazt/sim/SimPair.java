package sh.fazt.sim;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;

/** The link of two nodes and what is under way on it. Confined to the simulation's thread. */
final class SimPair {
    private static final long PING_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long LATE_NANOS = Duration.ofMillis(500).toNanos();

    private final SimWorld world;
    private final SimNetwork network;
    private final NodeId low;
    private final NodeId high;
    private final Direction up;
    private final Direction down;
    private final List<Runnable> whenBroken = new ArrayList<>();
    private boolean linked;
    private boolean connecting;
    private int generation;
    private long roundTripNanos = -1;
    /** Whether an end was told that the other is silent, and no ping of it was answered since. */
    private final Map<NodeId, Boolean> silent = new HashMap<>();

    SimPair(SimWorld world, SimNetwork network, NodeId low, NodeId high) {
        this.world = world;
        this.network = network;
        this.low = low;
        this.high = high;
        this.up = new Direction(low, high);
        this.down = new Direction(high, low);
    }

    boolean isUp() {
        return linked;
    }

    int generation() {
        return generation;
    }

    NodeId other(NodeId node) {
        return node.equals(low) ? high : low;
    }

    boolean dialledBy(NodeId node) {
        return node.equals(low);
    }

    /** Negative before the first link. */
    long roundTripNanos() {
        return roundTripNanos;
    }

    /** Runs once when the present link breaks; the result takes it back. */
    Runnable whenBroken(Runnable task) {
        whenBroken.add(task);
        return () -> whenBroken.remove(task);
    }

    // ---- coming and going ----

    void connectSoon() {
        if (linked || connecting) {
            return;
        }
        connecting = true;
        world.add(network.connectDelayNanos(), null, this::connect);
    }

    private void connect() {
        connecting = false;
        boolean can = network.isLive(low) && network.isLive(high) && !network.haveOneKey(low, high);
        if (linked || !can || isCut() || isRefused()) {
            // Whatever changes that calls connectSoon.
            return;
        }
        if (world.node(low).paused || world.node(high).paused) {
            connectSoon();
            return;
        }
        if (!network.takes(low, high) || !network.takes(high, low)) {
            connectSoon();
            return;
        }
        linked = true;
        roundTripNanos = network.quality(low, high).latencyNanos(network.chance())
                + network.quality(high, low).latencyNanos(network.chance());
        world.trace("link %s - %s up", world.name(low), world.name(high));
        network.live(low).cameUp(this);
        network.live(high).cameUp(this);
        silent.clear();
        int since = generation;
        for (NodeId end : List.of(low, high)) {
            world.add((long) (network.pulse().nextDouble() * PING_NANOS), null, () -> ping(end, since));
        }
    }

    /** The link's own ping, once a second; an answer that does not come is told of. */
    private void ping(NodeId end, int since) {
        if (!linked || generation != since || !network.isLive(end)) {
            return;
        }
        NodeId there = other(end);
        boolean answered = network.isLive(there)
                && !world.node(there).paused
                && !isCut()
                && !isLost(network.quality(end, there))
                && !isLost(network.quality(there, end));
        if (answered) {
            silent.put(end, false);
        } else if (!silent.getOrDefault(end, false)) {
            silent.put(end, true);
            world.add(LATE_NANOS, null, () -> {
                if (linked && generation == since && network.isLive(end)) {
                    network.live(end).wentSilent(there);
                }
            });
        }
        world.add(PING_NANOS, null, () -> ping(end, since));
    }

    private boolean isLost(LinkQuality quality) {
        return quality.drop() > 0 && network.pulse().nextDouble() < quality.drop();
    }

    private boolean isRefused() {
        return network.refuses(low, network.shown(high)) || network.refuses(high, network.shown(low));
    }

    private boolean isCut() {
        return network.isCut(low, high) || network.isCut(high, low);
    }

    /** Whether both ends are there, and hear each other. */
    boolean answers() {
        return network.isLive(low)
                && network.isLive(high)
                && !world.node(low).paused
                && !world.node(high).paused
                && !isCut();
    }

    /** One way is cut, or one end has vanished: without an answer the link breaks after a while. */
    void wasCut() {
        if (!linked) {
            return;
        }
        int cutGeneration = generation;
        long silence = network.quality(low, high).silence().toNanos();
        long after = silence / 2 + (long) (network.chance().nextDouble() * silence);
        world.add(after, null, () -> {
            boolean answers = network.isLive(low) && network.isLive(high) && !isCut();
            if (linked && generation == cutGeneration && !answers) {
                breakNow("no answer for " + Duration.ofNanos(after).toMillis() + " ms");
            }
        });
    }

    void wasHealed() {
        up.release();
        down.release();
        connectSoon();
    }

    void breakNow(String reason) {
        if (!linked) {
            return;
        }
        linked = false;
        generation++;
        up.reset();
        down.reset();
        world.trace("link %s - %s down: %s", world.name(low), world.name(high), reason);
        List<Runnable> tasks = List.copyOf(whenBroken);
        whenBroken.clear();
        tasks.forEach(Runnable::run);
        for (NodeId node : List.of(low, high)) {
            if (network.isLive(node)) {
                network.live(node).wentDown(other(node), reason);
            }
        }
        connectSoon();
    }

    // ---- what is under way ----

    /**
     * Puts one message under way; {@code arrival} runs on the receiver, or never. Answers in how many nanoseconds it
     * has left the sender: 0 where the way has no limit, negative when the lane gives it up, because that would be
     * after the deadline or by chance. What is lost on the control lane is lost silently, as the receiver drops what
     * it has no room for there.
     */
    long transmit(NodeId from, Channel channel, int size, long deadlineNanos, boolean mayRepeat, Runnable arrival) {
        Direction way = from.equals(low) ? up : down;
        LinkQuality quality = network.quality(way.from, way.to);
        if (chance(quality.drop())) {
            world.trace("lost %s -> %s %s", world.name(way.from), world.name(way.to), channel);
            return channel.lane() == Channel.Lane.CONTROL ? 0 : -1;
        }
        long left = way.leaves(channel, size, quality.rate());
        if (left > deadlineNanos) {
            return -1;
        }
        way.send(channel, quality, left, arrival);
        if (mayRepeat && chance(quality.duplicate())) {
            way.send(channel, quality, left, arrival);
        }
        if (chance(quality.breaks())) {
            breakNow("by chance");
        }
        return left;
    }

    /** How many bytes wait at the sender. */
    long queued(NodeId from, Channel channel) {
        Direction way = from.equals(low) ? up : down;
        long busy = way.busyUntil[channel.number()] - world.nanos();
        return busy <= 0
                ? 0
                : (long) (busy / 1e9 * network.quality(way.from, way.to).rate());
    }

    private boolean chance(double probability) {
        return probability > 0 && network.chance().nextDouble() < probability;
    }

    private final class Direction {
        private final NodeId from;
        private final NodeId to;
        private final long[] lastArrival = new long[Channel.values().length + 1];
        private final long[] busyUntil = new long[Channel.values().length + 1];
        private final ArrayDeque<Runnable> held = new ArrayDeque<>();

        Direction(NodeId from, NodeId to) {
            this.from = from;
            this.to = to;
        }

        void reset() {
            held.clear();
            Arrays.fill(busyUntil, 0);
        }

        /** In how many nanoseconds a message that is sent now has left. */
        long leaves(Channel channel, int size, int rate) {
            if (rate == 0) {
                return 0;
            }
            long now = world.nanos();
            long end = Math.max(now, busyUntil[channel.number()]) + (long) (size * 1e9 / rate);
            return end - now;
        }

        void send(Channel channel, LinkQuality quality, long leaves, Runnable arrival) {
            int lane = network.reordersChannels() ? channel.number() : 0;
            long now = world.nanos();
            busyUntil[channel.number()] = Math.max(busyUntil[channel.number()], now + leaves);
            long at = Math.max(lastArrival[lane], now + leaves + quality.latencyNanos(network.chance()));
            lastArrival[lane] = at;
            int sent = generation;
            if (network.isLive(to)) {
                world.add(at - now, world.node(to), () -> arrive(sent, arrival));
            }
        }

        private void arrive(int sent, Runnable arrival) {
            if (sent != generation) {
                return;
            }
            // Behind what a cut has held back, and a receiver that stands still has not taken since.
            if (network.isCut(from, to) || !held.isEmpty()) {
                held.add(arrival);
            } else {
                arrival.run();
            }
        }

        void release() {
            int sent = generation;
            if (!held.isEmpty() && network.isLive(to)) {
                world.add(0, world.node(to), () -> take(sent));
            }
        }

        private void take(int sent) {
            while (sent == generation && !held.isEmpty() && !network.isCut(from, to)) {
                held.poll().run();
            }
        }
    }
}
