package sh.fazt.node.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;
import sh.fazt.node.http.Reply;

/** The envelope of the REST surface, and what is in it. Thread-safe. */
public final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /** {@code {"data": ...}}. */
    public static Reply data(int status, JsonNode data) {
        return reply(status, object().set("data", data));
    }

    /** {@code {"error": {"code", "message", "details"?}}}. */
    public static Reply error(Problem problem) {
        ObjectNode error = object().put("code", problem.code()).put("message", problem.message());
        if (!problem.details().isEmpty()) {
            error.set("details", MAPPER.valueToTree(problem.details()));
        }
        Reply reply = reply(problem.status(), object().set("error", error));
        return problem.kind().retry() ? reply.with("retry-after", "1") : reply;
    }

    private static Reply reply(int status, JsonNode document) {
        try {
            byte[] bytes =
                    (MAPPER.writeValueAsString(document) + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
            return Reply.json(status, bytes).with("cache-control", "no-store");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can be written", e);
        }
    }

    /** The body as an object; {@code INVALID_JSON} when it is none. */
    static ObjectNode body(Exchange exchange) throws IOException {
        String type = exchange.header("content-type");
        if (type != null && !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
            throw new Problem.Thrown(
                    Kind.UNSUPPORTED, "UNSUPPORTED_MEDIA_TYPE", "the body has to be application/json, not " + type);
        }
        byte[] bytes = exchange.bodyBytes();
        return bytes.length == 0 ? object() : parse(bytes);
    }

    /** A text as an object; {@code INVALID_JSON} when it is none. */
    static ObjectNode parse(byte[] bytes) throws IOException {
        try {
            if (MAPPER.readTree(bytes) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "INVALID_JSON",
                    "that is not JSON: " + e.getOriginalMessage() + " at line "
                            + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr());
        }
        throw new Problem.Thrown(Kind.INVALID, "INVALID_JSON", "that is JSON but no object: send {...}");
    }

    /** Any value of ours as a tree. */
    static JsonNode tree(@Nullable Object value) {
        return MAPPER.valueToTree(value);
    }

    /** A text that has to be there, empty or not; a number or a truth is taken as it is written. */
    static String text(ObjectNode body, String field) {
        JsonNode value = body.get(field);
        if (value == null || !value.isValueNode() || value.isNull()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: " + field + " (a text)");
        }
        return value.asText();
    }

    /** A text that has to be there. */
    static String required(ObjectNode body, String field) {
        JsonNode value = body.get(field);
        if (value == null || !value.isTextual() || value.textValue().isEmpty()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: " + field + " (a text)");
        }
        return value.textValue();
    }
}
