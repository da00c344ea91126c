package sh.fazt.runtime.engine.nashorn;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import sh.fazt.runtime.binding.BindingException;
import sh.fazt.runtime.sandbox.Meter;

/** Waits for what ports answer, as long as the script may. One per realm; confined to its thread. */
final class Answers {
    /** The last error that stands for a disk without room. */
    private @Nullable Object refused;

    /** Whether that was thrown because the disk has no room. */
    boolean refused(Object thrown) {
        return refused != null && thrown == refused;
    }

    /** @param what the call, for the message of an error that the script can catch */
    <T> T await(String what, CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(Meter.current().remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw Meter.current().stop(Meter.Stop.TIME);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Meter.current().stop(Meter.Stop.TIME);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BindingException expected) {
                ECMAException error = HostFunctions.error(what + " failed: " + expected.getMessage(), expected.code());
                if (expected.code().equals(BindingException.NOT_WRITABLE)) {
                    refused = error.getThrown();
                }
                throw error;
            }
            throw HostFunctions.error(what + " failed: " + e.getCause(), "internal");
        }
    }

    /** A number as scripts have it. */
    static Object number(long value) {
        return value == (int) value ? (Object) (int) value : (Object) (double) value;
    }
}
