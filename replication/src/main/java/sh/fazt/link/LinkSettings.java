package sh.fazt.link;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * What the owner has set of this node's links: for one peer, or by default. What is not set for a peer follows
 * the default. Immutable; {@link #set} is the only way to another one, and checks.
 */
public final class LinkSettings {
    /** Nothing is set. */
    public static final LinkSettings NONE = new LinkSettings(Map.of());

    /** The name of what holds for every peer that has nothing else. */
    public static final String DEFAULT = "default";
    /** What a pair may send through this node, in bytes a second: 10 Mbit/s. */
    static final long RELAY_RATE = 1_250_000;

    /** What can be set; those with a class and {@code relay-rate} by default only. */
    public static final List<String> KEYS = List.of(
            "rate", "rate-lan", "rate-wan", "rate-relayed", "rate-metered", "budget", "metered", "relay", "relay-rate");

    private static final String UNSET = "unset";
    private static final Pattern AMOUNT = Pattern.compile("([0-9]{1,15})(?:\\.([0-9]))? ?([a-z]*)(?:/s|/d)?");
    private static final Map<String, Long> TENTHS = Map.ofEntries(
            Map.entry("", 10L),
            Map.entry("b", 10L),
            Map.entry("kb", 10_000L),
            Map.entry("mb", 10_000_000L),
            Map.entry("gb", 10_000_000_000L),
            Map.entry("kib", 10L << 10),
            Map.entry("mib", 10L << 20),
            Map.entry("gib", 10L << 30),
            Map.entry("kbit", 1250L),
            Map.entry("mbit", 1_250_000L),
            Map.entry("gbit", 1_250_000_000L));

    /**
     * One setting as it is kept.
     *
     * @param of    {@link #DEFAULT} or a peer's whole id
     * @param value bytes (a second, a day), {@code on} or {@code off}
     */
    public record Entry(String of, String key, String value) {}

    private final Map<String, Map<String, String>> values;

    private LinkSettings(Map<String, Map<String, String>> values) {
        this.values = values;
    }

    /**
     * The same with one thing set otherwise; the value {@code unset} takes it away.
     *
     * @param of a peer, or null for the default
     * @throws IllegalArgumentException saying what would be right
     */
    public LinkSettings set(@Nullable NodeId of, String key, String value) {
        if (!KEYS.contains(key)) {
            throw new IllegalArgumentException(
                    "links have no setting \"" + key + "\": there are " + String.join(", ", KEYS));
        }
        boolean general = key.startsWith("rate-") || key.equals("relay-rate");
        if (of != null && general) {
            throw new IllegalArgumentException(key + " holds for every link: set it for \"" + DEFAULT + "\"");
        }
        String owner = of == null ? DEFAULT : of.toString();
        Map<String, Map<String, String>> next = new HashMap<>(values);
        Map<String, String> mine = new HashMap<>(values.getOrDefault(owner, Map.of()));
        if (value.equals(UNSET)) {
            mine.remove(key);
        } else {
            mine.put(key, checked(key, value.toLowerCase(Locale.ROOT).strip()));
        }
        next.put(owner, Map.copyOf(mine));
        return new LinkSettings(Map.copyOf(next));
    }

    private static String checked(String key, String value) {
        return switch (key) {
            case "metered", "relay" -> {
                if (!value.equals("on") && !value.equals("off")) {
                    throw new IllegalArgumentException(
                            key + " is on or off, or " + UNSET + " to follow the default, not \"" + value + "\"");
                }
                yield value;
            }
            case "budget" -> amount(key, value, "a day, as 200MB", "nothing would pass any more");
            default -> amount(key, value, "a second, as 10mbit or 500KB", "nothing would pass any more");
        };
    }

    private static String amount(String key, String value, String form, String zero) {
        Matcher matcher = AMOUNT.matcher(value);
        Long tenths = matcher.matches() ? TENTHS.get(matcher.group(3)) : null;
        if (tenths == null) {
            throw new IllegalArgumentException(
                    key + " is an amount of bytes " + form + ", or " + UNSET + " for no limit, not \"" + value + "\"");
        }
        long bytes;
        try {
            long units = Long.parseLong(matcher.group(1)) * 10
                    + (matcher.group(2) == null ? 0 : Long.parseLong(matcher.group(2)));
            bytes = Math.multiplyExact(units, tenths) / 100;
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(key + " of " + value + " is more than any link can do", e);
        }
        if (bytes <= 0) {
            throw new IllegalArgumentException("a " + key + " of zero is refused: " + zero + ". Use " + UNSET
                    + " for no limit, \"relay off\" to relay nothing, or let the node leave the swarm");
        }
        return Long.toString(bytes);
    }

    /** Every setting, in order. */
    public List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        values.forEach((of, all) -> all.forEach((key, value) -> entries.add(new Entry(of, key, value))));
        entries.sort(Comparator.comparing(Entry::of).thenComparing(Entry::key));
        return entries;
    }

    private @Nullable String value(@Nullable NodeId of, String key) {
        String own =
                of == null ? null : values.getOrDefault(of.toString(), Map.of()).get(key);
        return own != null ? own : values.getOrDefault(DEFAULT, Map.of()).get(key);
    }

    private static @Nullable Long number(@Nullable String value) {
        return value == null ? null : Long.valueOf(value);
    }

    /** Bytes a second to that peer at most, or null. */
    public @Nullable Long rate(NodeId peer, LinkClass way) {
        String own = values.getOrDefault(peer.toString(), Map.of()).get("rate");
        String ofClass = value(null, "rate-" + way.text());
        return number(own != null ? own : ofClass != null ? ofClass : value(null, "rate"));
    }

    /** Bytes a day with that peer alone, or null. */
    public @Nullable Long budget(NodeId peer) {
        return number(values.getOrDefault(peer.toString(), Map.of()).get("budget"));
    }

    /** Bytes a day over all metered links together, or null. */
    public @Nullable Long budget() {
        return number(value(null, "budget"));
    }

    /** Whether this node pays for all it sends. */
    public boolean metered() {
        return "on".equals(value(null, "metered"));
    }

    /** Whether the link to that peer is paid for. */
    public boolean metered(NodeId peer) {
        return "on".equals(value(peer, "metered"));
    }

    /** Whether this node passes on what that peer sends and gets; a node that pays does so only when told. */
    public boolean relays(NodeId peer) {
        String set = value(peer, "relay");
        return set == null ? !metered() : set.equals("on");
    }

    /** Whether that peer may be reached through others when it can't be reached otherwise. */
    public boolean reachedByRelay(NodeId peer) {
        return !"off".equals(values.getOrDefault(peer.toString(), Map.of()).get("relay"));
    }

    /** Whether this node passes on anything. */
    public boolean relays() {
        String set = value(null, "relay");
        return set == null ? !metered() : set.equals("on");
    }

    /** Bytes a second that each pair may send through this node. */
    public long relayRate() {
        Long set = number(value(null, "relay-rate"));
        return set == null ? RELAY_RATE : set;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LinkSettings settings && settings.values.equals(values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }
}
