package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.config.Settings;
import sh.fazt.node.http.Reply;

/** The node itself: health, settings, what changes. Thread-safe. */
public final class SystemApi implements Router.Endpoints {
    private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";

    private final Settings settings;
    private final ChangeEvents events;
    private final Supplier<ObjectNode> health;
    private final Supplier<String> metrics;

    /** @param metrics in the text format of Prometheus */
    public SystemApi(Settings settings, ChangeEvents events, Supplier<ObjectNode> health, Supplier<String> metrics) {
        this.settings = settings;
        this.events = events;
        this.health = health;
        this.metrics = metrics;
    }

    @Override
    public void addTo(Router router) {
        router.add("GET", "/health", Access.ANYONE, call -> call.exchange().reply(Reply.text(200, "OK\n")));
        router.add(
                "GET",
                "/api/system/health",
                Access.OWNER,
                call -> call.exchange().reply(Json.data(200, health.get())));
        router.add(
                "GET",
                "/metrics",
                Access.OWNER,
                call -> call.exchange()
                        .reply(Reply.of(200, METRICS, metrics.get().getBytes(StandardCharsets.UTF_8))));
        router.add("GET", "/api/events", Access.OWNER, call -> events.open(call.exchange()));
        router.add("GET", "/api/config", Access.OWNER, call -> call.exchange().reply(Json.data(200, config())));
        router.add("PUT", "/api/config", Access.OWNER, this::set);
    }

    private ObjectNode config() {
        ArrayNode list = Json.array();
        settings.list()
                .forEach(entry -> list.add(Json.object()
                        .put("key", entry.key())
                        .put("value", entry.value())
                        .put("source", entry.source())
                        .put("default", entry.otherwise())
                        .put("meaning", entry.meaning())));
        return Json.object().set("config", list);
    }

    private void set(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String key = Json.required(body, "key");
        Settings.Entry now = settings.set(key, Json.text(body, "value"));
        call.exchange()
                .reply(Json.data(
                        200,
                        Json.object()
                                .put("key", key)
                                .put("value", now.value())
                                .put("source", now.source())
                                .put("restart", true)));
    }
}
