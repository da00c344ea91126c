package sh.fazt.node.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import sh.fazt.node.api.Json;
import sh.fazt.node.http.HttpServer;
import sh.fazt.runtime.RuntimeStatus;

class ConditionTest {
    private static Condition condition(List<String> complaints) {
        return new Condition(
                "home",
                "1.2",
                Instant.ofEpochSecond(100),
                Instant.ofEpochSecond(160),
                Json.object().put("path", "data.db"),
                complaints,
                -2500,
                5L << 20,
                64L << 20,
                new HttpServer.Status(3, 10, 5, 2, 1, 4),
                new RuntimeStatus(1, 2, 3, 1, 4, 50, 6, 7, 8));
    }

    @Test
    void saysWhatIsWrong() {
        assertThat(condition(List.of()).health().get("status").asText()).isEqualTo("healthy");

        assertThat(condition(List.of("the disk is full")).health().toString())
                .startsWith("{\"status\":\"degraded\",\"node\":\"home\",\"version\":\"1.2\",\"uptime_seconds\":60,"
                        + "\"reasons\":[\"the disk is full\"],\"memory\":{\"used_mb\":5,\"limit_mb\":64}");
    }

    @Test
    void countsForPrograms() {
        String metrics = condition(List.of("x")).metrics();

        assertThat(metrics.lines().filter(line -> !line.startsWith("#")))
                .contains(
                        "fazt_up_seconds 60",
                        "fazt_healthy 0",
                        "fazt_clock_offset_seconds -2.5",
                        "fazt_http_connections 3",
                        "fazt_http_ready_requests_total 10",
                        "fazt_http_refused_requests_total 2",
                        "fazt_runtime_invocations_total 50")
                .allMatch(line -> line.matches("fazt_[a-z_]+ -?[0-9]+(\\.[0-9]+)?"));
        assertThat(metrics).contains("# TYPE fazt_http_connections gauge\n");
    }
}
