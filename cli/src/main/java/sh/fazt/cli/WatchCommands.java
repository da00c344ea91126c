package sh.fazt.cli;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm verify} and {@code fazt swarm events}. */
final class WatchCommands {
    /** Everything is read on two nodes. */
    private static final Duration VERIFY = Duration.ofMinutes(30);

    private static final int NOT_ALL_COMPARED = 3;

    private static final long LOOK_EVERY_MILLIS = 500;

    private WatchCommands() {}

    /** Exit code 1 when something differs and was not put right, 3 when nothing does, but not all could be compared. */
    static int verify(Arguments arguments, Terminal terminal) {
        Map<String, Object> request = new HashMap<>();
        if (!arguments.operands().isEmpty()) {
            request.put("app", arguments.operands());
        }
        request.put("repair", arguments.has("repair"));
        Object data = NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/verify", request, VERIFY);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        if (is(data, "different")) {
            return 1;
        }
        return is(data, "incomplete") ? NOT_ALL_COMPARED : 0;
    }

    private static boolean is(@Nullable Object data, String what) {
        return "true".equals(Json.text(data, what));
    }

    private static String scope(@Nullable Object verified) {
        String app = Json.text(verified, "app");
        return app.isEmpty() ? Json.text(verified, "scope") : app;
    }

    private static String table(@Nullable Object data) {
        Table table = new Table("MEMBER", "SCOPE", "STATE", "NOTE");
        StringBuilder rows = new StringBuilder();
        for (Object one : Json.elements(data, "scopes")) {
            List<?> differing = Json.elements(one, "rows");
            boolean more = is(one, "more");
            String note = Json.text(one, "damaged");
            if (!differing.isEmpty()) {
                note = differing.size()
                        + (more ? " rows or more" : differing.size() == 1 ? " row" : " rows")
                        + (note.isEmpty() ? "" : "; here " + note);
            }
            String why = Json.text(one, "why");
            note += (why.isEmpty() ? "" : (note.isEmpty() ? "" : "; ") + why);
            boolean repaired = is(one, "repaired");
            table.row(name(one), scope(one), Json.text(one, "state") + (repaired ? ", repaired" : ""), note);
            for (Object row : differing) {
                rows.append('\n')
                        .append(name(one))
                        .append(' ')
                        .append(scope(one))
                        .append(' ')
                        .append(Json.text(row, "table"))
                        .append(' ')
                        .append(Json.write(Json.member(row, "key")))
                        .append(' ')
                        .append(Json.text(row, "what"));
            }
        }
        return table
                + rows.toString()
                + (is(data, "different")
                        ? "\nput it right with \"fazt swarm verify --repair\"; what is written over is kept, see \"fazt"
                                + " swarm conflicts\""
                        : "")
                + (is(data, "incomplete")
                        ? "\nnot everything could be compared: verify again when those members are here and caught up"
                        : "");
    }

    /** What happened; followed, also what happens, until the node stops or the user has enough. */
    static int events(Arguments arguments, Terminal terminal) throws InterruptedException {
        boolean json = arguments.json(terminal);
        boolean follow = arguments.has("follow") || arguments.has("f");
        long since = 0;
        while (true) {
            Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/events?since=" + since);
            long last = Json.member(data, "last") instanceof Long number ? number : 0;
            if (last < since) {
                // The node was started anew meanwhile, and counts from 1 again.
                since = 0;
                continue;
            }
            for (Object event : Json.elements(data, "events")) {
                terminal.result(json ? Json.write(event) : line(event));
            }
            since = last;
            if (!follow) {
                return 0;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
    }

    private static String line(@Nullable Object event) {
        Object node = Json.member(event, "node");
        String why = Json.text(event, "why");
        return Json.text(event, "at") + "  " + Json.text(event, "kind") + "  " + (node == null ? "" : name(node) + " ")
                + Json.text(event, "what") + (why.isEmpty() ? "" : " (" + why + ")");
    }

    private static String name(@Nullable Object of) {
        String name = Json.text(of, "name");
        String id = Json.text(of, "id");
        return !name.isEmpty() ? name : id.length() > 8 ? id.substring(0, 8) : id;
    }
}
