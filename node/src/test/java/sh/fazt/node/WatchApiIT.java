package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.node.http.Wire;

class WatchApiIT {
    @TempDir
    Path folder;

    private Surface surface;

    @BeforeEach
    void start() {
        surface = new Surface(folder, Map.of());
    }

    @AfterEach
    void stop() {
        surface.close();
    }

    @Test
    void verifySaysWhatDiffers() throws Exception {
        JsonNode data = surface.data("POST", "/api/swarm/verify", "{\"app\": \"shop\"}");
        assertThat(data.get("different").booleanValue()).isTrue();
        assertThat(data.at("/scopes/0/app").textValue()).isEqualTo("shop");
        assertThat(data.at("/scopes/0/state").textValue()).isEqualTo("different");
        assertThat(data.at("/scopes/0/rows/0/key").toString()).isEqualTo("[\"a\",7,{\"base64\":\"AQ==\"}]");
        surface.watch.repaired = true;
        data = surface.data("POST", "/api/swarm/verify", "{\"repair\": true}");
        assertThat(data.get("different").booleanValue()).isFalse();
        assertThat(surface.watch.calls).containsExactly("verify shop false", "verify null true");
        assertThat(surface.local("POST", "/api/swarm/verify", "{\"repair\": 1}").status())
                .isEqualTo(400);
    }

    @Test
    void eventsAreListedFromWhereTheReaderIs() throws Exception {
        assertThat(surface.data("GET", "/api/swarm/events", "").get("last").longValue())
                .isZero();
        surface.watch.happen("link-up");
        surface.watch.happen("alarm");
        JsonNode data = surface.data("GET", "/api/swarm/events?since=1", "");
        assertThat(data.get("events")).hasSize(1);
        assertThat(data.at("/events/0/kind").textValue()).isEqualTo("alarm");
        assertThat(data.at("/events/0/node/name").textValue()).isEqualTo("phone");
        assertThat(data.get("last").longValue()).isEqualTo(2);
        assertThat(surface.local("GET", "/api/swarm/events?since=x", "").status())
                .isEqualTo(400);
    }

    @Test
    void eventsStream() throws Exception {
        try (Wire wire = surface.wire()) {
            wire.send("GET /api/swarm/events/stream HTTP/1.1\r\nHost: " + Surface.ADMIN + "\r\nAuthorization: Bearer "
                    + Surface.TOKEN + "\r\n\r\n");
            assertThat(wire.line()).isEqualTo("HTTP/1.1 200 OK");
            assertThat(wire.head()).containsEntry("content-type", "text/event-stream");
            assertThat(wire.line()).isEqualTo("event: open");
            assertThat(wire.line()).isEqualTo("data: {\"last\":0}");
            wire.line();
            surface.watch.happen("leader");
            assertThat(wire.line()).isEqualTo("event: leader");
        }
    }
}
