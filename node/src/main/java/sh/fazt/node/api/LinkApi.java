package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Named;

/** This node's links. Thread-safe. */
public final class LinkApi implements Router.Endpoints {
    private final LinkControl links;

    public LinkApi(LinkControl links) {
        this.links = links;
    }

    @Override
    public void addTo(Router router) {
        router.add(
                "GET",
                "/api/swarm/links",
                Access.OWNER,
                call -> call.exchange().reply(Json.data(200, form(links.links()))));
        router.add("PUT", "/api/swarm/links/settings", Access.OWNER, this::set);
    }

    private void set(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String peer = Json.required(body, "peer");
        String key = Json.required(body, "key");
        String value = Json.required(body, "value");
        SwarmApi.answer(call.exchange(), links.set(peer, key, value), LinkApi::form);
    }

    private static ObjectNode form(LinkControl.Links all) {
        ArrayNode list = Json.array();
        for (LinkControl.Link link : all.links()) {
            Duration roundTrip = link.roundTrip();
            ObjectNode one = Json.object()
                    .put("id", link.peer().id())
                    .put("name", link.peer().name())
                    .put("up", link.up())
                    .put("class", link.linkClass());
            one.set("via", named(link.via()));
            one.put("address", link.address())
                    .put("dialled", link.dialled())
                    .put("rtt_ms", roundTrip == null ? null : Math.round(roundTrip.toNanos() / 10_000.0) / 100.0)
                    .put("clock_offset_ms", link.clockOffsetMillis())
                    .put("sent_bytes", link.sentBytes())
                    .put("received_bytes", link.receivedBytes())
                    .put("sent_bytes_per_second", link.sentRate())
                    .put("received_bytes_per_second", link.receivedRate())
                    .put("rate_limit", link.rateLimit())
                    .put("budget_left", link.budgetLeft())
                    .put("faults", link.faults())
                    .put("last_error", link.lastError());
            list.add(one);
        }
        ArrayNode settings = Json.array();
        all.settings()
                .forEach(setting -> settings.add(Json.object()
                        .put("peer", setting.of().id())
                        .put("name", setting.of().name())
                        .put("key", setting.key())
                        .put("value", setting.value())));
        ObjectNode data = Json.object();
        data.set("links", list);
        data.set("settings", settings);
        data.set("held_back", SwarmApi.heldBack(all.heldBack()));
        return data;
    }

    private static @Nullable ObjectNode named(@Nullable Named named) {
        return named == null ? null : Json.object().put("id", named.id()).put("name", named.name());
    }
}
