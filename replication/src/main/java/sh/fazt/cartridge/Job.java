package sh.fazt.cartridge;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener.Commit;

/** One thing for the writer to do, see {@link GroupCommit}. */
abstract class Job<T extends @Nullable Object> {
    final CompletableFuture<T> future = new CompletableFuture<>();

    /** On the writer, in an open transaction: writes, and adds what its commit is to tell. */
    abstract T run(List<Commit> events) throws Exception;

    /** On the writer, once it is durable. */
    void committed(T result) {}

    /** Whether it has a transaction to itself, as it changes what the next ones are stamped with, or may fail for all. */
    boolean alone() {
        return false;
    }

    /** A job that has a transaction to itself. */
    abstract static class Alone<T extends @Nullable Object> extends Job<T> {
        @Override
        boolean alone() {
            return true;
        }
    }
}
