package sh.fazt.cli;

import java.time.Duration;

/** {@code fazt swarm lock} and {@code fazt swarm lease}. */
final class LeaseCommands {
    private LeaseCommands() {}

    static int lock(Arguments arguments, Terminal terminal) throws InterruptedException {
        String wait = arguments.flag("wait", "1m");
        return new Lock(
                        arguments.cartridge(),
                        arguments.operand(0),
                        arguments.operandsFrom(1),
                        SwarmCommands.duration(arguments.flag("ttl", "30s")),
                        wait.equals("0") ? Duration.ZERO : SwarmCommands.duration(wait),
                        terminal)
                .run();
    }

    static int list(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/leases");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("LEASE", "HELD BY", "THROUGH", "TOKEN", "LEFT");
        for (Object lease : Json.elements(data, "leases")) {
            String node = Json.text(Json.member(lease, "node"), "name");
            table.row(
                    Json.text(lease, "name"),
                    Json.text(lease, "holder"),
                    node.isEmpty() ? "-" : node,
                    Json.text(lease, "token"),
                    (Long.parseLong(Json.text(lease, "left_ms")) + 999) / 1000 + " s");
        }
        terminal.result(Json.elements(data, "leases").isEmpty() ? "nobody holds a lease" : table.toString());
        return 0;
    }

    static int release(Arguments arguments, Terminal terminal) {
        if (!arguments.has("force")) {
            throw Failure.usage(
                    "a lease is released by whoever holds it; to take it from a holder that will not, say --force:"
                            + "\nits command is told to end at the next renewal, and may run beside the next holder's until then");
        }
        Object data = NodeClient.of(arguments.cartridge())
                .send("DELETE", "/api/swarm/leases/" + Segment.encode(arguments.operand(0)) + "?force=true", null);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : Json.text(data, "message"));
        return 0;
    }
}
