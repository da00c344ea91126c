package sh.fazt.discovery;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * What a node says of itself on the local network, for all to hear: no secrets. Immutable.
 *
 * @param swarm a digest of the swarm's id: equal for nodes of one swarm
 * @param name  what people call it; may be empty
 * @param port  its swarm port
 */
public record Announcement(NodeId node, String swarm, String name, int port) {
    private static final String PROTOCOL = "1";
    private static final int DIGEST_BYTES = 10;
    /** A TXT entry has 255 bytes at most. */
    private static final int MOST_NAME = 60;

    /** The digest that nodes of that swarm announce. */
    public static String digest(String swarmId) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(("fazt swarm " + swarmId).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, DIGEST_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    Map<String, String> text() {
        Map<String, String> text = new LinkedHashMap<>();
        text.put("protocol", PROTOCOL);
        text.put("node", node.toString());
        text.put("swarm", swarm);
        text.put("name", name.length() > MOST_NAME ? name.substring(0, MOST_NAME) : name);
        return text;
    }

    /** Reads what somebody announced; null when it is none of ours or damaged. */
    static @Nullable Announcement read(Map<String, String> text, int port) {
        String node = text.getOrDefault("node", "");
        String swarm = text.getOrDefault("swarm", "");
        String name = text.getOrDefault("name", "");
        if (!PROTOCOL.equals(text.get("protocol"))
                || port < 1
                || port > 65535
                || !swarm.matches("[0-9a-f]{20}")
                || name.length() > MOST_NAME
                || name.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
            return null;
        }
        try {
            return new Announcement(NodeId.parse(node), swarm, name, port);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
