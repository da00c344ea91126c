package sh.fazt.cli;

import java.time.Duration;
import java.util.Map;

/** {@code fazt swarm evict}: what is done to one member. */
final class MemberCommands {
    private static final Duration CHANGE = Duration.ofMinutes(2);

    private MemberCommands() {}

    static int evict(Arguments arguments, Terminal terminal) {
        String node = arguments.operand(0);
        Object data =
                NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/evict", Map.of("node", node), CHANGE);
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(data)
                        : "evicted " + node
                                + ": its key is never let in again, and every open join token is withdrawn\n"
                                + SwarmCommands.table(data));
        return 0;
    }
}
