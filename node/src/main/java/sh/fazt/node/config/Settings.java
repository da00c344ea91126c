package sh.fazt.node.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/**
 * The node's settings. Precedence: default, then cartridge, then environment ({@code FAZT_*}), then flag. What
 * the cartridge keeps takes effect at the next start. Thread-safe.
 */
public final class Settings {
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
        DOMAIN("domain", "localhost", "where the sites live"),
        FUNCTION_SECONDS("function-seconds", "5", "how long a function may take");

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
    }

    /** A setting as it stands. */
    public record Entry(String key, String value, String source, String otherwise, String meaning) {}

    private final Cartridge cartridge;
    private final Map<String, String> flags;
    private final Map<String, String> environment;

    public Settings(Cartridge cartridge, Map<String, String> flags, Map<String, String> environment) {
        this.cartridge = cartridge;
        this.flags = Map.copyOf(flags);
        this.environment = environment;
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
        String variable = "FAZT_" + key.text.toUpperCase(Locale.ROOT).replace('-', '_');
        String kept = cartridge
                .read(rows -> rows.first("SELECT value FROM setting WHERE name = ?", row -> row.text(0), key.text))
                .orElse(null);
        put(candidates, "flag", flag);
        put(candidates, "environment", environment.get(variable));
        put(candidates, "cartridge", kept);
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
        Key nearest = null;
        int most = 0;
        for (Key key : Key.values()) {
            if (key.text.equals(name)) {
                return key;
            }
            int common = 0;
            while (common < Math.min(name.length(), key.text.length())
                    && name.charAt(common) == key.text.charAt(common)) {
                common++;
            }
            if (common > most) {
                most = common;
                nearest = key;
            }
        }
        throw invalid("there is no setting \"" + name + "\""
                + (nearest == null ? "" : "; did you mean \"" + nearest.text + "\"?") + " See \"fazt config list\"");
    }

    private static void check(Key key, String value) {
        switch (key) {
            case PORT, SWARM_PORT -> range(key, value, 0, 65535);
            case FUNCTION_SECONDS -> range(key, value, 1, 60);
            case BIND, NAME -> {
                if (value.length() > 253 || value.chars().anyMatch(c -> c < 0x20)) {
                    throw invalid(key.text + " is at most 253 characters without control characters");
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
