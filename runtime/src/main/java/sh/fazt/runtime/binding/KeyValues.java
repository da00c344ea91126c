package sh.fazt.runtime.binding;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * The key-value data of apps ({@code fazt.app.kv}). Values are JSON texts. An expected failure (quota, a value that is
 * no number, an overloaded writer) completes the stage with a {@link BindingException}, which the script can catch.
 *
 * <p>Thread-safe. The script waits for the stage until its own deadline; a write that is still under way then may or
 * may not take effect.
 */
public interface KeyValues {
    /** One live entry. */
    record Entry(String key, String json, OptionalLong expiresAtMillis) {
        public Entry {
            Objects.requireNonNull(key);
            Objects.requireNonNull(json);
            Objects.requireNonNull(expiresAtMillis);
        }
    }

    /** The value, or empty when there is none or it has expired. */
    CompletionStage<Optional<String>> get(String appId, String key);

    /** Stores a value; without {@code ttl} it stays, and an earlier time to live is cleared. */
    CompletionStage<Void> set(String appId, String key, String json, Optional<Duration> ttl);

    /** Forgets a value; fine when there is none. */
    CompletionStage<Void> delete(String appId, String key);

    /** The live entries whose key starts with exactly {@code prefix}, in the order of their keys. */
    CompletionStage<List<Entry>> list(String appId, String prefix);

    /** Adds to a number, atomically; none counts as 0. Completes with the new value. */
    CompletionStage<Long> increment(String appId, String key, long by);
}
