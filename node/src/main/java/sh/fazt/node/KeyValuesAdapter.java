package sh.fazt.node;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.runtime.binding.BindingException;

/** The runtime's port to apps' data. Calls run on the {@code js} thread that waits for them anyway. */
final class KeyValuesAdapter implements sh.fazt.runtime.binding.KeyValues {
    private final KeyValues data;

    KeyValuesAdapter(KeyValues data) {
        this.data = data;
    }

    @Override
    public CompletionStage<Optional<String>> get(String appId, String key) {
        return answer(() -> data.get(appId, key));
    }

    @Override
    public CompletionStage<Void> set(String appId, String key, String json, Optional<Duration> ttl) {
        return answer(() -> {
                    data.set(appId, key, json, ttl.map(Duration::toMillis).orElse(null));
                    return true;
                })
                .thenApply(ignored -> null);
    }

    @Override
    public CompletionStage<Void> delete(String appId, String key) {
        return answer(() -> data.delete(appId, key)).thenApply(ignored -> null);
    }

    @Override
    public CompletionStage<List<Entry>> list(String appId, String prefix) {
        return answer(() -> data.list(appId, prefix).stream()
                .map(pair -> new Entry(pair.key(), pair.value(), expiry(pair.expiresAt())))
                .toList());
    }

    @Override
    public CompletionStage<Long> increment(String appId, String key, long by) {
        return answer(() -> data.increment(appId, key, by));
    }

    private static OptionalLong expiry(@Nullable Long millis) {
        return millis == null ? OptionalLong.empty() : OptionalLong.of(millis);
    }

    private static <T> CompletionStage<T> answer(Supplier<T> call) {
        try {
            return CompletableFuture.completedFuture(call.get());
        } catch (HostingException e) {
            return CompletableFuture.failedFuture(new BindingException(
                    e.reason().name().toLowerCase(java.util.Locale.ROOT), String.valueOf(e.getMessage())));
        } catch (CartridgeException e) {
            boolean disk = e.reason() == CartridgeException.Reason.NOT_WRITABLE;
            return CompletableFuture.failedFuture(new BindingException(
                    disk ? BindingException.NOT_WRITABLE : "unavailable", String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(new BindingException("unavailable", String.valueOf(e.getMessage())));
        }
    }
}
