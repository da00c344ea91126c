package sh.fazt.hosting.document;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.HostingException;

/**
 * Where in a document something stands: {@code title}, {@code author.name}, {@code tags[0]}. Immutable.
 *
 * @param text  as it was given
 * @param steps names ({@code String}) and places in arrays ({@code Integer}); the first is a name
 */
record FieldPath(String text, List<Object> steps) {
    private static final int MOST_STEPS = 50;
    private static final int MOST_DIGITS = 6;

    static FieldPath parse(String text) {
        List<Object> steps = new ArrayList<>();
        int at = 0;
        while (true) {
            int end = at;
            while (end < text.length() && ".[]".indexOf(text.charAt(end)) < 0) {
                end++;
            }
            if (end == at) {
                throw malformed(text);
            }
            steps.add(text.substring(at, end));
            at = end;
            while (at < text.length() && text.charAt(at) == '[') {
                int close = text.indexOf(']', at);
                steps.add(place(text, close < 0 ? "" : text.substring(at + 1, close)));
                at = close + 1;
            }
            if (steps.size() > MOST_STEPS) {
                throw JsonText.invalid(
                        "a path has at most " + MOST_STEPS + " steps, and \"" + JsonText.brief(text) + "\" has more");
            }
            if (at == text.length()) {
                return new FieldPath(text, List.copyOf(steps));
            }
            if (text.charAt(at++) != '.') {
                throw malformed(text);
            }
        }
    }

    private static Integer place(String text, String digits) {
        if (digits.isEmpty() || digits.length() > MOST_DIGITS || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw malformed(text);
        }
        return Integer.valueOf(digits);
    }

    private static HostingException malformed(String text) {
        return JsonText.invalid("\"" + JsonText.brief(text) + "\" names no field: write name, author.name or tags[0]");
    }

    /** The field of the document that it begins with. */
    String field() {
        return (String) steps.get(0);
    }

    /**
     * What stands there; null as well where there is nothing.
     *
     * @param document its fields by name
     */
    @Nullable
    Object get(Function<String, @Nullable Object> document) {
        Object at = document.apply(field());
        for (int i = 1; i < steps.size() && at != null; i++) {
            Object step = steps.get(i);
            if (step instanceof Integer place) {
                at = at instanceof List<?> list && place < list.size() ? list.get(place) : null;
            } else {
                at = at instanceof Map<?, ?> map ? map.get(step) : null;
            }
        }
        return at;
    }

    /** Puts a value there; parents that are missing are made. */
    void set(Map<String, @Nullable Object> document, @Nullable Object value) {
        Object at = document;
        for (int i = 0; i < steps.size() - 1; i++) {
            Object next = child(at, i);
            if (next == null) {
                next = steps.get(i + 1) instanceof Integer
                        ? new ArrayList<@Nullable Object>()
                        : new LinkedHashMap<String, @Nullable Object>();
                put(at, i, next);
            }
            at = next;
        }
        put(at, steps.size() - 1, value);
    }

    /** Takes away what stands there, if anything does; what follows in an array moves up. */
    void remove(Map<String, @Nullable Object> document) {
        Object parent = document;
        for (int i = 0; i < steps.size() - 1; i++) {
            Object step = steps.get(i);
            if (step instanceof Integer place) {
                parent = parent instanceof List<?> list && place < list.size() ? list.get(place) : null;
            } else {
                parent = parent instanceof Map<?, ?> map ? map.get(step) : null;
            }
        }
        Object last = steps.get(steps.size() - 1);
        if (last instanceof Integer place && parent instanceof List<?> list && place < list.size()) {
            list.remove(place.intValue());
        } else if (last instanceof String && parent instanceof Map<?, ?> map) {
            map.remove(last);
        }
    }

    private @Nullable Object child(Object parent, int i) {
        if (steps.get(i) instanceof Integer place) {
            List<@Nullable Object> list = list(parent, place);
            return place < list.size() ? list.get(place) : null;
        }
        return object(parent).get(steps.get(i));
    }

    private void put(Object parent, int i, @Nullable Object value) {
        if (!(steps.get(i) instanceof Integer place)) {
            object(parent).put((String) steps.get(i), value);
        } else if (place < list(parent, place).size()) {
            list(parent, place).set(place, value);
        } else {
            list(parent, place).add(value);
        }
    }

    private Map<String, @Nullable Object> object(Object parent) {
        if (parent instanceof Map<?, ?> map) {
            return JsonText.asObject(map);
        }
        throw JsonText.invalid(
                "\"" + text + "\" can't be set: it leads through " + JsonText.brief(parent) + ", which has no fields");
    }

    @SuppressWarnings("unchecked")
    private List<@Nullable Object> list(Object parent, int place) {
        if (!(parent instanceof List<?> list)) {
            throw JsonText.invalid("\"" + text + "\" can't be set: it leads through " + JsonText.brief(parent)
                    + ", which is no array");
        }
        if (place > list.size()) {
            throw JsonText.invalid("\"" + text + "\" can't be set: the array has " + list.size()
                    + " elements, so the next one is [" + list.size() + "]");
        }
        return (List<@Nullable Object>) list;
    }
}
