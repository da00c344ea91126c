package sh.fazt.swarm;

import java.util.List;
import sh.fazt.discovery.PortMapping;

/** What lies around this node. Immutable. */
public record SurroundingsView(List<Node> nodes, PortMapping.Status mapping) {
    public SurroundingsView {
        nodes = List.copyOf(nodes);
    }

    /**
     * A node that announces itself; nothing of it is proven. Immutable.
     *
     * @param swarm   a digest of its swarm's id
     * @param address {@code host:port}, the likeliest
     * @param member  whether a member of this swarm has that id
     */
    public record Node(SwarmView.Named node, String swarm, String address, boolean member) {}
}
