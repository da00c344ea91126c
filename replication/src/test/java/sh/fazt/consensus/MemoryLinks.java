package sh.fazt.consensus;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiPredicate;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkException;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;

/** Links between nodes of one process, which a test can cut. Thread-safe. */
class MemoryLinks implements Links {
    private record Way(NodeId from, NodeId to) {}

    /** The wires between all nodes. */
    static final class Network {
        final Map<NodeId, MemoryLinks> nodes = new ConcurrentHashMap<>();
        final Set<NodeId> isolated = ConcurrentHashMap.newKeySet();
        private final Set<Way> cut = ConcurrentHashMap.newKeySet();
        final ScheduledExecutorService threads;
        /** Told of every question before it is delivered, and may cut whom it will. */
        volatile BiConsumer<NodeId, byte[]> tap = (to, question) -> {};
        /** Whether the answer to a question gets lost on its way. */
        volatile BiPredicate<NodeId, byte[]> loses = (to, question) -> false;
        /** Whether a question gets lost and whoever asks is told so, as when a link ends. */
        volatile BiPredicate<NodeId, byte[]> breaks = (to, question) -> false;
        /** Whoever sent what can't be read, once for each time. */
        final Queue<NodeId> malformed = new ConcurrentLinkedQueue<>();

        Network(ScheduledExecutorService threads) {
            this.threads = threads;
        }

        /** What one sends to the other is lost, questions and answers. */
        void deafen(NodeId from, NodeId to) {
            cut.add(new Way(from, to));
        }

        /** Two that don't reach each other, whomever else they reach. */
        void cut(NodeId a, NodeId b) {
            deafen(a, b);
            deafen(b, a);
        }

        void heal() {
            isolated.clear();
            cut.clear();
        }

        private boolean open(NodeId from, NodeId to) {
            return connected(from, to) && !cut.contains(new Way(from, to));
        }

        boolean connected(NodeId a, NodeId b) {
            return nodes.containsKey(a) && nodes.containsKey(b) && !isolated.contains(a) && !isolated.contains(b);
        }
    }

    private final Network network;
    private final NodeId self;
    private final Map<Channel, Handler> handlers = new ConcurrentHashMap<>();

    MemoryLinks(Network network, NodeId self) {
        this.network = network;
        this.self = self;
        network.nodes.put(self, this);
    }

    @Override
    public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
        throw new UnsupportedOperationException("consensus only asks");
    }

    @Override
    public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        network.threads.schedule(
                () -> answer.completeExceptionally(new LinkException(LinkException.Reason.TIMEOUT, "no answer")),
                deadline.toMillis(),
                TimeUnit.MILLISECONDS);
        network.threads.execute(() -> {
            network.tap.accept(to, request);
            if (network.breaks.test(to, request)) {
                answer.completeExceptionally(new LinkException(LinkException.Reason.BROKEN, "the link ended"));
            } else if (network.open(self, to)) {
                deliver(to, channel, request, deadline).whenComplete((reply, failed) -> {
                    if (!network.open(to, self) || network.loses.test(to, request)) {
                        return;
                    }
                    if (failed == null) {
                        answer.complete(reply);
                    } else {
                        answer.completeExceptionally(
                                new LinkException(LinkException.Reason.REFUSED, String.valueOf(failed.getMessage())));
                    }
                });
            }
        });
        return answer;
    }

    /** Takes a question over what is open. */
    CompletionStage<byte[]> deliver(NodeId to, Channel channel, byte[] request, Duration deadline) {
        MemoryLinks peer = network.nodes.get(to);
        Handler handler = peer == null ? null : peer.handlers.get(channel);
        return handler == null ? new CompletableFuture<>() : handler.request(self, request);
    }

    @Override
    public void handle(Channel channel, Handler handler) {
        handlers.put(channel, handler);
    }

    @Override
    public void listen(Listener listener) {
        // Nobody here waits for links.
    }

    @Override
    public void malformed(NodeId from, Channel channel) {
        network.malformed.add(from);
    }

    @Override
    public List<LinkState> states() {
        List<LinkState> states = new ArrayList<>();
        for (NodeId peer : network.nodes.keySet()) {
            if (!peer.equals(self)) {
                states.add(new LinkState(
                        peer,
                        network.open(self, peer) && network.open(peer, self),
                        true,
                        "memory",
                        Duration.ofMillis(1),
                        0,
                        0,
                        0,
                        null));
            }
        }
        return states;
    }

    @Override
    public void close() {
        network.nodes.remove(self, this);
    }
}
