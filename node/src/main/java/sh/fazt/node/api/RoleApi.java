package sh.fazt.node.api;

import java.io.IOException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.api.SwarmControl.Status;

/** Which members vote and which observe. Thread-safe. */
public final class RoleApi implements Router.Endpoints {
    private final SwarmControl swarm;

    public RoleApi(SwarmControl swarm) {
        this.swarm = swarm;
    }

    @Override
    public void addTo(Router router) {
        router.add("POST", "/api/swarm/promote", Access.OWNER, call -> change(call, swarm::promote));
        router.add("POST", "/api/swarm/demote", Access.OWNER, call -> change(call, swarm::demote));
    }

    private static void change(Call call, Function<String, CompletionStage<Outcome<Status>>> change)
            throws IOException {
        String node = Json.required(Json.body(call.exchange()), "node").strip();
        SwarmApi.answer(call.exchange(), change.apply(node), SwarmApi::status);
    }
}
