package sh.fazt.membership;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a member says of itself. Immutable.
 *
 * @param name           for people
 * @param httpAddress    where its HTTP is reached, {@code host:port}, or empty
 * @param swarmAddresses where its swarm port may be reached, best first
 * @param version        of its software
 * @param values         small facts, at most {@value #MAX_VALUES}
 */
public record MemberMetadata(
        String name, String httpAddress, List<String> swarmAddresses, String version, Map<String, String> values) {
    static final int MAX_TEXT = 256;
    static final int MAX_ADDRESSES = 16;
    static final int MAX_VALUES = 16;

    public MemberMetadata {
        check("name", name);
        check("http address", httpAddress);
        check("version", version);
        swarmAddresses = List.copyOf(swarmAddresses);
        if (swarmAddresses.size() > MAX_ADDRESSES) {
            throw new IllegalArgumentException("a member has at most " + MAX_ADDRESSES + " swarm addresses, not "
                    + swarmAddresses.size() + ": name the best ones");
        }
        swarmAddresses.forEach(address -> check("swarm address", address));
        TreeMap<String, String> sorted = new TreeMap<>(values);
        if (sorted.size() > MAX_VALUES) {
            throw new IllegalArgumentException("a member says at most " + MAX_VALUES + " values of itself, not "
                    + sorted.size() + ": put the rest in a replicated row");
        }
        sorted.forEach((key, value) -> {
            check("key", key);
            check("value of " + key, value);
        });
        values = Collections.unmodifiableMap(sorted);
    }

    /** A member of which only the name is known. */
    public static MemberMetadata named(String name) {
        return new MemberMetadata(name, "", List.of(), "", Map.of());
    }

    private static void check(String what, String text) {
        if (text.length() > MAX_TEXT) {
            throw new IllegalArgumentException("a member's " + what + " has at most " + MAX_TEXT + " characters, not "
                    + text.length() + ": it rides on many messages");
        }
    }
}
