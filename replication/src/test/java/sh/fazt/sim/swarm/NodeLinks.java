package sh.fazt.sim.swarm;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;

/** A node's links: who is heard is checked, and they make the parts above them behave as if they had a bug. */
final class NodeLinks implements Links {
    private final Links links;
    private final @Nullable Plant plant;
    private final int boot;
    private final Consumer<NodeId> heard;

    /** @param heard told of whoever sent something, before it is handled */
    NodeLinks(Links links, @Nullable Plant plant, int boot, Consumer<NodeId> heard) {
        this.links = links;
        this.plant = plant;
        this.boot = boot;
        this.heard = heard;
    }

    @Override
    public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
        if (plant == Plant.UNBOUNDED_QUEUE && channel == Channel.CHANGES) {
            var unused = links.send(to, channel, message, Duration.ofHours(1));
            return CompletableFuture.completedFuture(null);
        }
        return links.send(to, channel, message, deadline);
    }

    @Override
    public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
        return links.ask(to, channel, request, deadline);
    }

    @Override
    public void handle(Channel channel, Handler handler) {
        boolean deaf = plant == Plant.DEAF_MEMBER && boot > 1 && channel == Channel.MEMBERSHIP;
        links.handle(channel, deaf ? new Deaf() : new Heard(handler));
    }

    private final class Heard implements Handler {
        private final Handler handler;

        Heard(Handler handler) {
            this.handler = handler;
        }

        @Override
        public void message(NodeId from, byte[] message) {
            heard.accept(from);
            handler.message(from, message);
        }

        @Override
        public CompletionStage<byte[]> request(NodeId from, byte[] request) {
            heard.accept(from);
            return handler.request(from, request);
        }
    }

    private static final class Deaf implements Handler {
        @Override
        public void message(NodeId from, byte[] message) {}

        @Override
        public CompletionStage<byte[]> request(NodeId from, byte[] request) {
            return new CompletableFuture<>();
        }
    }

    @Override
    public void listen(Listener listener) {
        links.listen(listener);
    }

    @Override
    public List<LinkState> states() {
        return links.states();
    }

    @Override
    public void close() {
        links.close();
    }
}
