package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sh.fazt.node.api.LeaseControl.Lease;
import sh.fazt.node.api.LeaseControl.Release;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/** Leases: names that one holder at a time has. Thread-safe. */
public final class LeaseApi implements Router.Endpoints {
    private static final Pattern TOKEN = Pattern.compile("token=(\\d{1,18})");
    private final LeaseControl leases;

    public LeaseApi(LeaseControl leases) {
        this.leases = leases;
    }

    @Override
    public void addTo(Router router) {
        router.add(
                "GET",
                "/api/swarm/leases",
                Access.OWNER,
                call -> SwarmApi.answer(call.exchange(), leases.leases(), LeaseApi::list));
        router.add("POST", "/api/swarm/leases", Access.OWNER, this::take);
        router.add("PUT", "/api/swarm/leases/*", Access.OWNER, this::renew);
        router.add("DELETE", "/api/swarm/leases/*", Access.OWNER, this::release);
    }

    private void take(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        String name = Json.required(body, "name");
        String holder = body.has("holder") ? Json.required(body, "holder") : null;
        SwarmApi.answer(call.exchange(), leases.take(name, ttl(body), holder), LeaseApi::form);
    }

    private void renew(Call call) throws IOException {
        ObjectNode body = Json.body(call.exchange());
        JsonNode token = body.path("token");
        if (!token.canConvertToLong() || !token.isIntegralNumber()) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "MISSING_FIELD",
                    "Required field is missing: token (the number that was given with the lease)");
        }
        SwarmApi.answer(call.exchange(), leases.renew(call.open(0), token.longValue(), ttl(body)), LeaseApi::form);
    }

    private void release(Call call) {
        String query = call.exchange().query();
        Matcher token = TOKEN.matcher(query);
        boolean held = token.matches();
        if (!held && !query.equals("force=true")) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "VALIDATION_FAILED",
                    "a lease is released by its holder with ?token=N, or taken from whoever holds it with ?force=true;"
                            + " not with \"" + query + "\"");
        }
        SwarmApi.answer(
                call.exchange(),
                held ? leases.release(call.open(0), Long.parseLong(token.group(1))) : leases.revoke(call.open(0)),
                LeaseApi::form);
    }

    private static Duration ttl(ObjectNode body) {
        JsonNode seconds = body.path("ttl_seconds");
        if (seconds.isMissingNode()) {
            return LeaseControl.USUAL;
        }
        if (!seconds.isIntegralNumber() || !seconds.canConvertToInt()) {
            throw new Problem.Thrown(
                    Kind.INVALID, "VALIDATION_FAILED", "ttl_seconds is a whole number from 5 to 3600, not " + seconds);
        }
        return Duration.ofSeconds(seconds.longValue());
    }

    private static ObjectNode list(List<Lease> leases) {
        ArrayNode list = Json.array();
        leases.forEach(lease -> list.add(form(lease)));
        return Json.object().set("leases", list);
    }

    private static ObjectNode form(Lease lease) {
        ObjectNode form = Json.object().put("name", lease.name()).put("holder", lease.holder());
        form.set(
                "node",
                Json.object()
                        .put("id", lease.node().id())
                        .put("name", lease.node().name()));
        return form.put("token", lease.token())
                .put("ttl_seconds", lease.ttl().toSeconds())
                .put("left_ms", lease.left().toMillis());
    }

    private static ObjectNode form(Release release) {
        return Json.object().put("released", release.released()).put("message", release.text());
    }
}
