package sh.fazt.runtime;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import sh.fazt.runtime.binding.BindingException;
import sh.fazt.runtime.binding.Documents;
import sh.fazt.runtime.sandbox.Meter;

/**
 * Writes down what it is asked, and always finds the same two documents. The collection {@code full} has no room, to
 * look through {@code endless} takes for ever, and through {@code large} a gigabyte of garbage.
 */
final class FakeDocuments implements Documents {
    private volatile byte[] garbage = {};
    final Queue<String> calls = new ConcurrentLinkedQueue<>();

    private <T> CompletionStage<T> answer(T value, Object... call) {
        calls.add(String.join(" ", List.of(call).stream().map(String::valueOf).toList()));
        return List.of(call).contains("full")
                ? CompletableFuture.failedFuture(
                        new BindingException(BindingException.NOT_WRITABLE, "the disk is full"))
                : CompletableFuture.completedFuture(value);
    }

    @Override
    public CompletionStage<String> insert(String appId, String collection, String document) {
        return answer("id-1", "insert", collection, document);
    }

    @Override
    public CompletionStage<List<String>> find(String appId, String collection, String query, Page page) {
        String how = (page.limit().isPresent() ? page.limit().getAsInt() : "all")
                + "/"
                + page.offset()
                + (page.oldestFirst() ? "/asc" : "");
        List<String> found = List.of("{\"id\":\"b\",\"n\":2}", "{\"id\":\"a\",\"n\":1}");
        return answer(collection.equals("none") ? List.of() : found, "find", collection, query, how);
    }

    @Override
    public CompletionStage<Long> count(String appId, String collection, String query) {
        for (int i = 0; i < 1_000 || collection.equals("endless"); i++) {
            Meter.poll();
            garbage = new byte[collection.equals("large") ? 1 << 20 : 1];
        }
        return answer((long) garbage.length, "count", collection, query);
    }

    @Override
    public CompletionStage<Long> update(String appId, String collection, String query, String changes) {
        return answer(2L, "update", collection, query, changes);
    }

    @Override
    public CompletionStage<Long> delete(String appId, String collection, String query) {
        return answer(5_000_000_000L, "delete", collection, query);
    }

    @Override
    public CompletionStage<Long> deleteOldest(String appId, String collection, long keep) {
        return answer(2L, "deleteOldest", collection, keep);
    }
}
