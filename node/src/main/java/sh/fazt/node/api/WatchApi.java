package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** What happens in the swarm, and whether its members hold the same. Thread-safe. */
public final class WatchApi implements Router.Endpoints {
    /** The oldest makes room. */
    private static final int MOST_STREAMS = 32;

    private final WatchControl watch;
    private final List<Exchange.EventStream> streams = new CopyOnWriteArrayList<>();

    public WatchApi(WatchControl watch) {
        this.watch = watch;
        watch.listen(event -> {
            if (!streams.isEmpty()) {
                String data = form(event).toString();
                streams.removeIf(stream -> !stream.send(event.kind(), data));
            }
        });
    }

    @Override
    public void addTo(Router router) {
        router.add("POST", "/api/swarm/verify", Access.OWNER, this::verify);
        router.add("GET", "/api/swarm/events", Access.OWNER, this::events);
        router.add("GET", "/api/swarm/events/stream", Access.OWNER, this::stream);
    }

    private void verify(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        JsonNode app = body.path("app");
        JsonNode repair = body.path("repair");
        if (!(app.isMissingNode() || app.isTextual()) || !(repair.isMissingNode() || repair.isBoolean())) {
            throw new Problem.Thrown(
                    Kind.INVALID, "VALIDATION_FAILED", "app is a text and repair true or false, not " + body);
        }
        SwarmApi.answer(
                call.exchange(),
                watch.verify(app.isTextual() ? app.textValue() : null, repair.booleanValue()),
                WatchApi::verified);
    }

    private static ObjectNode verified(List<WatchControl.Verified> all) {
        ArrayNode list = Json.array();
        for (WatchControl.Verified one : all) {
            ArrayNode rows = Json.array();
            for (WatchControl.Row row : one.rows()) {
                ArrayNode key = Json.array();
                row.key()
                        .forEach(part -> key.add(
                                part instanceof byte[] bytes
                                        ? Json.object()
                                                .put(
                                                        "base64",
                                                        Base64.getEncoder().encodeToString(bytes))
                                        : Json.tree(part)));
                ObjectNode entry = Json.object().put("table", row.table());
                entry.set("key", key);
                rows.add(entry.put("what", row.what()));
            }
            ObjectNode entry = Json.object()
                    .put("id", one.member().id())
                    .put("name", one.member().name())
                    .put("scope", one.scope())
                    .put("app", one.app())
                    .put("state", one.state());
            entry.set("rows", rows);
            list.add(entry.put("more", one.more())
                    .put("damaged", one.damaged())
                    .put("repaired", one.repaired())
                    .put("why", one.why()));
        }
        ObjectNode data = Json.object();
        data.set("scopes", list);
        return data.put("different", all.stream().anyMatch(WatchControl.Verified::wrong))
                .put("incomplete", all.stream().anyMatch(WatchControl.Verified::incomplete));
    }

    private void events(Call call) {
        String query = call.exchange().query();
        long since = 0;
        if (!query.isEmpty()) {
            if (!query.matches("since=\\d{1,18}")) {
                throw new Problem.Thrown(
                        Kind.INVALID,
                        "VALIDATION_FAILED",
                        "events are asked for with since=N, the number of the last one that is known; not \"" + query
                                + "\"");
            }
            since = Long.parseLong(query.substring("since=".length()));
        }
        List<WatchControl.Event> events = watch.events(since);
        List<WatchControl.Event> all = events.isEmpty() ? watch.events(0) : events;
        ArrayNode list = Json.array();
        events.forEach(event -> list.add(form(event)));
        ObjectNode data = Json.object();
        data.set("events", list);
        call.exchange()
                .reply(Json.data(
                        200,
                        data.put(
                                "last",
                                all.isEmpty() ? 0 : all.get(all.size() - 1).number())));
    }

    private void stream(Call call) {
        if (streams.size() >= MOST_STREAMS) {
            streams.remove(0).close();
        }
        Exchange.EventStream stream = call.exchange().events();
        streams.add(stream);
        // Who reads this misses nothing that happens after.
        List<WatchControl.Event> before = watch.events(0);
        long last = before.isEmpty() ? 0 : before.get(before.size() - 1).number();
        stream.send("open", Json.object().put("last", last).toString());
    }

    private static ObjectNode form(WatchControl.Event event) {
        Named node = event.node();
        ObjectNode form = Json.object()
                .put("number", event.number())
                .put("at", event.at().toString())
                .put("kind", event.kind());
        form.set(
                "node", node == null ? null : Json.object().put("id", node.id()).put("name", node.name()));
        return form.put("what", event.what()).put("why", event.why());
    }
}
