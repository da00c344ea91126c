package sh.fazt.node;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.swarm.Placement;
import sh.fazt.swarm.Swarm;
import sh.fazt.swarm.SwarmException;
import sh.fazt.swarm.SwarmView;

/** The control plane's port to placement: what blocks runs on {@code io} threads. Thread-safe. */
final class PlacementAdapter implements PlacementControl {
    private final Swarm swarm;
    private final Apps apps;
    private final Executor io;

    PlacementAdapter(Swarm swarm, Apps apps, Executor io) {
        this.swarm = swarm;
        this.apps = apps;
        this.io = io;
    }

    @Override
    public CompletionStage<Outcome<Placements>> placements() {
        return run(swarm::placement);
    }

    @Override
    public CompletionStage<Outcome<Placements>> everywhere(String app, List<String> lazy) {
        return run(() -> swarm.placeEverywhere(app(app), lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> on(String app, List<String> nodes, List<String> lazy) {
        return run(() -> swarm.placeOn(app(app), nodes, lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> byLabel(String app, String label, List<String> lazy) {
        return run(() -> swarm.placeByLabel(app(app), label, lazy));
    }

    @Override
    public CompletionStage<Outcome<Placements>> label(String node, List<String> changes) {
        return run(() -> swarm.label(node, changes));
    }

    /** An app may be known by its placement only, where it is not kept. */
    private SwarmView.Named app(String text) {
        SwarmView.Named placed = swarm.placed(text);
        return placed != null
                ? placed
                : apps.find(text)
                        .map(app -> new SwarmView.Named(app.id(), app.name()))
                        .orElseThrow(() -> new SwarmException(
                                SwarmException.Reason.NOT_FOUND,
                                "there is no app \"" + text + "\": see \"fazt app list\""));
    }

    @Override
    public CompletionStage<Outcome<Syncing>> sync(@Nullable String app) {
        return SwarmAdapter.run(io, () -> form(swarm.syncBlobs(app == null ? null : new Scope(app(app).id()))));
    }

    @Override
    public CompletionStage<Outcome<Syncing>> syncing() {
        return SwarmAdapter.run(io, () -> form(swarm.syncing()));
    }

    private Syncing form(sh.fazt.sync.Syncing now) {
        Map<Named, Long> from = new LinkedHashMap<>();
        now.from().forEach((peer, bytes) -> from.put(named(swarm.named(peer)), bytes));
        Map<String, List<String>> files = apps.filesOf(now.missing());
        return new Syncing(
                now.running(),
                SwarmAdapter.amount(now.all()),
                SwarmAdapter.amount(now.got()),
                from,
                now.missing().stream()
                        .map(hash -> new Missing(hash, files.getOrDefault(hash, List.of())))
                        .toList(),
                now.lost());
    }

    @Override
    public @Nullable Elsewhere elsewhere(String app) {
        Placement placement = swarm.placements().elsewhere(app);
        return placement == null
                ? null
                : new Elsewhere(
                        named(placement.app()),
                        placement.holders().stream()
                                .map(holder -> holder.node().name())
                                .sorted()
                                .toList());
    }

    private CompletionStage<Outcome<Placements>> run(Supplier<Placement.View> action) {
        return SwarmAdapter.run(io, () -> form(action.get()));
    }

    private static Placements form(Placement.View view) {
        Map<Named, Map<String, String>> labels = new LinkedHashMap<>();
        view.labels().forEach((member, all) -> labels.put(named(member), all));
        return new Placements(
                view.apps().stream()
                        .map(one -> new PlacementControl.Placed(
                                named(one.app()),
                                one.rule(),
                                one.holders().stream()
                                        .map(holder -> new Holder(named(holder.node()), holder.behind(), holder.lazy()))
                                        .toList()))
                        .toList(),
                labels,
                view.leaving().stream().map(PlacementAdapter::named).toList());
    }

    private static Named named(SwarmView.Named named) {
        return new Named(named.id(), named.name());
    }
}
