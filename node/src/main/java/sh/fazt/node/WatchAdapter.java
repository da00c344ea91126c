package sh.fazt.node;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.identity.NodeId;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.api.WatchControl;
import sh.fazt.swarm.SwarmEvents;
import sh.fazt.swarm.SwarmView;
import sh.fazt.swarm.Watch;
import sh.fazt.sync.AuditResult;

/** The control plane's port to what is watched of the swarm. Thread-safe. */
final class WatchAdapter implements WatchControl {
    private final Watch watch;
    private final Apps apps;
    private final Executor io;

    WatchAdapter(Watch watch, Apps apps, Executor io) {
        this.watch = watch;
        this.apps = apps;
        this.io = io;
    }

    @Override
    public CompletionStage<Outcome<List<Verified>>> verify(@Nullable String app, boolean repair) {
        // What is no app is told before anything is read.
        Scope scope = app == null
                ? null
                : app.equals(Scope.SYSTEM.id())
                        ? Scope.SYSTEM
                        : new Scope(apps.require(app).id());
        return SwarmAdapter.run(
                io,
                () -> watch.verify(scope, repair).stream().map(this::verified).toList());
    }

    private Verified verified(Watch.Verified one) {
        AuditResult result = one.result();
        return new Verified(
                new Named(one.member().id(), one.member().name()),
                result.scope().id(),
                apps.find(result.scope().id()).map(App::name).orElse(""),
                result.state().name().toLowerCase(Locale.ROOT),
                result.rows().stream()
                        .map(row -> new Row(row.table(), row.key(), row.what()))
                        .toList(),
                result.more(),
                result.damaged(),
                result.repaired(),
                result.why());
    }

    @Override
    public List<Event> events(long since) {
        return watch.events().since(since).stream().map(this::event).toList();
    }

    @Override
    public Runnable listen(Consumer<Event> listener) {
        return watch.events().listen(event -> listener.accept(event(event)));
    }

    private Event event(SwarmEvents.Event event) {
        NodeId node = event.node();
        SwarmView.Named named = node == null ? null : watch.named(node);
        return new Event(
                event.number(),
                event.at(),
                event.kind(),
                named == null ? null : new Named(named.id(), named.name()),
                event.what(),
                event.why());
    }
}
