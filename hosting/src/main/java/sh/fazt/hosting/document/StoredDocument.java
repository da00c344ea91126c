package sh.fazt.hosting.document;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.hosting.HostingException;

/**
 * A document as its row has it. Its fields are those of the row, as JSON texts, and one more: {@link #CREATED}, a
 * number that says when it was made and that two documents of one node never share. When it was changed last is the
 * row's clock, as a field for that would be a conflict of any two changes. Immutable.
 *
 * @param fields by name; JSON texts but for {@link #CREATED}
 */
record StoredDocument(String id, Map<String, @Nullable Object> fields, long written) {
    static final String CREATED = "_createdAt";
    static final String UPDATED = "_updatedAt";

    /** A document travels and is compared whole. */
    static final int MOST_BYTES = 1 << 20;

    static final int MOST_FIELD_NAME = 256;

    /** What {@link #of} reads. */
    static final String COLUMNS = "id, fields, written";

    static StoredDocument of(Rows.ResultRow row) {
        return new StoredDocument(row.text(0), Document.fields(row.bytesOrNull(1)), row.integer(2));
    }

    /** Whether a name is one of those that the store adds to what it answers. */
    static boolean isOurs(String name) {
        return name.equals(DocumentQuery.ID) || name.equals(CREATED) || name.equals(UPDATED);
    }

    static void checkField(String name) {
        if (name.isEmpty() || name.length() > MOST_FIELD_NAME) {
            throw JsonText.invalid("a field's name has 1 to " + MOST_FIELD_NAME + " characters, not " + name.length()
                    + ": " + JsonText.brief((Object) name));
        }
        if (name.equals(Document.FIELDS)) {
            throw JsonText.invalid("no field is named " + name + ": that is where the store keeps its clocks");
        }
        if (!isProper(name)) {
            throw JsonText.invalid(
                    "a field's name is proper Unicode text without NUL: " + JsonText.brief((Object) name) + " is not");
        }
    }

    static boolean isProper(String text) {
        return text.indexOf('\0') < 0 && StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    /** Where it stands among the others of its collection; a document of a newer node may have none. */
    long created() {
        return fields.get(CREATED) instanceof Long created ? created : written;
    }

    @Nullable
    String json(String name) {
        return fields.get(name) instanceof String json ? json : null;
    }

    /** What a field says; null as well where there is none. */
    @Nullable
    Object value(String name) {
        return switch (name) {
            case DocumentQuery.ID -> id;
            case CREATED -> (double) new Hlc(created()).unixMillis();
            case UPDATED -> (double) new Hlc(written).unixMillis();
            default -> {
                String json = json(name);
                yield json == null ? null : JsonText.read(json);
            }
        };
    }

    /** About how many bytes it takes. */
    long size() {
        return fields.values().stream()
                .mapToLong(value -> value instanceof String json ? json.length() : 9)
                .sum();
    }

    /** Fails with {@code TOO_LARGE} if it will be larger than may be. */
    void checkChanged(Map<String, @Nullable String> changes) {
        Map<String, @Nullable Object> after = new LinkedHashMap<>(fields);
        after.putAll(changes);
        checkSize(id, after);
    }

    static void checkSize(String id, Map<String, ? extends @Nullable Object> fields) {
        long bytes = 0;
        for (Map.Entry<String, ? extends @Nullable Object> field : fields.entrySet()) {
            if (field.getValue() instanceof String json) {
                bytes += field.getKey().length() + json.getBytes(StandardCharsets.UTF_8).length;
            }
        }
        if (bytes > MOST_BYTES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    "the document \"" + id + "\" would have " + bytes + " bytes as JSON; the limit is " + MOST_BYTES
                            + " (1 MiB)");
        }
    }

    /** As scripts see it. */
    String text() {
        StringBuilder out = new StringBuilder("{\"id\":");
        JsonText.quote(out, id);
        fields.forEach((name, value) -> {
            if (value instanceof String json) {
                out.append(',');
                JsonText.quote(out, name);
                out.append(':').append(json);
            }
        });
        return out.append(",\"_createdAt\":")
                .append(new Hlc(created()).unixMillis())
                .append(",\"_updatedAt\":")
                .append(new Hlc(written).unixMillis())
                .append('}')
                .toString();
    }
}
