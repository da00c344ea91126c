package sh.fazt.cli;

import java.time.Duration;
import java.util.Map;

/** {@code fazt swarm promote} and {@code fazt swarm demote}. */
final class RoleCommands {
    /** A new voter hears all that is agreed first. */
    private static final Duration CHANGE = Duration.ofMinutes(2);

    private RoleCommands() {}

    static int promote(Arguments arguments, Terminal terminal) {
        return change("promote", arguments, terminal);
    }

    static int demote(Arguments arguments, Terminal terminal) {
        return change("demote", arguments, terminal);
    }

    private static int change(String what, Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send("POST", "/api/swarm/" + what, Map.of("node", arguments.operand(0)), CHANGE);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : SwarmCommands.table(data));
        return 0;
    }
}
