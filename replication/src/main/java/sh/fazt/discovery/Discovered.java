package sh.fazt.discovery;

import java.util.List;
import sh.fazt.identity.NodeId;

/**
 * A node that was heard of on the local network; nothing of it is proven. Immutable.
 *
 * @param swarm     see {@link Announcement#digest}
 * @param addresses {@code host:port}, all of this machine's own networks
 */
public record Discovered(NodeId node, String name, String swarm, List<String> addresses) {
    public Discovered {
        addresses = List.copyOf(addresses);
    }
}
