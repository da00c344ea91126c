package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** The swarm and its names. Thread-safe. */
public final class SwarmApi implements Router.Endpoints {
    /** A token that lies about for longer is one that nobody remembers. */
    private static final long MOST_TOKEN_SECONDS = 30L * 86_400;

    private final SwarmControl swarm;
    private final Apps apps;
    private final ConflictDesk conflicts;

    public SwarmApi(SwarmControl swarm, Apps apps, ConflictDesk conflicts) {
        this.swarm = swarm;
        this.apps = apps;
        this.conflicts = conflicts;
    }

    @Override
    public void addTo(Router router) {
        router.add(
                "GET",
                "/api/swarm/status",
                Access.OWNER,
                call -> call.exchange()
                        .reply(Json.data(
                                200,
                                status(swarm.status())
                                        .put("evicted", swarm.evicted())
                                        .put("conflicts", conflicts.count())
                                        .<ObjectNode>set("held_back", heldBack(swarm.heldBack()))
                                        .set("parked", parked(swarm.parked())))));
        router.add(
                "GET",
                "/api/swarm/time",
                Access.OWNER,
                call -> call.exchange().reply(Json.data(200, time(swarm.time()))));
        router.add(
                "GET",
                "/api/swarm/discover",
                Access.OWNER,
                call -> answer(call.exchange(), swarm.discover(), SwarmApi::around));
        router.add("POST", "/api/swarm/init", Access.OWNER, this::init);
        router.add("POST", "/api/swarm/token", Access.OWNER, this::token);
        router.add("POST", "/api/swarm/join", Access.OWNER, this::join);
        router.add("POST", "/api/swarm/leave", Access.OWNER, this::leave);
        router.add("POST", "/api/swarm/recover", Access.OWNER, this::recover);
        router.add("POST", "/api/swarm/evict", Access.OWNER, this::evict);
        router.add("PUT", "/api/swarm/links", Access.OWNER, this::links);
        router.add("GET", "/api/aliases", Access.OWNER, call -> call.exchange().reply(Json.data(200, aliases())));
        router.add("GET", "/api/aliases/*", Access.OWNER, this::alias);
        router.add("PUT", "/api/aliases/*", Access.OWNER, this::setAlias);
        router.add(
                "DELETE",
                "/api/aliases/*",
                Access.OWNER,
                call -> answer(call.exchange(), swarm.removeAlias(Apps.checkName(call.open(0))), this::alias));
    }

    private void init(Call call) throws IOException {
        JsonNode name = Json.body(call.exchange()).get("name");
        if (name != null && (!name.isTextual() || !name.textValue().matches("[^\\p{Cntrl}]{1,64}"))) {
            throw new Problem.Thrown(
                    Kind.INVALID, "VALIDATION_FAILED", "name is a text of 1 to 64 characters, not " + name);
        }
        answer(call.exchange(), swarm.init(Optional.ofNullable(name).map(JsonNode::textValue)), SwarmApi::status);
    }

    private void token(Call call) throws IOException {
        JsonNode seconds = Json.body(call.exchange()).path("ttl_seconds");
        long ttl = seconds.isMissingNode()
                ? SwarmControl.TOKEN_LASTS.toSeconds()
                : seconds.isIntegralNumber() ? seconds.longValue() : -1;
        if (ttl < 1 || ttl > MOST_TOKEN_SECONDS) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "VALIDATION_FAILED",
                    "ttl_seconds is a whole number from 1 to " + MOST_TOKEN_SECONDS + " (30 days), not " + seconds);
        }
        answer(
                call.exchange(),
                swarm.token(Duration.ofSeconds(ttl)),
                token -> Json.object()
                        .put("token", token.text())
                        .put("words", token.words())
                        .put("expires_at", token.expiresAt().toString()));
    }

    private void join(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String token = Json.required(body, "token").strip();
        JsonNode observer = body.path("observer");
        if (!observer.isMissingNode() && !observer.isBoolean()) {
            throw new Problem.Thrown(Kind.INVALID, "VALIDATION_FAILED", "observer is true or false, not " + observer);
        }
        answer(call.exchange(), swarm.join(token, observer.asBoolean(false)), SwarmApi::status);
    }

    private void leave(Call call) throws IOException {
        boolean force = Json.body(call.exchange()).path("force").asBoolean(false);
        answer(call.exchange(), swarm.leave(force), SwarmApi::status);
    }

    private void recover(Call call) throws IOException {
        if (!Json.body(call.exchange()).path("force").asBoolean(false)) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "FORCE_REQUIRED",
                    "this makes this node decide alone, after the majority is lost for good; say {\"force\": true} if"
                            + " the other members will never come back as they were");
        }
        answer(call.exchange(), swarm.recover(), SwarmApi::status);
    }

    private void evict(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String node = Json.required(body, "node").strip();
        answer(call.exchange(), swarm.evict(node, body.path("force").asBoolean(false)), SwarmApi::status);
    }

    private void links(Call call) throws IOException {
        JsonNode online = Json.body(call.exchange()).path("online");
        if (!online.isBoolean()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "MISSING_FIELD", "Required field is missing: online (true or false)");
        }
        answer(
                call.exchange(),
                swarm.online(online.booleanValue()),
                now -> Json.object().put("online", now));
    }

    private void alias(Call call) {
        SwarmControl.Alias found = swarm.aliases().stream()
                .filter(alias -> alias.name().equals(call.open(0)))
                .findFirst()
                .orElseThrow(() -> new Problem.Thrown(
                        Kind.NOT_FOUND,
                        "ALIAS_NOT_FOUND",
                        "there is no alias \"" + call.open(0) + "\": see \"fazt alias list\""));
        call.exchange().reply(Json.data(200, alias(found)));
    }

    private void setAlias(Call call) throws IOException {
        String name = Apps.checkName(call.open(0));
        App app = apps.require(Json.required(Json.body(call.exchange()), "app"));
        answer(call.exchange(), swarm.setAlias(name, app.id()), this::alias);
    }

    /** Replies once it is known what came of it. */
    static <T> void answer(Exchange exchange, CompletionStage<Outcome<T>> stage, Function<T, ? extends JsonNode> form) {
        stage.whenComplete((outcome, failure) -> {
            try {
                if (failure != null) {
                    ApiHandler.fail(
                            exchange,
                            failure instanceof CompletionException && failure.getCause() != null
                                    ? failure.getCause()
                                    : failure);
                } else if (outcome instanceof Outcome.Refused<T> refused) {
                    exchange.reply(Json.error(Problem.of(refused.reason(), refused.message())));
                } else {
                    exchange.reply(Json.data(200, form.apply(((Outcome.Done<T>) outcome).value())));
                }
            } catch (RuntimeException e) {
                ApiHandler.fail(exchange, e);
            }
        });
    }

    static ObjectNode status(SwarmControl.Status status) {
        ArrayNode members = Json.array();
        status.members().forEach(member -> members.add(member(member)));
        ObjectNode data = Json.object();
        data.set("swarm", named(status.swarm()));
        data.set("self", named(status.self()));
        data.set("leader", named(status.leader()));
        data.put("quorum", status.quorum());
        data.set("members", members);
        data.put("config_version", status.configVersion());
        data.put("schema_level", status.schemaLevel());
        data.put("warning", status.warning());
        return data;
    }

    private static @Nullable ObjectNode named(SwarmControl.@Nullable Named named) {
        return named == null ? null : Json.object().put("id", named.id()).put("name", named.name());
    }

    private static ObjectNode member(SwarmControl.Member member) {
        Duration roundTrip = member.roundTrip();
        Duration sinceHeard = member.sinceHeard();
        SwarmControl.Lag behind = member.behind();
        ObjectNode data = Json.object()
                .put("id", member.node().id())
                .put("name", member.node().name())
                .put("role", member.role())
                .put("state", member.state())
                .put("address", member.address());
        data.put("schema_level", member.schemaLevel());
        data.put("rtt_ms", roundTrip == null ? null : millis(roundTrip));
        data.put("last_heard_ms", sinceHeard == null ? null : sinceHeard.toMillis());
        data.set(
                "behind",
                behind == null
                        ? null
                        : Json.object().put("changes", behind.changes()).put("bytes", behind.bytes()));
        data.put("problem", member.problem());
        SwarmControl.Figures figures = member.figures();
        data.set("sync", figures == null ? null : figures(figures));
        return data;
    }

    private static ObjectNode figures(SwarmControl.Figures figures) {
        return Json.object()
                .put("class", figures.linkClass())
                .put("clock_offset_ms", figures.clockOffsetMillis())
                .put("behind_rows", figures.rows())
                .put("behind_bytes", figures.bytes())
                .put("oldest_unsent_ms", figures.oldest().toMillis())
                .put("ahead_changes", figures.ahead())
                .put("pushed", figures.pushed())
                .put("received", figures.received())
                .put("pulls", figures.pulls())
                .put("failed_pulls", figures.failedPulls())
                .put("offences", figures.offences())
                .put("floods", figures.floods());
    }

    private static ObjectNode time(SwarmControl.Time time) {
        ArrayNode peers = Json.array();
        time.peers()
                .forEach(peer -> peers.add(Json.object()
                        .put("id", peer.node().id())
                        .put("name", peer.node().name())
                        .put("offset_ms", peer.offsetMillis())
                        .put("rtt_ms", millis(peer.roundTrip()))));
        return Json.object()
                .put("now", time.now().toString())
                .put("corrected", time.corrected().toString())
                .put("offset_ms", time.offsetMillis())
                .put("correcting", time.correcting())
                .set("peers", peers);
    }

    private static double millis(Duration duration) {
        return Math.round(duration.toNanos() / 10_000.0) / 100.0;
    }

    private static ObjectNode around(SwarmControl.Around around) {
        ArrayNode nodes = Json.array();
        around.nodes()
                .forEach(node -> nodes.add(Json.object()
                        .put("id", node.node().id())
                        .put("name", node.node().name())
                        .put("swarm", node.swarm())
                        .put("address", node.address())
                        .put("member", node.member())));
        ObjectNode data = Json.object();
        data.set("nodes", nodes);
        data.set(
                "port_mapping",
                Json.object()
                        .put("protocol", around.mapping().protocol())
                        .put("address", around.mapping().address())
                        .put("why", around.mapping().why()));
        return data;
    }

    private ObjectNode aliases() {
        Map<String, String> names =
                apps.list().stream().collect(Collectors.toMap(App::id, App::name, (first, second) -> first));
        ArrayNode list = Json.array();
        swarm.aliases()
                .forEach(alias -> list.add(Json.object()
                        .put("name", alias.name())
                        .put("app", alias.app())
                        .put("app_name", names.getOrDefault(alias.app(), ""))));
        return Json.object().set("aliases", list);
    }

    private ObjectNode alias(SwarmControl.Alias alias) {
        return Json.object()
                .put("name", alias.name())
                .put("app", alias.app())
                .put("app_name", apps.find(alias.app()).map(App::name).orElse(""));
    }

    private static ArrayNode parked(List<SwarmControl.Parked> all) {
        ArrayNode list = Json.array();
        all.forEach(
                parked -> list.add(Json.object().put("reason", parked.reason()).put("rows", parked.rows())));
        return list;
    }

    static ObjectNode heldBack(SwarmControl.HeldBack held) {
        return Json.object().put("blobs", held.blobs()).put("bytes", held.bytes());
    }
}
