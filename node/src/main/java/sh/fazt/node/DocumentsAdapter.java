package sh.fazt.node;

import java.util.List;
import java.util.concurrent.CompletionStage;
import sh.fazt.hosting.document.Documents;

/** The runtime's port to apps' documents. */
final class DocumentsAdapter implements sh.fazt.runtime.binding.Documents {
    private final Documents documents;

    DocumentsAdapter(Documents documents) {
        this.documents = documents;
    }

    @Override
    public CompletionStage<String> insert(String appId, String collection, String document) {
        return PortAnswers.of(() -> documents.insert(appId, collection, document));
    }

    @Override
    public CompletionStage<List<String>> find(String appId, String collection, String query, Page page) {
        return PortAnswers.of(() -> documents.find(
                appId,
                collection,
                query,
                new Documents.Page(
                        page.limit().isPresent() ? (Integer) page.limit().getAsInt() : null,
                        page.offset(),
                        page.oldestFirst())));
    }

    @Override
    public CompletionStage<Long> count(String appId, String collection, String query) {
        return PortAnswers.of(() -> documents.count(appId, collection, query));
    }

    @Override
    public CompletionStage<Long> update(String appId, String collection, String query, String changes) {
        return PortAnswers.of(() -> documents.update(appId, collection, query, changes));
    }

    @Override
    public CompletionStage<Long> delete(String appId, String collection, String query) {
        return PortAnswers.of(() -> documents.delete(appId, collection, query));
    }

    @Override
    public CompletionStage<Long> deleteOldest(String appId, String collection, long keep) {
        return PortAnswers.of(() -> documents.deleteOldest(appId, collection, keep));
    }
}
