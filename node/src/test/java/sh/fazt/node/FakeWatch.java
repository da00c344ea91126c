package sh.fazt.node;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.api.WatchControl;

/** A swarm of which a test says what is found and what happens. */
final class FakeWatch implements WatchControl {
    final List<Event> happened = new CopyOnWriteArrayList<>();
    final List<String> calls = new ArrayList<>();
    private final List<Consumer<Event>> listeners = new CopyOnWriteArrayList<>();
    boolean repaired;

    void happen(String kind) {
        Event event = new Event(
                happened.size() + 1,
                Instant.ofEpochSecond(1_800_000_000),
                kind,
                new Named("node-b", "phone"),
                "something",
                "a reason");
        happened.add(event);
        listeners.forEach(listener -> listener.accept(event));
    }

    int listening() {
        return listeners.size();
    }

    @Override
    public CompletionStage<Outcome<List<Verified>>> verify(@Nullable String app, boolean repair) {
        calls.add("verify " + app + " " + repair);
        return CompletableFuture.completedFuture(new Outcome.Done<>(List.of(new Verified(
                new Named("node-b", "phone"),
                "fazt_app_1",
                "shop",
                "different",
                List.of(new Row("kv", List.of("a", 7L, new byte[] {1}), "is missing there")),
                false,
                "",
                repaired,
                ""))));
    }

    @Override
    public List<Event> events(long since) {
        return happened.stream().filter(event -> event.number() > since).toList();
    }

    @Override
    public Runnable listen(Consumer<Event> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}
