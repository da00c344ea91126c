package sh.fazt.link;

import java.net.SocketAddress;
import sh.fazt.identity.NodeId;

/** The far end of a relayed stream, as the relay names it: who is there is proven inside, by TLS. Immutable. */
final class Relayed extends SocketAddress {
    private static final long serialVersionUID = 1L;

    private final transient NodeId node;
    private final transient NodeId relay;

    Relayed(NodeId node, NodeId relay) {
        this.node = node;
        this.relay = relay;
    }

    NodeId node() {
        return node;
    }

    NodeId relay() {
        return relay;
    }

    @Override
    public String toString() {
        return node.shortText() + " via " + relay.shortText();
    }
}
