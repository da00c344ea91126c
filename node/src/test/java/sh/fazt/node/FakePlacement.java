package sh.fazt.node;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.error.Refusal;

/** Placement that agrees at once, or refuses everything as it is told. */
final class FakePlacement implements PlacementControl {
    final List<String> calls = new ArrayList<>();
    /** Apps, by name, that are kept elsewhere, and by whom. */
    final Map<String, List<String>> elsewhere = new HashMap<>();

    @Nullable
    Refusal refusal;

    private CompletionStage<Outcome<Placements>> answer(String call) {
        calls.add(call);
        Named home = new Named("node-a", "home");
        Named shop = new Named("fazt_app_1", "shop");
        return CompletableFuture.completedFuture(
                refusal == null
                        ? new Outcome.Done<>(new Placements(
                                List.of(new Placed(
                                        shop,
                                        "label disk=big",
                                        List.of(
                                                new Holder(home, 0L, false),
                                                new Holder(new Named("node-b", "phone"), null, true)))),
                                Map.of(home, Map.of("disk", "big")),
                                List.of(new Named("fazt_app_2", "blog"))))
                        : new Outcome.Refused<>(refusal, "no: on no node"));
    }

    private static String lazily(List<String> lazy) {
        return lazy.isEmpty() ? "" : " lazy " + lazy;
    }

    @Override
    public CompletionStage<Outcome<Syncing>> sync(@Nullable String app) {
        calls.add("sync " + app);
        return refusal == null
                ? syncing()
                : CompletableFuture.completedFuture(new Outcome.Refused<>(refusal, "no: another runs"));
    }

    @Override
    public CompletionStage<Outcome<Syncing>> syncing() {
        return CompletableFuture.completedFuture(new Outcome.Done<>(new Syncing(
                true,
                new SwarmControl.HeldBack(3, 300_000),
                new SwarmControl.HeldBack(1, 100_000),
                Map.of(new Named("node-b", "phone"), 120_000L),
                List.of(new Missing("00ff", List.of("shop/film.mp4"))),
                1)));
    }

    @Override
    public CompletionStage<Outcome<Placements>> placements() {
        return answer("list");
    }

    @Override
    public CompletionStage<Outcome<Placements>> everywhere(String app, List<String> lazy) {
        return answer("everywhere " + app + lazily(lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> on(String app, List<String> nodes, List<String> lazy) {
        return answer("on " + app + " " + nodes + lazily(lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> byLabel(String app, String label, List<String> lazy) {
        return answer("label " + app + " " + label + lazily(lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> label(String node, List<String> changes) {
        return answer("label member " + node + " " + changes);
    }

    @Override
    public @Nullable Elsewhere elsewhere(String app) {
        List<String> holders = elsewhere.get(app);
        return holders == null ? null : new Elsewhere(new Named("id-of-" + app, app), holders);
    }
}
