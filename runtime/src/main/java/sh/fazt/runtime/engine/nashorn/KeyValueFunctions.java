package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.argument;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.isNothing;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import sh.fazt.runtime.binding.KeyValues;

/** {@code fazt.app.kv}: values are JSON, calls answer when the data is stored. Confined to the realm's thread. */
final class KeyValueFunctions {
    private static final int LONGEST_KEY = 1_024;
    private static final double MOST_EXACT = 9_007_199_254_740_991d;

    private final KeyValues keyValues;
    private final String appId;
    private final Shapes shapes;
    private final Shapes.Shape entry;
    private final Shapes.Shape expiringEntry;
    private final Answers answers;

    KeyValueFunctions(KeyValues keyValues, String appId, Shapes shapes, Answers answers) {
        this.answers = answers;
        this.shapes = shapes;
        this.entry = shapes.of("key", "value");
        this.expiringEntry = shapes.of("key", "value", "expiresAt");
        this.keyValues = keyValues;
        this.appId = appId;
    }

    void install(ScriptObject target) {
        define(target, "get", (self, arguments) -> {
            String key = key("get", arguments);
            return await("get", key, keyValues.get(appId, key)).map(this::parse).orElse(UNDEFINED);
        });
        define(target, "set", (self, arguments) -> {
            String key = key("set", arguments);
            String json = json(key, argument(arguments, 1));
            await("set", key, keyValues.set(appId, key, json, ttl(key, argument(arguments, 2))));
            return UNDEFINED;
        });
        define(target, "delete", (self, arguments) -> {
            String key = key("delete", arguments);
            await("delete", key, keyValues.delete(appId, key));
            return UNDEFINED;
        });
        define(target, "list", (self, arguments) -> {
            Object prefix = argument(arguments, 0);
            return array(await("list", "", keyValues.list(appId, isNothing(prefix) ? "" : JSType.toString(prefix))));
        });
        define(target, "incr", (self, arguments) -> {
            String key = key("incr", arguments);
            Object by = argument(arguments, 1);
            double step = by == UNDEFINED ? 1 : JSType.toNumber(by);
            if (step != Math.rint(step) || Math.abs(step) > MOST_EXACT) {
                throw HostFunctions.typeError(
                        "fazt.app.kv.incr of '" + key + "' needs a whole number to add, not " + JSType.toString(by));
            }
            long value = await("incr", key, keyValues.increment(appId, key, (long) step));
            return Answers.number(value);
        });
    }

    private static String key(String name, Object[] arguments) {
        Object key = argument(arguments, 0);
        if (isNothing(key)) {
            throw HostFunctions.typeError("fazt.app.kv." + name + " needs a key as its first argument");
        }
        String text = JSType.toString(key);
        if (text.isEmpty() || text.length() > LONGEST_KEY) {
            throw HostFunctions.typeError("fazt.app.kv." + name + " needs a key of 1 to " + LONGEST_KEY
                    + " characters, this one has " + text.length());
        }
        return text;
    }

    private String json(String key, Object value) {
        Object json = JsonWriter.write(value, shapes);
        if (json == UNDEFINED || json == null) {
            throw HostFunctions.typeError(
                    "fazt.app.kv.set of '" + key + "' needs a value that JSON can hold; use delete to remove a key");
        }
        return json.toString();
    }

    private static Optional<Duration> ttl(String key, Object value) {
        if (isNothing(value)) {
            return Optional.empty();
        }
        double millis = JSType.toNumber(value);
        if (!(millis >= 1) || millis > MOST_EXACT) {
            throw HostFunctions.typeError("fazt.app.kv.set of '" + key
                    + "' needs a time to live of at least 1 millisecond, not " + JSType.toString(value));
        }
        return Optional.of(Duration.ofMillis((long) millis));
    }

    private Object parse(String json) {
        return JsonReader.read(json, shapes);
    }

    private Object array(List<KeyValues.Entry> entries) {
        Object[] items = new Object[entries.size()];
        for (int i = 0; i < items.length; i++) {
            KeyValues.Entry entry = entries.get(i);
            Object value = parse(entry.json());
            items[i] = entry.expiresAtMillis().isPresent()
                    ? shapes.make(expiringEntry, new Object[] {
                        entry.key(), value, (double) entry.expiresAtMillis().getAsLong()
                    })
                    : shapes.make(this.entry, new Object[] {entry.key(), value});
        }
        return Global.allocate(items);
    }

    private <T> T await(String name, String key, CompletionStage<T> stage) {
        return answers.await("fazt.app.kv." + name + (key.isEmpty() ? "" : " of '" + key + "'"), stage);
    }
}
