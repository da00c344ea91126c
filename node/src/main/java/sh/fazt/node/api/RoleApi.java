package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.api.SwarmControl.Status;

/** Which members vote and which observe, and the key that this one has. Thread-safe. */
public final class RoleApi implements Router.Endpoints {
    private final SwarmControl swarm;

    public RoleApi(SwarmControl swarm) {
        this.swarm = swarm;
    }

    @Override
    public void addTo(Router router) {
        router.add("POST", "/api/swarm/promote", Access.OWNER, call -> change(call, swarm::promote));
        router.add("POST", "/api/swarm/demote", Access.OWNER, call -> change(call, swarm::demote));
        router.add(
                "POST",
                "/api/swarm/rotate-key",
                Access.OWNER,
                call -> SwarmApi.answer(call.exchange(), swarm.rotateKey(), RoleApi::key));
    }

    private static ObjectNode key(SwarmControl.NewKey key) {
        return Json.object()
                .put("name", key.after().name())
                .put("before", key.before().id())
                .put("id", key.after().id());
    }

    private static void change(Call call, Function<String, CompletionStage<Outcome<Status>>> change)
            throws IOException {
        String node = Json.required(Json.body(call.exchange()), "node").strip();
        SwarmApi.answer(call.exchange(), change.apply(node), SwarmApi::status);
    }
}
