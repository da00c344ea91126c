package sh.fazt.link;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import sh.fazt.identity.NodeId;

/** A node's links as if it had one peer only: what its link to others does is not seen. */
record OneOf(Links links, NodeId peer) implements Links {
    @Override
    public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
        return links.send(to, channel, message, deadline);
    }

    @Override
    public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
        return links.ask(to, channel, request, deadline);
    }

    @Override
    public void handle(Channel channel, Handler handler) {
        links.handle(channel, handler);
    }

    @Override
    public void listen(Listener listener) {
        links.listen(new Listener() {
            @Override
            public void up(NodeId who) {
                if (who.equals(peer)) {
                    listener.up(who);
                }
            }

            @Override
            public void down(NodeId who, String reason) {
                if (who.equals(peer)) {
                    listener.down(who, reason);
                }
            }
        });
    }

    @Override
    public List<LinkState> states() {
        return links.states().stream()
                .filter(state -> state.peer().equals(peer))
                .toList();
    }

    @Override
    public void close() {
        links.close();
    }
}
