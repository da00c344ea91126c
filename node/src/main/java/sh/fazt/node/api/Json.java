package sh.fazt.node.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
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
        return problem.status() == 503 || problem.status() == 429 ? reply.with("retry-after", "1") : reply;
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
    public static ObjectNode body(Exchange exchange) throws IOException {
        byte[] bytes = exchange.bodyBytes();
        if (bytes.length == 0) {
            return object();
        }
        try {
            if (MAPPER.readTree(bytes) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new Problem.Thrown(
                    400,
                    "INVALID_JSON",
                    "the body is not JSON: " + e.getOriginalMessage() + " at line "
                            + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr());
        }
        throw new Problem.Thrown(400, "INVALID_JSON", "the body is JSON but no object: send {...}");
    }

    /** A text that has to be there. */
    public static String required(ObjectNode body, String field) {
        JsonNode value = body.get(field);
        if (value == null || !value.isTextual() || value.textValue().isEmpty()) {
            throw new Problem.Thrown(400, "MISSING_FIELD", "Required field is missing: " + field + " (a text)");
        }
        return value.textValue();
    }
}
