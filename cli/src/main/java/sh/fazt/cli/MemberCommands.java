package sh.fazt.cli;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fazt swarm evict}, {@code rotate-key} and {@code clone}: what is done to one member. */
final class MemberCommands {
    private static final Duration CHANGE = Duration.ofMinutes(2);

    /** A change of the key waits for others, and for what came of it when an answer is lost. */
    private static final Duration ROTATE = Duration.ofMinutes(5);
    /** A node that starts again is let in to the group within seconds. */
    private static final Duration BACK = Duration.ofSeconds(60);

    private static final long LOOK_EVERY_MILLIS = 200;

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

    static int rotateKey(Arguments arguments, Terminal terminal) throws InterruptedException {
        terminal.say("changing the key: this waits until the swarm has agreed and the node is back under the new one");
        Object key = NodeClient.of(arguments.cartridge()).send("POST", "/api/swarm/rotate-key", Map.of(), ROTATE);
        String id = Json.text(key, "id");
        Object status = back(arguments, id);
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(key));
            return 0;
        }
        terminal.result(Json.text(key, "name") + " has a new key: node " + Json.text(key, "before") + " is node " + id
                + " from now on.\nThe old key is never let in again, and every open join token is withdrawn\n"
                + (status == null
                        ? "It is starting again under the new key: see \"fazt swarm status\""
                        : SwarmCommands.table(status)));
        return 0;
    }

    /** The status of the node once it runs under that id and has its role again; null when that takes too long. */
    private static @Nullable Object back(Arguments arguments, String id) throws InterruptedException {
        long end = System.nanoTime() + BACK.toNanos();
        while (System.nanoTime() < end) {
            try {
                Object status = NodeClient.of(arguments.cartridge()).get("/api/swarm/status");
                boolean joined = Json.elements(status, "members").stream()
                        .anyMatch(member -> Json.text(member, "id").equals(id)
                                && !Json.text(member, "role").equals("joining"));
                if (Json.text(Json.member(status, "self"), "id").equals(id) && joined) {
                    return status;
                }
            } catch (Failure starting) {
                // It answers again in a moment.
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
        return null;
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
