package sh.fazt.hosting.document;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an update does to a document, in the order in which it was written: sets values, removes them, adds to numbers.
 * Immutable.
 */
final class DocumentChanges {
    private static final String OPERATORS = "$set, $unset and $inc";

    /** Changes the part of a document that its path leads into. */
    private interface Effect {
        void apply(FieldPath path, Map<String, @Nullable Object> part);
    }

    private record Change(FieldPath path, Effect effect) {}

    private final List<Change> changes = new ArrayList<>();

    private DocumentChanges() {}

    /** Reads changes; fails with {@code INVALID} and what is allowed. */
    static DocumentChanges parse(String json) {
        DocumentChanges changes = new DocumentChanges();
        JsonText.readObject(json, "an update").forEach(changes::add);
        return changes;
    }

    private void add(String name, @Nullable Object value) {
        if (!name.startsWith("$")) {
            set(name, value);
            return;
        }
        switch (name) {
            case "$set" -> named(name, value).forEach(this::set);
            case "$inc" -> named(name, value).forEach(this::increment);
            case "$unset" -> {
                if (value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)) {
                    list.forEach(path -> unset((String) path));
                } else {
                    named(name, value).keySet().forEach(this::unset);
                }
            }
            default ->
                throw JsonText.invalid("unknown operator: " + JsonText.brief(name) + "; an update names fields,"
                        + " such as {done: true}, or uses " + OPERATORS);
        }
    }

    private static Map<String, @Nullable Object> named(String operator, @Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return JsonText.asObject(map);
        }
        throw JsonText.invalid(operator + " requires an object that names fields, such as {" + operator
                + ": {count: 1}}, not " + JsonText.brief(value));
    }

    private void set(String name, @Nullable Object value) {
        if (StoredDocument.isOurs(name)) {
            return; // They come back with a document that was found.
        }
        // Each document gets a value of its own.
        String json = JsonText.write(value);
        changes.add(new Change(path(name), (path, part) -> path.set(part, JsonText.read(json))));
    }

    private void unset(String name) {
        refuseOurs("$unset", name);
        changes.add(new Change(path(name), FieldPath::remove));
    }

    private void increment(String name, @Nullable Object value) {
        refuseOurs("$inc", name);
        if (!(value instanceof Double by)) {
            throw JsonText.invalid(
                    "the $inc of \"" + name + "\" requires a number to add, not " + JsonText.brief(value));
        }
        changes.add(new Change(path(name), (path, part) -> {
            Object before = path.get(part::get);
            if (before != null && !(before instanceof Double)) {
                throw JsonText.invalid("\"" + name + "\" can't be incremented: it holds " + JsonText.brief(before)
                        + ", which is no number; $set it to one first");
            }
            double sum = by + (before instanceof Double number ? number : 0);
            if (Double.isInfinite(sum)) {
                throw JsonText.invalid("\"" + name + "\" can't be incremented by " + by
                        + ": the sum is beyond what a number can hold");
            }
            path.set(part, sum);
        }));
    }

    private static void refuseOurs(String operator, String name) {
        if (StoredDocument.isOurs(name)) {
            throw JsonText.invalid(operator + " of \"" + name + "\": it belongs to the store and does not change");
        }
    }

    private static FieldPath path(String name) {
        FieldPath path = FieldPath.parse(name);
        StoredDocument.checkField(path.field());
        return path;
    }

    /**
     * The fields that are changed, as JSON; null removes.
     *
     * @param document its fields as JSON by name; null where there is none
     */
    Map<String, @Nullable String> apply(Function<String, @Nullable String> document) {
        Set<String> names = new LinkedHashSet<>();
        Map<String, @Nullable Object> part = new LinkedHashMap<>();
        for (Change change : changes) {
            String name = change.path().field();
            String json = names.add(name) ? document.apply(name) : null;
            if (json != null) {
                part.put(name, JsonText.read(json));
            }
            change.effect().apply(change.path(), part);
        }
        Map<String, @Nullable String> changed = new LinkedHashMap<>();
        names.forEach(name -> changed.put(name, part.containsKey(name) ? JsonText.write(part.get(name)) : null));
        return changed;
    }
}
