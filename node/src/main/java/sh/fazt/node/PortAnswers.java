package sh.fazt.node;

import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.hosting.HostingException;
import sh.fazt.runtime.binding.BindingException;

/** What the runtime's ports answer. Calls run on the {@code js} thread that waits for them anyway. */
final class PortAnswers {
    private PortAnswers() {}

    static <T> CompletionStage<T> of(Supplier<T> call) {
        try {
            return CompletableFuture.completedFuture(call.get());
        } catch (HostingException e) {
            return failed(e.reason().name().toLowerCase(Locale.ROOT), e);
        } catch (CartridgeException e) {
            return failed(
                    switch (e.reason()) {
                        case NOT_WRITABLE -> BindingException.NOT_WRITABLE;
                        case TOO_LARGE -> "too_large";
                        default -> "unavailable";
                    },
                    e);
        } catch (RuntimeException e) {
            return failed("unavailable", e);
        }
    }

    private static <T> CompletionStage<T> failed(String code, RuntimeException e) {
        return CompletableFuture.failedFuture(new BindingException(code, String.valueOf(e.getMessage())));
    }
}
