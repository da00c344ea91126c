package sh.fazt.node.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A response. Immutable; {@code with} makes another. Date and framing are the connection's. */
public record Reply(int status, List<String> headers, Content content) {
    /** @param headers name, value, name, value... */
    public Reply {
        headers = List.copyOf(headers);
    }

    public static Reply of(int status, String type, byte[] body) {
        return new Reply(status, List.of("content-type", type), Content.of(body));
    }

    public static Reply text(int status, String body) {
        return of(status, "text/plain; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }

    public static Reply json(int status, byte[] body) {
        return of(status, "application/json", body);
    }

    public static Reply empty(int status) {
        return new Reply(status, List.of(), Content.of(new byte[0]));
    }

    /** The same with one more header. */
    public Reply with(String name, String value) {
        List<String> more = new ArrayList<>(headers);
        more.add(name);
        more.add(value);
        return new Reply(status, more, content);
    }
}
