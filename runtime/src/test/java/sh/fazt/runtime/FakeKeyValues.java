package sh.fazt.runtime;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import sh.fazt.runtime.binding.BindingException;
import sh.fazt.runtime.binding.KeyValues;

/** Works, in memory; time stands still but for what the test moves. The key {@code stuck} never answers. */
final class FakeKeyValues implements KeyValues {
    private record Value(String json, OptionalLong expiresAtMillis) {}

    private final Map<String, ConcurrentSkipListMap<String, Value>> apps = new ConcurrentHashMap<>();
    private final AtomicLong nowMillis = new AtomicLong(1_000_000);

    void pass(Duration time) {
        nowMillis.addAndGet(time.toMillis());
    }

    private ConcurrentSkipListMap<String, Value> app(String appId) {
        ConcurrentSkipListMap<String, Value> values = apps.computeIfAbsent(appId, id -> new ConcurrentSkipListMap<>());
        values.values()
                .removeIf(v ->
                        v.expiresAtMillis().isPresent() && v.expiresAtMillis().getAsLong() <= nowMillis.get());
        return values;
    }

    @Override
    public CompletionStage<Optional<String>> get(String appId, String key) {
        if (key.equals("stuck")) {
            return new CompletableFuture<>();
        }
        return CompletableFuture.completedFuture(
                Optional.ofNullable(app(appId).get(key)).map(Value::json));
    }

    @Override
    public CompletionStage<Void> set(String appId, String key, String json, Optional<Duration> ttl) {
        if (key.equals("full")) {
            return CompletableFuture.failedFuture(
                    new BindingException(BindingException.NOT_WRITABLE, "the disk is full"));
        }
        if (json.length() > 1_000) {
            return CompletableFuture.failedFuture(new BindingException("quota_exceeded", "the value is too long"));
        }
        OptionalLong expires =
                ttl.map(t -> OptionalLong.of(nowMillis.get() + t.toMillis())).orElse(OptionalLong.empty());
        app(appId).put(key, new Value(json, expires));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> delete(String appId, String key) {
        app(appId).remove(key);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<List<Entry>> list(String appId, String prefix) {
        return CompletableFuture.completedFuture(app(appId).entrySet().stream()
                .filter(e -> e.getKey().startsWith(prefix))
                .map(e ->
                        new Entry(e.getKey(), e.getValue().json(), e.getValue().expiresAtMillis()))
                .toList());
    }

    @Override
    public CompletionStage<Long> increment(String appId, String key, long by) {
        try {
            Value now = app(appId)
                    .merge(
                            key,
                            new Value(String.valueOf(by), OptionalLong.empty()),
                            (old, add) ->
                                    new Value(String.valueOf(Long.parseLong(old.json()) + by), old.expiresAtMillis()));
            return CompletableFuture.completedFuture(Long.parseLong(now.json()));
        } catch (NumberFormatException e) {
            return CompletableFuture.failedFuture(new BindingException("not_a_number", "the value is no number"));
        }
    }
}
