package sh.fazt.node;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.hosting.data.KeyValues;

/** The runtime's port to apps' keys and values. */
final class KeyValuesAdapter implements sh.fazt.runtime.binding.KeyValues {
    private final KeyValues data;

    KeyValuesAdapter(KeyValues data) {
        this.data = data;
    }

    @Override
    public CompletionStage<Optional<String>> get(String appId, String key) {
        return PortAnswers.of(() -> data.get(appId, key));
    }

    @Override
    public CompletionStage<Void> set(String appId, String key, String json, Optional<Duration> ttl) {
        return PortAnswers.of(() -> {
                    data.set(appId, key, json, ttl.map(Duration::toMillis).orElse(null));
                    return true;
                })
                .thenApply(ignored -> null);
    }

    @Override
    public CompletionStage<Void> delete(String appId, String key) {
        return PortAnswers.of(() -> data.delete(appId, key)).thenApply(ignored -> null);
    }

    @Override
    public CompletionStage<List<Entry>> list(String appId, String prefix) {
        return PortAnswers.of(() -> data.list(appId, prefix).stream()
                .map(pair -> new Entry(pair.key(), pair.value(), expiry(pair.expiresAt())))
                .toList());
    }

    @Override
    public CompletionStage<Long> increment(String appId, String key, long by) {
        return PortAnswers.of(() -> data.increment(appId, key, by));
    }

    private static OptionalLong expiry(@Nullable Long millis) {
        return millis == null ? OptionalLong.empty() : OptionalLong.of(millis);
    }
}
