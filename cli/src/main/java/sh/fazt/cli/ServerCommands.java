package sh.fazt.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code fazt server} and {@code fazt config}. */
final class ServerCommands {
    /** Gets the checked flags, and runs until it is told to stop. */
    private static final String NODE = "sh.fazt.node.NodeMain";

    private ServerCommands() {}

    static int start(Arguments arguments, Terminal terminal) throws Exception {
        List<String> flags =
                new ArrayList<>(List.of("--db", arguments.cartridge().toString()));
        for (Command.Flag flag : arguments.command().flags()) {
            String value = arguments.flag(flag.name());
            if (value != null) {
                if (flag.name().endsWith("port")) {
                    checkPort(flag.name(), value);
                }
                flags.add("--" + flag.name());
                flags.add(value);
            }
        }
        Archives archives = Archives.ofThisExecutable();
        if (archives != null) {
            archives.makeSoon();
        }
        return Door.run(NODE, (Object) flags.toArray(new String[0])) instanceof Integer code ? code : 1;
    }

    private static void checkPort(String name, String value) {
        try {
            int port = Integer.parseInt(value);
            if (port >= 0 && port <= 65535) {
                return;
            }
        } catch (NumberFormatException e) {
            // Said below, in the same words.
        }
        throw Failure.usage("--" + name + " is 0 (any free one) to 65535, not \"" + value + "\"");
    }

    static int status(Arguments arguments, Terminal terminal) {
        Path cartridge = arguments.cartridge();
        NodeClient node = NodeClient.of(cartridge);
        Object health = node.get("/api/system/health");
        Map<String, @Nullable Object> status = new LinkedHashMap<>();
        status.put("cartridge", cartridge.toString());
        status.put("pid", Json.member(node.runFile(), "pid"));
        status.put("http", Json.member(node.runFile(), "http"));
        status.put("swarm", Json.member(node.runFile(), "swarm"));
        status.put("started", Json.member(node.runFile(), "started"));
        status.put("health", health);
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(status));
        } else {
            Table table = new Table("cartridge", cartridge.toString());
            status.forEach((name, value) -> {
                if (value instanceof Map<?, ?> members) {
                    members.forEach((member, inner) -> table.row(String.valueOf(member), flat(inner)));
                } else if (!name.equals("cartridge")) {
                    table.row(name, flat(value));
                }
            });
            terminal.result(table.toString());
        }
        return 0;
    }

    private static String flat(@Nullable Object value) {
        return value instanceof String text ? text : Json.write(value);
    }

    static int config(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/config");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("KEY", "VALUE", "SOURCE", "DEFAULT");
        for (Object entry : Json.elements(data, "config")) {
            table.row(
                    Json.text(entry, "key"),
                    Json.text(entry, "value"),
                    Json.text(entry, "source"),
                    Json.text(entry, "default"));
        }
        terminal.result(table.toString());
        return 0;
    }

    static int setConfig(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send("PUT", "/api/config", Map.of("key", arguments.operand(0), "value", arguments.operand(1)));
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
        } else {
            terminal.result(arguments.operand(0) + " = " + arguments.operand(1)
                    + ("true".equals(Json.text(data, "restart")) ? "  (at the next start of the node)" : ""));
        }
        return 0;
    }
}
