package sh.fazt.runtime;

import java.util.List;
import java.util.Objects;

/**
 * One HTTP request, as a script is to see it. The caller has already removed what an app must not see (cookies of the
 * control plane). Immutable by agreement: {@code body} is not copied and must not be written to afterwards.
 *
 * @param method upper case
 * @param path the decoded path, {@code /api/items/7}
 * @param query the raw query without the question mark, or empty
 * @param headers in the order they came; a repeated name keeps its first value
 * @param body the whole body, empty when there is none
 * @param scheme {@code http} or {@code https}
 * @param host the Host header without its port
 * @param ip the visitor's address
 */
@SuppressWarnings("ArrayRecordComponent") // a copy of each body would cost more than the agreement
public record Request(
        String method,
        String path,
        String query,
        List<Header> headers,
        byte[] body,
        String scheme,
        String host,
        String ip) {
    public Request {
        Objects.requireNonNull(method);
        Objects.requireNonNull(path);
        Objects.requireNonNull(query);
        headers = List.copyOf(headers);
        Objects.requireNonNull(body);
        Objects.requireNonNull(scheme);
        Objects.requireNonNull(host);
        Objects.requireNonNull(ip);
    }
}
