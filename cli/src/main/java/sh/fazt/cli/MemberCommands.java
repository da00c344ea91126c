package sh.fazt.cli;

import java.time.Duration;
import java.util.Map;

/** {@code fazt swarm evict} and {@code clone}: what is done to one member. */
final class MemberCommands {
    private static final Duration CHANGE = Duration.ofMinutes(2);

    private MemberCommands() {}

    static int evict(Arguments arguments, Terminal terminal) {
        String node = arguments.operand(0);
        Object data = NodeClient.of(arguments.cartridge())
                .send("POST", "/api/swarm/evict", Map.of("node", node, "force", arguments.has("force")), CHANGE);
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(data)
                        : "evicted " + node
                                + ": its key is never let in again, and every open join token is withdrawn\n"
                                + SwarmCommands.table(data));
        return 0;
    }

    /** Needs the cartridge itself, which no node may run. */
    static int cloneCartridge(Arguments arguments, Terminal terminal) throws Exception {
        String cartridge = arguments.cartridge().toString();
        String node = String.valueOf(Door.run("sh.fazt.node.CloneMain", cartridge));
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(Map.of("cartridge", cartridge, "node", node))
                        : cartridge + " is node " + node + " now, in no swarm, with all its data.\nStart it with \"fazt"
                                + " server start --db " + cartridge + "\"; to join a swarm it needs a new token");
        return 0;
    }
}
