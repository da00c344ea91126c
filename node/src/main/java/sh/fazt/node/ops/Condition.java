package sh.fazt.node.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import sh.fazt.node.api.Json;
import sh.fazt.node.http.HttpServer;
import sh.fazt.runtime.RuntimeStatus;

/**
 * The node's condition at one moment. Immutable.
 *
 * @param database   the cartridge: where it is, how large, and what was removed from it
 * @param complaints what is not as it should be, in words for the owner; empty when all is well
 * @param clockOffsetMillis what would have to be added to this machine's clock
 * @param heapBytes  used, of {@code mostHeapBytes}
 */
public record Condition(
        String node,
        String version,
        Instant started,
        Instant now,
        ObjectNode database,
        List<String> complaints,
        long clockOffsetMillis,
        long heapBytes,
        long mostHeapBytes,
        HttpServer.Status http,
        RuntimeStatus runtime) {
    public Condition {
        complaints = List.copyOf(complaints);
    }

    /** For the owner: {@code degraded} with the reasons, or {@code healthy}. */
    public ObjectNode health() {
        ObjectNode health = Json.object()
                .put("status", complaints.isEmpty() ? "healthy" : "degraded")
                .put("node", node)
                .put("version", version)
                .put("uptime_seconds", Duration.between(started, now).toSeconds());
        ArrayNode reasons = Json.array();
        complaints.forEach(reasons::add);
        health.set("reasons", reasons);
        health.set("memory", Json.object().put("used_mb", heapBytes >> 20).put("limit_mb", mostHeapBytes >> 20));
        health.set("database", database);
        health.set(
                "http",
                Json.object()
                        .put("connections", http.connections())
                        .put("requests", http.ready() + http.handled())
                        .put("overloaded", http.overloaded()));
        health.set(
                "functions",
                Json.object()
                        .put("running", runtime.running())
                        .put("waiting", runtime.waiting())
                        .put("invocations", runtime.invocations()));
        return health;
    }

    /** For programs, in the text format of Prometheus. */
    public String metrics() {
        StringBuilder text = new StringBuilder();
        gauge(
                text,
                "fazt_up_seconds",
                "Since the node started.",
                Duration.between(started, now).toSeconds());
        gauge(text, "fazt_healthy", "1 while nothing is complained of.", complaints.isEmpty() ? 1 : 0);
        metric(
                text,
                "fazt_clock_offset_seconds",
                "What would have to be added to this machine's clock.",
                "gauge",
                clockOffsetMillis / 1000.0);
        gauge(text, "fazt_heap_bytes", "Heap in use.", heapBytes);
        gauge(text, "fazt_http_connections", "Open connections.", http.connections());
        counter(text, "fazt_http_ready_requests_total", "Answered from a ready response.", http.ready());
        counter(text, "fazt_http_handled_requests_total", "Answered by a handler.", http.handled());
        counter(text, "fazt_http_refused_requests_total", "Broke a rule or a limit.", http.refused());
        counter(text, "fazt_http_overloaded_requests_total", "Found no room.", http.overloaded());
        counter(text, "fazt_http_timed_out_connections_total", "Ended because nothing moved.", http.timedOut());
        gauge(text, "fazt_runtime_running", "Functions that run.", runtime.running());
        gauge(text, "fazt_runtime_waiting", "Calls that wait for a worker.", runtime.waiting());
        counter(text, "fazt_runtime_invocations_total", "Functions ever started.", runtime.invocations());
        counter(text, "fazt_runtime_stopped_total", "Ended by their budget.", runtime.stopped());
        counter(text, "fazt_runtime_abandoned_total", "Workers that had to be replaced.", runtime.abandoned());
        counter(text, "fazt_runtime_refused_total", "Calls refused because too many waited.", runtime.refused());
        return text.toString();
    }

    private static void gauge(StringBuilder text, String name, String help, long value) {
        metric(text, name, help, "gauge", value);
    }

    private static void counter(StringBuilder text, String name, String help, long value) {
        metric(text, name, help, "counter", value);
    }

    private static void metric(StringBuilder text, String name, String help, String type, Number value) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        text.append(name).append(' ').append(value).append('\n');
    }
}
