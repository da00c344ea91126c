package sh.fazt.runtime.binding;

import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;

/**
 * The documents of apps ({@code fazt.app.ds}). Documents, queries and changes are JSON texts. An expected failure
 * completes the stage with a {@link BindingException}, which the script can catch: {@code invalid} for a query or a
 * change that is no such thing, {@code exists}, {@code too_large}.
 *
 * <p>Thread-safe; what waits and for how long is as with {@link KeyValues}. An implementation that works on the thread
 * of the script polls its budget.
 */
public interface Documents {
    /** Which of the documents that were found are answered; the newest come first unless it says otherwise. */
    record Page(OptionalInt limit, int offset, boolean oldestFirst) {}

    /** Stores a new document; completes with its id. */
    CompletionStage<String> insert(String appId, String collection, String document);

    /** Completes with the documents that a query finds. */
    CompletionStage<List<String>> find(String appId, String collection, String query, Page page);

    /** Completes with how many documents a query finds. */
    CompletionStage<Long> count(String appId, String collection, String query);

    /** Changes all that a query finds, or none; completes with how many were found. */
    CompletionStage<Long> update(String appId, String collection, String query, String changes);

    /** Deletes all that a query finds; completes with how many those were. */
    CompletionStage<Long> delete(String appId, String collection, String query);

    /** Deletes all but the newest; completes with how many those were. */
    CompletionStage<Long> deleteOldest(String appId, String collection, long keep);
}
