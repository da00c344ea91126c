package sh.fazt.hosting.document;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.HostingException;

/**
 * JSON as plain objects that may be changed: {@code Map, List, String, Double, Boolean} or null. The same value is
 * always the same text, so that a field that was written again with what it said counts as unchanged.
 */
final class JsonText {
    private static final JsonFactory JSON = new JsonFactory();

    /** Above this not every double is a whole number's own. */
    private static final double MOST_EXACT = 9_007_199_254_740_992d;

    private JsonText() {}

    static @Nullable Object read(String json) {
        try (JsonParser in = JSON.createParser(json)) {
            JsonToken first = in.nextToken();
            if (first == null) {
                throw invalid("an empty text");
            }
            Object value = value(in, first);
            if (in.nextToken() != null) {
                throw invalid("something follows after the value");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw invalid("that is no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new IllegalStateException("memory can be read", e);
        }
    }

    /** @param what for the message, such as {@code a query} */
    static Map<String, @Nullable Object> readObject(String json, String what) {
        if (read(json) instanceof Map<?, ?> map) {
            return asObject(map);
        }
        throw invalid(what + " is an object in braces, not " + brief(json));
    }

    /** Every map here was made by {@link #read}. */
    @SuppressWarnings("unchecked")
    static Map<String, @Nullable Object> asObject(Map<?, ?> map) {
        return (Map<String, @Nullable Object>) map;
    }

    private static @Nullable Object value(JsonParser in, JsonToken token) throws IOException {
        return switch (token) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                while (in.nextToken() == JsonToken.FIELD_NAME) {
                    String name = in.currentName();
                    map.put(name, value(in, in.nextToken()));
                }
                yield map;
            }
            case START_ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                for (JsonToken next = in.nextToken(); next != JsonToken.END_ARRAY; next = in.nextToken()) {
                    list.add(value(in, next));
                }
                yield list;
            }
            case VALUE_STRING -> in.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> in.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw invalid("no value at " + token);
        };
    }

    static String write(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value);
        return out.toString();
    }

    private static void write(StringBuilder out, @Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            String separator = "{";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                out.append(separator);
                quote(out, String.valueOf(entry.getKey()));
                out.append(':');
                write(out, entry.getValue());
                separator = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String separator = "[";
            for (Object item : list) {
                out.append(separator);
                write(out, item);
                separator = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String text) {
            quote(out, text);
        } else if (value instanceof Double number && number == Math.rint(number) && Math.abs(number) <= MOST_EXACT) {
            out.append(number.longValue());
        } else {
            out.append(value);
        }
    }

    /** A half of a surrogate pair is escaped, as it has no UTF-8. */
    static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                out.append(c).append(text.charAt(++i));
            } else if (c < ' ' || Character.isSurrogate(c)) {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /** The beginning of a text, for a message. */
    static String brief(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }

    static String brief(@Nullable Object value) {
        return brief(write(value));
    }

    static HostingException invalid(String message) {
        return new HostingException(HostingException.Reason.INVALID, message);
    }
}
