package sh.fazt.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm placement}, {@code place}, {@code label} and {@code sync}. */
final class PlacementCommands {
    private static final long LOOK_EVERY_MILLIS = 300;

    private PlacementCommands() {}

    static int list(Arguments arguments, Terminal terminal) {
        return show(NodeClient.of(arguments.cartridge()).get("/api/swarm/placement"), arguments, terminal);
    }

    static int place(Arguments arguments, Terminal terminal) {
        Map<String, Object> body = new TreeMap<>();
        body.put("app", arguments.operand(0));
        String where = arguments.operand(1);
        String rest = String.join("", arguments.operandsFrom(2));
        boolean more = !rest.isEmpty();
        if (where.equals("all") && !more) {
            body.put("all", true);
        } else if (where.equals("on") && more) {
            body.put("on", nodes(rest));
        } else if (where.equals("label") && more) {
            body.put("label", rest);
        } else {
            throw Failure.usage(
                    "an app is placed \"all\", \"on NODE,NODE\" or \"label KEY=VALUE\", not \"" + where + "\"");
        }
        String lazy = arguments.flag("lazy");
        if (lazy != null) {
            body.put("lazy", nodes(lazy));
        }
        return show(
                NodeClient.of(arguments.cartridge()).send("PUT", "/api/swarm/placement", body), arguments, terminal);
    }

    static int label(Arguments arguments, Terminal terminal) {
        String node = arguments.operand(0);
        return show(
                NodeClient.of(arguments.cartridge())
                        .send("PUT", "/api/swarm/labels", Map.of("node", node, "labels", arguments.operandsFrom(1))),
                arguments,
                terminal);
    }

    /** Waits until all is here that can be had; exit code 1 when something can't. */
    static int sync(Arguments arguments, Terminal terminal) throws InterruptedException {
        Map<String, Object> body = new TreeMap<>();
        if (!arguments.operands().isEmpty()) {
            body.put("app", arguments.operands());
        }
        Object data = NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/sync", body);
        String told = "";
        while ("true".equals(Json.text(data, "running"))) {
            String now = amount(data, "got") + " of " + amount(data, "all");
            if (!now.equals(told)) {
                terminal.say(now);
                told = now;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            data = NodeClient.of(arguments.cartridge()).get("/api/swarm/sync");
        }
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : synced(data));
        return "0".equals(Json.text(data, "lost")) ? 0 : 1;
    }

    private static String amount(@Nullable Object data, String member) {
        Object amount = Json.member(data, member);
        String blobs = Json.text(amount, "blobs");
        return blobs + (blobs.equals("1") ? " blob, " : " blobs, ") + Table.bytes(Json.text(amount, "bytes"));
    }

    private static String synced(@Nullable Object data) {
        if ("0".equals(Json.text(Json.member(data, "all"), "blobs"))) {
            return "nothing was lacking";
        }
        StringBuilder text = new StringBuilder(amount(data, "got") + " fetched");
        for (Object member : Json.elements(data, "from")) {
            text.append('\n')
                    .append(Table.bytes(Json.text(member, "bytes")))
                    .append(" from ")
                    .append(Json.text(member, "name"));
        }
        String lost = Json.text(data, "lost");
        if (!lost.equals("0")) {
            text.append('\n')
                    .append(lost)
                    .append(" can't be had: no member that is linked now has them. Try again when one does");
            for (Object one : Json.elements(data, "missing")) {
                List<String> files = new ArrayList<>();
                Json.elements(one, "files").forEach(file -> files.add(String.valueOf(file)));
                text.append("\n  ").append(files.isEmpty() ? Json.text(one, "hash") : String.join(", ", files));
            }
        }
        return text.toString();
    }

    /** Names may have spaces in them, and around the commas between them. */
    static List<String> nodes(String list) {
        List<String> nodes = new ArrayList<>();
        for (String node : list.split(",", -1)) {
            if (node.isBlank()) {
                throw Failure.usage("members are named with a comma between, as NODE,NODE, not \"" + list + "\"");
            }
            nodes.add(node.strip());
        }
        return nodes;
    }

    private static int show(@Nullable Object data, Arguments arguments, Terminal terminal) {
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        return 0;
    }

    private static String table(@Nullable Object data) {
        StringBuilder text = new StringBuilder();
        if (Json.elements(data, "apps").isEmpty()) {
            text.append("every member keeps every app");
        } else {
            Table table = new Table("APP", "PLACED", "KEPT BY", "BEHIND");
            for (Object app : Json.elements(data, "apps")) {
                String name = Json.text(app, "name");
                String rule = Json.text(app, "rule");
                for (Object holder : Json.elements(app, "holders")) {
                    String behind = Json.text(holder, "behind");
                    boolean lazy = "true".equals(Json.text(holder, "lazy"));
                    table.row(
                            name,
                            rule,
                            Json.text(holder, "name") + (lazy ? " (lazy)" : ""),
                            behind.isEmpty() ? "-" : behind);
                    name = "";
                    rule = "";
                }
            }
            text.append(table).append("\nevery member keeps every other app");
        }
        for (Object member : Json.elements(data, "members")) {
            text.append('\n')
                    .append("labels of ")
                    .append(Json.text(member, "name"))
                    .append(':');
            if (Json.member(member, "labels") instanceof Map<?, ?> labels) {
                labels.forEach(
                        (key, value) -> text.append(' ').append(key).append('=').append(value));
            }
        }
        for (Object app : Json.elements(data, "leaving")) {
            text.append('\n')
                    .append(Json.text(app, "name"))
                    .append(" is still here, until a member that is to keep it has all of it");
        }
        return text.toString();
    }
}
