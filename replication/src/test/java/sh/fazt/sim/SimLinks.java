package sh.fazt.sim;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkException;
import sh.fazt.link.LinkException.Reason;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;

/** One node's end of the simulated network, for one boot of the node. Confined to the simulation's thread. */
final class SimLinks implements Links {
    private static final int MAX_MESSAGE = 4 << 20;

    private final SimWorld world;
    private final SimNetwork network;
    private final SimWorld.SimNode node;
    private final int boot;
    private final Map<Channel, Handler> handlers = new EnumMap<>(Channel.class);
    private final List<Listener> listeners = new ArrayList<>();
    private final Map<NodeId, ArrayDeque<Waiting>> waiting = new HashMap<>();
    private final Set<CompletableFuture<?>> open = new LinkedHashSet<>();
    private final Map<NodeId, String> lastErrors = new HashMap<>();
    private final Map<NodeId, long[]> bytes = new HashMap<>();
    private Runnable onCopy = () -> {};
    private boolean closed;

    SimLinks(SimWorld world, SimNetwork network, SimWorld.SimNode node) {
        this.world = world;
        this.network = network;
        this.node = node;
        this.boot = node.boot;
    }

    boolean isLive() {
        return !closed && node.up && node.boot == boot;
    }

    // ---- Links ----

    @Override
    public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
        CompletableFuture<Void> taken = new CompletableFuture<>();
        byte[] copy = message.clone();
        begin(to, channel, copy, deadline, taken, pair -> {
            int began = pair.generation();
            long leaves = transmit(
                    pair, to, channel, copy, deadline.toNanos(), true, there -> there.arrived(self(), channel, copy));
            if (leaves == 0) {
                finish(taken, null, null);
            } else if (leaves > 0) {
                world.add(leaves, node, () -> {
                    if (pair.generation() == began) {
                        finish(taken, null, null);
                    } else {
                        fail(taken, Reason.BROKEN, "the link to " + world.name(to) + " broke before the message left");
                    }
                });
            }
        });
        return taken;
    }

    @Override
    public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        byte[] copy = request.clone();
        begin(to, channel, copy, deadline, answer, pair -> {
            Runnable forget = pair.whenBroken(() -> fail(
                    answer,
                    Reason.BROKEN,
                    "the link to " + world.name(to) + " broke before it answered on " + channel));
            var unused = answer.whenComplete((done, error) -> forget.run());
            transmit(
                    pair,
                    to,
                    channel,
                    copy,
                    deadline.toNanos(),
                    false,
                    there -> there.asked(pair, self(), channel, copy, answer));
        });
        return answer;
    }

    private interface Start {
        void on(SimPair pair);
    }

    private record Waiting(CompletableFuture<?> future, Start start) {}

    private <T> void begin(
            NodeId to, Channel channel, byte[] message, Duration deadline, CompletableFuture<T> future, Start start) {
        if (!isLive()) {
            future.completeExceptionally(
                    new LinkException(Reason.CLOSED, "sending on " + channel + ": this node is stopping"));
            return;
        }
        if (message.length > MAX_MESSAGE) {
            future.completeExceptionally(new LinkException(
                    Reason.TOO_LARGE,
                    "a message of " + message.length + " bytes on " + channel + ": the limit is " + MAX_MESSAGE));
            return;
        }
        open.add(future);
        SimPair pair = network.pairTo(node.id, to);
        if (pair.isUp()) {
            start.on(pair);
        } else {
            waiting.computeIfAbsent(to, peer -> new ArrayDeque<>()).add(new Waiting(future, start));
        }
        if (!future.isDone()) {
            SimTimer timer = world.add(deadline.toNanos(), node, () -> {
                boolean under = waiting.getOrDefault(to, new ArrayDeque<>()).removeIf(one -> one.future() == future);
                String where = world.name(to) + " on " + channel + " within " + deadline.toMillis() + " ms";
                if (under) {
                    fail(future, Reason.UNREACHABLE, "no link to " + where);
                } else {
                    fail(future, Reason.TIMEOUT, "no answer from " + where);
                }
            });
            var unused = future.whenComplete((done, error) -> timer.cancel());
        }
    }

    @SuppressWarnings("CollectionUndefinedEquality") // The very future is meant.
    private <T> void finish(CompletableFuture<T> future, @Nullable T value, @Nullable LinkException error) {
        open.remove(future);
        if (error == null) {
            future.complete(value);
        } else {
            future.completeExceptionally(error);
        }
    }

    private void fail(CompletableFuture<?> future, Reason reason, String message) {
        if (isLive() || reason == Reason.CLOSED) {
            finish(future, null, new LinkException(reason, message));
        }
    }

    private interface Arrival {
        void at(SimLinks there);
    }

    private long transmit(
            SimPair pair,
            NodeId to,
            Channel channel,
            byte[] message,
            long deadlineNanos,
            boolean mayRepeat,
            Arrival arrival) {
        network.count(self(), to, channel, message);
        counters(to)[0] += message.length;
        return pair.transmit(node.id, channel, message.length, deadlineNanos, mayRepeat, () -> {
            SimLinks there = network.live(pair.other(node.id));
            if (there.isLive()) {
                there.counters(self())[1] += message.length;
                arrival.at(there);
            }
        });
    }

    /** As others know it. */
    private NodeId self() {
        return network.shown(node.id);
    }

    private long[] counters(NodeId peer) {
        return bytes.computeIfAbsent(peer, id -> new long[2]);
    }

    // ---- what arrives ----

    private void arrived(NodeId from, Channel channel, byte[] message) {
        Handler handler = handlers.get(channel);
        if (handler == null) {
            world.trace("%s has no handler for %s", node.name, channel);
        } else {
            handler.message(from, message.clone());
        }
    }

    private void asked(SimPair pair, NodeId from, Channel channel, byte[] request, CompletableFuture<byte[]> asker) {
        Handler handler = handlers.get(channel);
        CompletionStage<byte[]> answering;
        if (handler == null) {
            answering = CompletableFuture.failedStage(new IllegalStateException("nobody answers on " + channel));
        } else {
            try {
                answering = handler.request(from, request.clone());
            } catch (RuntimeException e) {
                answering = CompletableFuture.failedStage(e);
            }
        }
        int asked = pair.generation();
        answering.whenComplete((answer, error) -> {
            if (!isLive() || pair.generation() != asked) {
                return;
            }
            byte[] copy = error == null ? answer.clone() : new byte[0];
            transmit(pair, from, channel, copy, Long.MAX_VALUE, false, there -> {
                if (error == null) {
                    there.finish(asker, copy, null);
                } else {
                    there.fail(asker, Reason.REFUSED, reason(error));
                }
            });
        });
    }

    private static String reason(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    void cameUp(SimPair pair) {
        NodeId peer = network.shown(pair.other(node.id));
        lastErrors.remove(peer);
        world.add(0, node, () -> {
            if (closed) {
                return;
            }
            List.copyOf(listeners).forEach(listener -> listener.up(peer));
        });
        world.add(0, node, () -> flush(pair, peer));
    }

    private void flush(SimPair pair, NodeId peer) {
        ArrayDeque<Waiting> queue = waiting.get(peer);
        while (queue != null && !queue.isEmpty() && pair.isUp()) {
            Waiting next = queue.poll();
            if (!next.future().isDone()) {
                next.start().on(pair);
            }
        }
    }

    void wentDown(NodeId place, String reason) {
        NodeId peer = network.shown(place);
        lastErrors.put(peer, reason);
        world.add(0, node, () -> {
            if (!closed) {
                List.copyOf(listeners).forEach(listener -> listener.down(peer, reason));
            }
        });
    }

    void wentSilent(NodeId place) {
        NodeId peer = network.shown(place);
        world.add(0, node, () -> {
            if (!closed) {
                List.copyOf(listeners).forEach(listener -> listener.silent(peer));
            }
        });
    }

    void onCopy(Runnable task) {
        onCopy = task;
    }

    void copied() {
        world.add(0, node, () -> onCopy.run());
    }

    @Override
    public void handle(Channel channel, Handler handler) {
        if (handlers.putIfAbsent(channel, handler) != null) {
            throw new IllegalStateException(channel + " has a handler already: one room owns a channel");
        }
    }

    @Override
    public void listen(Listener listener) {
        listeners.add(listener);
    }

    @Override
    public List<LinkState> states() {
        List<LinkState> states = new ArrayList<>();
        for (SimPair pair : network.pairsOf(node.id)) {
            NodeId place = pair.other(node.id);
            NodeId peer = network.shown(place);
            if (network.refuses(node.id, peer) || pair != network.pairTo(node.id, peer)) {
                continue;
            }
            long roundTrip = pair.roundTripNanos();
            long[] counted = bytes.getOrDefault(peer, new long[2]);
            states.add(new LinkState(
                    peer,
                    pair.isUp(),
                    pair.dialledBy(node.id),
                    world.name(peer) + ".sim:4000",
                    roundTrip < 0 ? null : Duration.ofNanos(roundTrip),
                    world.skew(place).minus(world.skew(node.id)).toMillis(),
                    counted[0],
                    counted[1],
                    lastErrors.get(peer)));
        }
        return List.copyOf(states);
    }

    @Override
    public void close() {
        if (!isLive()) {
            return;
        }
        closed = true;
        abandon();
        network.pairsOf(node.id).forEach(pair -> pair.breakNow("closed by peer"));
        for (CompletableFuture<?> future : List.copyOf(open)) {
            fail(future, Reason.CLOSED, "this node is stopping");
        }
    }

    /** Forgets what waits, as the process has ended. */
    void abandon() {
        waiting.clear();
    }
}
