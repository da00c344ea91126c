package sh.fazt.node.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/**
 * The node's settings. Precedence: default, then cartridge, then environment ({@code FAZT_*}), then flag. What
 * the cartridge keeps takes effect at the next start. Thread-safe.
 */
public final class Settings {
    private static final Logger LOG = LoggerFactory.getLogger(Settings.class);
    private static final String PREFIX = "FAZT_";
    /** Variables of the launcher and the command, which are no settings of a node. */
    private static final Set<String> OTHERS = Set.of(
            "FAZT_DB",
            "FAZT_JAVA",
            "FAZT_JAVA_OPTIONS",
            "FAZT_HEAP",
            "FAZT_CACHE",
            "FAZT_ARCHIVE",
            "FAZT_ARCHIVE_OUT",
            "FAZT_DEBUG");

    private static final int MOST_COMPARED = 64;

    /** What this room keeps: this node's own settings. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "config",
            List.of("CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"),
            List.of());

    /** Every setting there is. */
    public enum Key {
        PORT("port", "8080", "HTTP port, 0 for any free one"),
        SWARM_PORT("swarm-port", "5698", "port of the links to other nodes, 0 for any free one"),
        BIND("bind", "127.0.0.1", "address to listen on"),
        NAME("name", "", "what to call this node; the machine's name when empty"),
        DISCOVERY("discovery", "on", "announce this node on its local networks, and find others there: on or off"),
        PORT_MAPPING("port-mapping", "on", "ask the router for a port that leads here: on or off"),
        DOMAIN("domain", "localhost", "where the sites live"),
        FUNCTION_SECONDS("function-seconds", "5", "how long a function may take, in seconds"),
        FUNCTION_BODY("function-body-mib", "10", "the longest body that a function takes, in MiB"),
        READY("ready-mib", "32", "memory for responses that are kept ready, in MiB");

        private final String text;
        private final String otherwise;
        private final String meaning;

        Key(String text, String otherwise, String meaning) {
            this.text = text;
            this.otherwise = otherwise;
            this.meaning = meaning;
        }

        public String text() {
            return text;
        }

        /** The environment variable that sets it. */
        String variable() {
            return PREFIX + text.toUpperCase(Locale.ROOT).replace('-', '_');
        }
    }

    /** A setting as it stands. */
    public record Entry(String key, String value, String source, String otherwise, String meaning) {}

    private final Cartridge cartridge;
    private final Map<String, String> flags;
    private final Map<String, String> environment;

    /** Fails with {@code VALIDATION_FAILED} when a flag or a variable can't be. */
    public Settings(Cartridge cartridge, Map<String, String> flags, Map<String, String> environment) {
        this.cartridge = cartridge;
        this.flags = Map.copyOf(flags);
        this.environment = Map.copyOf(environment);
        for (Key key : Key.values()) {
            checkGiven(key, "--" + key.text, this.flags.get(key.text));
            checkGiven(key, key.variable(), this.environment.get(key.variable()));
        }
        this.environment.keySet().stream()
                .filter(name -> name.startsWith(PREFIX) && !OTHERS.contains(name))
                .filter(name ->
                        Stream.of(Key.values()).noneMatch(key -> key.variable().equals(name)))
                .forEach(name -> LOG.warn(
                        "no setting is named so variable={} nearest={}",
                        name,
                        nearest(name.substring(PREFIX.length())
                                        .toLowerCase(Locale.ROOT)
                                        .replace('_', '-'))
                                .variable()));
    }

    /** What this start was told is checked now, so that its mistake is named now. */
    private static void checkGiven(Key key, String where, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            try {
                check(key, value);
            } catch (Problem.Thrown e) {
                throw invalid(where + ": " + e.getMessage());
            }
        }
    }

    public String get(Key key) {
        return entry(key).value();
    }

    /** A setting that is a number, checked when it was set. */
    public int number(Key key) {
        String value = get(key);
        check(key, value);
        return Integer.parseInt(value);
    }

    /** A setting that is on or off. */
    public boolean on(Key key) {
        String value = get(key);
        check(key, value);
        return value.equals("on");
    }

    public List<Entry> list() {
        List<Entry> entries = new ArrayList<>();
        for (Key key : Key.values()) {
            entries.add(entry(key));
        }
        return entries;
    }

    private Entry entry(Key key) {
        Map<String, String> candidates = new LinkedHashMap<>();
        String flag = flags.get(key.text);
        Optional<String> kept = cartridge.read(
                rows -> rows.first("SELECT value FROM setting WHERE name = ?", row -> row.text(0), key.text));
        put(candidates, "flag", flag);
        put(candidates, "environment", environment.get(key.variable()));
        put(candidates, "cartridge", kept.orElse(null));
        put(candidates, "default", key.otherwise);
        Map.Entry<String, String> first = candidates.entrySet().iterator().next();
        return new Entry(key.text, first.getValue(), first.getKey(), key.otherwise, key.meaning);
    }

    private static void put(Map<String, String> candidates, String source, @Nullable String value) {
        if (value != null && (!value.isEmpty() || source.equals("default"))) {
            candidates.put(source, value);
        }
    }

    /** Keeps a value for the next start and answers what is in effect then; fails with {@code VALIDATION_FAILED}. */
    public Entry set(String name, String value) {
        Key key = find(name);
        check(key, value);
        try {
            cartridge
                    .writeLocal(tx -> tx.execute(
                            "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                            key.text,
                            value))
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
        return entry(key);
    }

    private static Key find(String name) {
        for (Key key : Key.values()) {
            if (key.text.equals(name)) {
                return key;
            }
        }
        throw invalid("there is no setting \"" + name + "\"; did you mean \"" + nearest(name).text
                + "\"? See \"fazt config list\"");
    }

    private static Key nearest(String name) {
        Key nearest = Key.PORT;
        int least = Integer.MAX_VALUE;
        for (Key key : Key.values()) {
            int distance = distance(name, key.text);
            if (distance < least) {
                least = distance;
                nearest = key;
            }
        }
        return nearest;
    }

    /** How many letters have to be put in, taken out or changed (Levenshtein), of the first so many. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= Math.min(a.length(), MOST_COMPARED); i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = corner + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                corner = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }

    private static void check(Key key, String value) {
        switch (key) {
            case PORT, SWARM_PORT -> range(key, value, 0, 65535);
            case FUNCTION_SECONDS -> range(key, value, 1, 60);
            case FUNCTION_BODY -> range(key, value, 1, 32);
            case READY -> range(key, value, 1, 1024);
            case BIND, NAME -> {
                if (value.length() > 253 || value.chars().anyMatch(c -> c < 0x20)) {
                    throw invalid(key.text + " is at most 253 characters without control characters");
                }
            }
            case DISCOVERY, PORT_MAPPING -> {
                if (!value.equals("on") && !value.equals("off")) {
                    throw invalid(key.text + " is on or off, not \"" + value + "\"");
                }
            }
            case DOMAIN -> {
                if (!value.matches("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")) {
                    throw invalid("domain is a host name such as example.org, in lower case and without a port; not \""
                            + value + "\"");
                }
            }
        }
    }

    private static void range(Key key, String value, int least, int most) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return;
            }
        } catch (NumberFormatException e) {
            // Said below, in the same words.
        }
        throw invalid(key.text + " is a number from " + least + " to " + most + ", not \"" + value + "\"");
    }

    private static Problem.Thrown invalid(String message) {
        return new Problem.Thrown(Kind.INVALID, "VALIDATION_FAILED", message);
    }
}
