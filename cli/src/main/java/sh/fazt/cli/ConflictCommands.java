package sh.fazt.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm conflicts}. */
final class ConflictCommands {
    private ConflictCommands() {}

    static int list(Arguments arguments, Terminal terminal) {
        String app = arguments.flag("app", "");
        int limit = whole("limit", arguments.flag("limit", "50"));
        int page = whole("page", arguments.flag("page", "1"));
        Object data = NodeClient.of(arguments.cartridge())
                .get("/api/swarm/conflicts?limit=" + limit + "&offset=" + (long) (page - 1) * limit
                        + (app.isEmpty() ? "" : "&app=" + encode(app)));
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data, page, limit));
        return 0;
    }

    static int show(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get(path(arguments));
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : sides(data));
        return 0;
    }

    static int restore(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).send("POST", path(arguments) + "/restore", Map.of());
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Object kept = Json.member(data, "overwritten");
        terminal.result(
                !"true".equals(Json.text(data, "written"))
                        ? "the row says so already: nothing was written, and the conflict is off the list"
                        : "restored " + row(data)
                                + (kept == null
                                        ? ""
                                        : "; what it said before is kept as conflict " + Json.text(kept, "id")));
        return 0;
    }

    static int dismiss(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).send("POST", path(arguments) + "/dismiss", Map.of());
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(data)
                        : "true".equals(Json.text(data, "dismissed"))
                                ? "dismissed conflict " + Json.text(data, "id") + " on every node"
                                : "conflict " + Json.text(data, "id") + " was settled before: nothing changed");
        return 0;
    }

    private static String path(Arguments arguments) {
        return "/api/swarm/conflicts/" + encode(arguments.operand(0));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static int whole(String flag, String text) {
        if (text.matches("[1-9][0-9]{0,5}")) {
            return Integer.parseInt(text);
        }
        throw Failure.usage("--" + flag + " is a whole number from 1 to 999999, not \"" + text + "\"");
    }

    private static String table(@Nullable Object data, int page, int limit) {
        long total = Long.parseLong(Json.text(data, "total"));
        if (total == 0) {
            return "no conflicts: nobody wrote over a change that they had not seen";
        }
        if (Json.elements(data, "conflicts").isEmpty()) {
            return "no conflicts on page " + page + ": there are " + total + " in all";
        }
        Table table = new Table("ID", "LOST AT", "APP", "TABLE", "KEY", "WRITTEN BY", "LOST TO");
        for (Object conflict : Json.elements(data, "conflicts")) {
            table.row(
                    Json.text(conflict, "id"),
                    Json.text(conflict, "at"),
                    app(conflict),
                    Json.text(conflict, "table"),
                    inline(Json.member(conflict, "key")),
                    name(Json.member(conflict, "by")),
                    name(Json.member(conflict, "winner_by")));
        }
        return table + (total > (long) page * limit ? "\n" + total + " in all: --page " + (page + 1) : "");
    }

    /** Both sides, column by column. */
    private static String sides(@Nullable Object data) {
        Object present = Json.member(data, "present");
        Table table = new Table("", "PRESENT", "LOST");
        table.row("by", present == null ? "-" : name(Json.member(present, "by")), name(Json.member(data, "by")));
        table.row("at", present == null ? "-" : Json.text(present, "at"), Json.text(data, "at"));
        TreeSet<String> columns = new TreeSet<>();
        for (Object side : new @Nullable Object[] {present, data}) {
            if (Json.member(side, "values") instanceof Map<?, ?> values) {
                values.keySet().forEach(column -> columns.add(String.valueOf(column)));
            }
        }
        table.row("row", state(present), state(data));
        for (String column : columns) {
            table.row(column, value(present, column), value(data, column));
        }
        return "conflict " + Json.text(data, "id") + " of " + row(data)
                + ("true".equals(Json.text(data, "settled")) ? ", settled" : "") + "\n" + table;
    }

    private static String state(@Nullable Object side) {
        return side == null ? "not there" : "true".equals(Json.text(side, "deleted")) ? "deleted" : "there";
    }

    private static String value(@Nullable Object side, String column) {
        Object value = Json.member(Json.member(side, "values"), column);
        return value == null ? "-" : inline(value);
    }

    private static String row(@Nullable Object data) {
        return Json.text(data, "table") + " " + inline(Json.member(data, "key")) + " in " + app(data);
    }

    private static String app(@Nullable Object data) {
        String app = Json.text(data, "app");
        return app.isEmpty() ? Json.text(data, "scope") : app;
    }

    private static String name(@Nullable Object node) {
        String name = Json.text(node, "name");
        String id = Json.text(node, "id");
        return !name.isEmpty() ? name : id.length() > 8 ? id.substring(0, 8) : id;
    }

    private static String inline(@Nullable Object value) {
        String text = value instanceof String plain ? plain : Json.write(value);
        return text.length() > 60 ? text.substring(0, 57) + "..." : text;
    }
}
