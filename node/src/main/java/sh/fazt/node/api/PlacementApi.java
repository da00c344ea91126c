package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/** Where apps are kept, and the labels that they are placed by. Thread-safe. */
public final class PlacementApi implements Router.Endpoints {
    private final PlacementControl placement;

    public PlacementApi(PlacementControl placement) {
        this.placement = placement;
    }

    @Override
    public void addTo(Router router) {
        router.add(
                "GET",
                "/api/swarm/placement",
                Access.OWNER,
                call -> SwarmApi.answer(call.exchange(), placement.placements(), PlacementApi::form));
        router.add("PUT", "/api/swarm/placement", Access.OWNER, this::place);
        router.add("PUT", "/api/swarm/labels", Access.OWNER, this::label);
        router.add("POST", "/api/swarm/sync", Access.OWNER, this::sync);
        router.add(
                "GET",
                "/api/swarm/sync",
                Access.OWNER,
                call -> SwarmApi.answer(call.exchange(), placement.syncing(), PlacementApi::form));
    }

    private void sync(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String app = body.has("app") ? Json.required(body, "app").strip() : null;
        SwarmApi.answer(call.exchange(), placement.sync(app), PlacementApi::form);
    }

    private static ObjectNode form(PlacementControl.Syncing now) {
        ArrayNode from = Json.array();
        now.from().forEach((member, bytes) -> from.add(named(member).put("bytes", bytes)));
        ArrayNode missing = Json.array();
        now.missing().forEach(one -> {
            ArrayNode files = Json.array();
            one.files().forEach(files::add);
            missing.add(Json.object().put("hash", one.hash()).set("files", files));
        });
        ObjectNode data = Json.object().put("running", now.running());
        data.set("all", SwarmApi.heldBack(now.all()));
        data.set("got", SwarmApi.heldBack(now.got()));
        data.set("from", from);
        data.set("missing", missing);
        return data.put("lost", now.lost());
    }

    private void place(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String app = Json.required(body, "app").strip();
        boolean all = body.path("all").asBoolean(false);
        boolean on = body.has("on");
        boolean label = body.has("label");
        if ((all ? 1 : 0) + (on ? 1 : 0) + (label ? 1 : 0) != 1) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "VALIDATION_FAILED",
                    "an app is placed by one of \"all\": true, \"on\": [member, ...] and \"label\": \"key=value\"");
        }
        List<String> lazy = body.has("lazy") ? texts(body, "lazy") : List.of();
        SwarmApi.answer(
                call.exchange(),
                all
                        ? placement.everywhere(app, lazy)
                        : on
                                ? placement.on(app, texts(body, "on"), lazy)
                                : placement.byLabel(app, Json.required(body, "label"), lazy),
                PlacementApi::form);
    }

    private void label(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        SwarmApi.answer(
                call.exchange(),
                placement.label(Json.required(body, "node").strip(), texts(body, "labels")),
                PlacementApi::form);
    }

    private static List<String> texts(ObjectNode body, String name) {
        JsonNode list = body.get(name);
        List<String> texts = new ArrayList<>();
        if (list != null && list.isArray()) {
            list.forEach(text -> texts.add(text.asText().strip()));
        }
        if (texts.isEmpty() || texts.contains("")) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: " + name + " (a list of texts)");
        }
        return texts;
    }

    private static ObjectNode form(PlacementControl.Placements placements) {
        ArrayNode apps = Json.array();
        for (PlacementControl.Placed one : placements.apps()) {
            ArrayNode holders = Json.array();
            one.holders()
                    .forEach(holder -> holders.add(
                            named(holder.node()).put("behind", holder.behind()).put("lazy", holder.lazy())));
            apps.add(named(one.app()).put("rule", one.rule()).set("holders", holders));
        }
        ArrayNode members = Json.array();
        placements.labels().forEach((member, labels) -> {
            ObjectNode all = Json.object();
            labels.forEach(all::put);
            members.add(named(member).set("labels", all));
        });
        ArrayNode leaving = Json.array();
        placements.leaving().forEach(app -> leaving.add(named(app)));
        ObjectNode data = Json.object();
        data.set("apps", apps);
        data.set("members", members);
        data.set("leaving", leaving);
        return data;
    }

    private static ObjectNode named(Named named) {
        return Json.object().put("id", named.id()).put("name", named.name());
    }
}
