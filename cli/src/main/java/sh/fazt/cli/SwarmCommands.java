package sh.fazt.cli;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm}. */
final class SwarmCommands {
    /** A join ends when the node has caught up, which for a large swarm takes its time. */
    static final Duration JOIN = Duration.ofMinutes(30);

    private static final Duration CHANGE = Duration.ofMinutes(2);

    private SwarmCommands() {}

    static int init(Arguments arguments, Terminal terminal) {
        Map<String, Object> request = new HashMap<>();
        String name = arguments.flag("name");
        if (name != null) {
            request.put("name", name);
        }
        Object data = NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/init", request);
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
        } else {
            Object swarm = Json.member(data, "swarm");
            terminal.result("swarm " + Json.text(swarm, "name") + " (" + Json.text(swarm, "id") + ")");
        }
        return 0;
    }

    static int token(Arguments arguments, Terminal terminal) {
        long seconds = duration(arguments.flag("ttl", "15m")).toSeconds();
        if (arguments.has("words") && arguments.has("qr")) {
            throw Failure.usage("--words and --qr are two forms of one token: ask for one of them");
        }
        Object data =
                NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/token", Map.of("ttl_seconds", seconds));
        if ("json".equals(arguments.flag("format"))) {
            terminal.result(Json.pretty(data));
        } else if (arguments.has("words")) {
            terminal.result(lines(Json.text(data, "words")));
        } else if (arguments.has("qr")) {
            terminal.result(TerminalQr.of(Json.text(data, "token"), TerminalQr.columns(terminal)));
        } else {
            terminal.result(Json.text(data, "token"));
        }
        return 0;
    }

    /** Six words a line: easier to follow with a finger. */
    private static String lines(String words) {
        StringBuilder text = new StringBuilder();
        int count = 0;
        for (String word : words.split(" ")) {
            text.append(count == 0 ? "" : count % 6 == 0 ? "\n" : " ").append(word);
            count++;
        }
        return text.toString();
    }

    static int join(Arguments arguments, Terminal terminal) {
        NodeClient node = NodeClient.of(arguments.cartridge());
        terminal.say("joining: this waits until the node is a member and has caught up");
        Object data = node.send(
                "POST",
                "/api/swarm/join",
                Map.of("token", arguments.operands(), "observer", arguments.has("observer")),
                JOIN);
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
        } else {
            Object swarm = Json.member(data, "swarm");
            terminal.result("joined swarm " + Json.text(swarm, "name") + " (" + Json.text(swarm, "id") + "), "
                    + Json.elements(data, "members").size() + " members, caught up" + warning(data));
        }
        return 0;
    }

    static int status(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/status");
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        return 0;
    }

    /** The status for a reader. */
    static String table(@Nullable Object data) {
        Object leader = Json.member(data, "leader");
        boolean quorum = "true".equals(Json.text(data, "quorum"));
        String agreed = Json.text(data, "schema_level");
        // Only while members differ is there a column for it.
        boolean mixed = Json.elements(data, "members").stream()
                .anyMatch(member -> !Json.text(member, "schema_level").equals(agreed));
        Table table = mixed
                ? new Table("NAME", "ROLE", "STATE", "HEARD", "ADDRESS", "RTT", "BEHIND", "ID", "LEVEL")
                : new Table("NAME", "ROLE", "STATE", "HEARD", "ADDRESS", "RTT", "BEHIND", "ID");
        StringBuilder problems = new StringBuilder();
        for (Object member : Json.elements(data, "members")) {
            String problem = Json.text(member, "problem");
            if (!problem.isEmpty()) {
                problems.append('\n')
                        .append(Json.text(member, "name"))
                        .append(" can't be linked: ")
                        .append(problem);
            }
            problems.append(misbehaviour(member)).append(ahead(member));
            Object behind = Json.member(member, "behind");
            String rtt = Json.text(member, "rtt_ms");
            table.row(
                    Json.text(member, "name")
                            + (Json.text(member, "id").equals(Json.text(Json.member(data, "self"), "id")) ? " *" : ""),
                    Json.text(member, "role"),
                    Json.text(member, "state"),
                    Table.ago(Json.text(member, "last_heard_ms")),
                    Json.text(member, "address"),
                    rtt.isEmpty() ? "-" : rtt + " ms",
                    behind == null || Json.text(behind, "changes").equals("0")
                            ? "-"
                            : Json.text(behind, "changes") + " changes, " + Table.bytes(Json.text(behind, "bytes"))
                                    + since(member),
                    Json.text(member, "id").length() > 8
                            ? Json.text(member, "id").substring(0, 8)
                            : Json.text(member, "id"),
                    Json.text(member, "schema_level"));
        }
        String evicted = Json.text(data, "evicted");
        return (evicted.isEmpty() ? "" : "EVICTED: " + evicted + "\n") + "swarm "
                + Json.text(Json.member(data, "swarm"), "name") + ", leader "
                + (leader == null ? "none" : Json.text(leader, "name"))
                + (quorum ? "" : ", NO QUORUM: members and aliases can't be changed, everything else works")
                + ", config version " + Json.text(data, "config_version")
                + (agreed.isEmpty() ? "" : ", schema level " + agreed)
                + "\n" + table + problems + conflicts(Json.text(data, "conflicts")) + heldBack(data)
                + parked(data) + warning(data);
    }

    private static String since(@Nullable Object member) {
        String oldest = Json.text(Json.member(member, "sync"), "oldest_unsent_ms");
        return oldest.isEmpty() || oldest.equals("0") ? "" : ", the oldest " + Table.ago(oldest);
    }

    /** What has come and waits; nothing where nothing does. */
    private static String parked(@Nullable Object data) {
        StringBuilder text = new StringBuilder();
        for (Object one : Json.elements(data, "parked")) {
            String rows = Json.text(one, "rows");
            text.append('\n')
                    .append(rows)
                    .append(rows.equals("1") ? " row waits" : " rows wait")
                    .append(" for a release of fazt that knows them: ")
                    .append(Json.text(one, "reason"));
        }
        return text.toString();
    }

    private static String ahead(@Nullable Object member) {
        String ahead = Json.text(Json.member(member, "sync"), "ahead_changes");
        return ahead.isEmpty() || ahead.equals("0") || ahead.startsWith("-")
                ? ""
                : "\n" + Json.text(member, "name") + " has " + ahead
                        + (ahead.equals("1") ? " change that is" : " changes that are") + " not here yet";
    }

    /** Nothing of a member that keeps to the rules. */
    private static String misbehaviour(@Nullable Object member) {
        Object figures = Json.member(member, "sync");
        StringBuilder text = new StringBuilder();
        String offences = Json.text(figures, "offences");
        if (!offences.isEmpty() && !offences.equals("0")) {
            text.append('\n')
                    .append(Json.text(member, "name"))
                    .append(" broke the rules ")
                    .append(times(offences));
        }
        String floods = Json.text(figures, "floods");
        if (!floods.isEmpty() && !floods.equals("0")) {
            text.append('\n')
                    .append(Json.text(member, "name"))
                    .append(" sent faster than this node took it ")
                    .append(times(floods));
        }
        return text.toString();
    }

    private static String times(String count) {
        return count + (count.equals("1") ? " time" : " times") + ": see \"fazt swarm events\"";
    }

    private static String warning(@Nullable Object data) {
        String warning = Json.text(data, "warning");
        return warning.isEmpty() ? "" : "\nwarning: " + warning;
    }

    /** Nothing where there are none, or where the answer does not say. */
    private static String conflicts(String count) {
        return count.isEmpty() || count.equals("0")
                ? ""
                : "\n" + count + (count.equals("1") ? " conflict" : " conflicts") + ": fazt swarm conflicts";
    }

    /** What is left with peers until somebody asks for it; nothing where nothing is. */
    static String heldBack(@Nullable Object data) {
        Object held = Json.member(data, "held_back");
        String blobs = Json.text(held, "blobs");
        return blobs.isEmpty() || blobs.equals("0")
                ? ""
                : "\n" + blobs + (blobs.equals("1") ? " blob" : " blobs") + " held back, "
                        + Table.bytes(Json.text(held, "bytes"))
                        + ": fetched when a visitor asks for them, by \"fazt swarm sync\", or over a link that is not metered";
    }

    static int discover(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/discover");
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : discovered(data));
        return 0;
    }

    private static String discovered(@Nullable Object data) {
        Table table = new Table("NAME", "ADDRESS", "MEMBER", "SWARM", "ID");
        for (Object node : Json.elements(data, "nodes")) {
            table.row(
                    Json.text(node, "name"),
                    Json.text(node, "address"),
                    "true".equals(Json.text(node, "member")) ? "yes" : "no",
                    Json.text(node, "swarm").substring(0, 8),
                    Json.text(node, "id").substring(0, 8));
        }
        Object mapping = Json.member(data, "port_mapping");
        String address = Json.text(mapping, "address");
        return (Json.elements(data, "nodes").isEmpty()
                        ? "no other node announces itself here: one has to run with --bind 0.0.0.0 and discovery on"
                        : table.toString())
                + "\nrouter: "
                + (address.isEmpty()
                        ? "no port leads here: " + Json.text(mapping, "why")
                        : address + " leads here, by " + Json.text(mapping, "protocol"));
    }

    static int time(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/swarm/time");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("PEER", "OFFSET", "RTT", "ID");
        for (Object peer : Json.elements(data, "peers")) {
            table.row(
                    Json.text(peer, "name"),
                    Json.text(peer, "offset_ms") + " ms",
                    Json.text(peer, "rtt_ms") + " ms",
                    Json.text(peer, "id").substring(0, 8));
        }
        boolean correcting = "true".equals(Json.text(data, "correcting"));
        terminal.result(Json.text(data, "now") + " by this machine's clock, "
                + (correcting
                        ? "which is off by " + Json.text(data, "offset_ms") + " ms: set it. Writes are stamped "
                                + Json.text(data, "corrected")
                        : "which is right as far as the peers know")
                + (Json.elements(data, "peers").isEmpty() ? "\nno peer has been measured" : "\n" + table));
        return 0;
    }

    static int leave(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send("POST", "/api/swarm/leave", Map.of("force", arguments.has("force")), CHANGE);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : "left; this node is a swarm of one again");
        return 0;
    }

    static int recover(Arguments arguments, Terminal terminal) {
        if (!arguments.has("force")) {
            throw Failure.usage("fazt swarm recover makes this node decide alone after the majority is lost for good;\n"
                    + "say so with --force, and only when the other members will never come back as they were");
        }
        NodeClient node = NodeClient.of(arguments.cartridge());
        Object status = node.get("/api/swarm/status");
        Object self = Json.member(status, "self");
        terminal.say("This makes " + Json.text(self, "name") + " the only voter of swarm "
                + Json.text(Json.member(status, "swarm"), "name") + ".\n"
                + "Config changes (members, aliases) that the lost members agreed on and this one never saw are gone.\n"
                + "Members that are alive but cut off lose their vote: when they meet this node, they follow it, and\n"
                + "what they wrote meanwhile is merged. (Where an observer is recovered, they have to join again with a\n"
                + "new token.) Never do this on both sides of a split.\n"
                + "Apps, files and data on this node are not touched.");
        for (Object member : Json.elements(status, "members")) {
            if (!Json.text(member, "id").equals(Json.text(self, "id"))) {
                terminal.say("  " + Json.text(member, "name") + " is " + Json.text(member, "state"));
            }
        }
        String answer = terminal.ask("Type \"recover\" to go on: ");
        if (answer == null || !answer.strip().equals("recover")) {
            throw Failure.failed("nothing was changed: that was not \"recover\"");
        }
        Object data = node.send("POST", "/api/swarm/recover", Map.of("force", true), CHANGE);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : table(data));
        return 0;
    }

    /** {@code 90s}, {@code 15m}, {@code 2h}, {@code 1d}. */
    static Duration duration(String text) {
        if (text.length() > 1 && text.length() < 10) {
            String number = text.substring(0, text.length() - 1);
            if (number.chars().allMatch(c -> c >= '0' && c <= '9')) {
                long count = Long.parseLong(number);
                Duration unit = switch (text.charAt(text.length() - 1)) {
                    case 's' -> Duration.ofSeconds(1);
                    case 'm' -> Duration.ofMinutes(1);
                    case 'h' -> Duration.ofHours(1);
                    case 'd' -> Duration.ofDays(1);
                    default -> Duration.ZERO;
                };
                if (count > 0 && !unit.isZero()) {
                    return unit.multipliedBy(count);
                }
            }
        }
        throw Failure.usage("a duration is a number above 0 and s, m, h or d, such as 15m; not \"" + text + "\"");
    }
}
