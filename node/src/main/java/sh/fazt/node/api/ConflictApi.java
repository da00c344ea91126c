package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.api.Router.Call;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.node.http.Exchange;

/** What lost when two nodes wrote the same. Thread-safe. */
public final class ConflictApi implements Router.Endpoints {
    private static final int PAGE = 100;

    private final ConflictDesk desk;

    public ConflictApi(ConflictDesk desk) {
        this.desk = desk;
    }

    @Override
    public void addTo(Router router) {
        String one = "/api/swarm/conflicts/*";
        router.add("GET", "/api/swarm/conflicts", Access.OWNER, this::list);
        router.add("GET", one, Access.OWNER, call -> call.exchange().reply(Json.data(200, desk.show(call.open(0)))));
        router.add("POST", one + "/restore", Access.OWNER, call -> answer(call, desk.restore(call.open(0))));
        router.add("POST", one + "/dismiss", Access.OWNER, call -> answer(call, desk.dismiss(call.open(0))));
    }

    private void list(Call call) {
        String app = "";
        int offset = 0;
        int limit = PAGE;
        for (String pair : call.exchange().query().split("&")) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
            switch (name) {
                case "" -> {}
                case "app" -> app = value;
                case "offset" -> offset = number(name, value);
                case "limit" -> limit = number(name, value);
                default ->
                    throw new Problem.Thrown(
                            Kind.INVALID,
                            "VALIDATION_FAILED",
                            "conflicts are listed by app, offset and limit, not by \"" + name + "\"");
            }
        }
        call.exchange().reply(Json.data(200, desk.page(app, offset, limit)));
    }

    private static String decode(String value) {
        try {
            return URLDecoder.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new Problem.Thrown(
                    Kind.INVALID, "BAD_REQUEST", "\"" + value + "\" in the query has a % without two hex digits");
        }
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new Problem.Thrown(
                    Kind.INVALID, "VALIDATION_FAILED", name + " is a whole number, not \"" + value + "\"");
        }
    }

    private static void answer(Call call, CompletionStage<ObjectNode> stage) {
        Exchange exchange = call.exchange();
        SwarmApi.answer(exchange, stage.thenApply(SwarmControl.Outcome.Done::new), data -> data);
    }
}
