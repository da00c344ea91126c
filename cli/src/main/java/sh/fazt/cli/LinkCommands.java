package sh.fazt.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm link}. */
final class LinkCommands {
    private LinkCommands() {}

    static int list(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/links");
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        return 0;
    }

    static int set(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send(
                        "PUT",
                        "/api/swarm/links/settings",
                        Map.of(
                                "peer", arguments.operand(0),
                                "key", arguments.operand(1),
                                "value", arguments.operand(2)));
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        return 0;
    }

    private static String table(@Nullable Object data) {
        StringBuilder text = new StringBuilder();
        if (Json.elements(data, "links").isEmpty()) {
            text.append("no links: this node is a swarm of one");
        } else {
            Table table = new Table("PEER", "CLASS", "WAY", "RTT", "SENDS", "GETS", "LIMIT", "BUDGET LEFT", "NOTE");
            for (Object link : Json.elements(data, "links")) {
                Object via = Json.member(link, "via");
                boolean up = "true".equals(Json.text(link, "up"));
                String rtt = Json.text(link, "rtt_ms");
                String faults = Json.text(link, "faults");
                table.row(
                        name(link, "id"),
                        up ? Json.text(link, "class") : "down",
                        via == null ? Json.text(link, "address") : "via " + name(via, "id"),
                        rtt.isEmpty() ? "-" : rtt + " ms",
                        rate(link, "sent_bytes_per_second"),
                        rate(link, "received_bytes_per_second"),
                        rate(link, "rate_limit"),
                        Json.text(link, "budget_left").isEmpty() ? "-" : Table.bytes(Json.text(link, "budget_left")),
                        up ? "0".equals(faults) ? "" : faults + " faults" : Json.text(link, "last_error"));
            }
            text.append(table);
        }
        text.append(SwarmCommands.heldBack(data));
        for (Object setting : Json.elements(data, "settings")) {
            text.append('\n')
                    .append(name(setting, "peer"))
                    .append(' ')
                    .append(Json.text(setting, "key"))
                    .append(' ')
                    .append(Json.text(setting, "value"));
        }
        return text.toString();
    }

    private static String rate(@Nullable Object link, String member) {
        String value = Json.text(link, member);
        return value.isEmpty() ? "-" : Table.bytes(value) + "/s";
    }

    private static String name(@Nullable Object of, String idMember) {
        String name = Json.text(of, "name");
        String id = Json.text(of, idMember);
        return !name.isEmpty() ? name : id.length() > 8 ? id.substring(0, 8) : id;
    }
}
