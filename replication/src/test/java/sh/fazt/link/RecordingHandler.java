package sh.fazt.link;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import sh.fazt.identity.NodeId;

/** Remembers what came, and answers as it is told. Thread-safe. */
public final class RecordingHandler implements Links.Handler {
    private final List<byte[]> messages = new CopyOnWriteArrayList<>();
    private final List<NodeId> senders = new CopyOnWriteArrayList<>();
    private volatile Function<byte[], CompletionStage<byte[]>> answers = CompletableFuture::completedStage;

    /** By default a request is its own answer. */
    public RecordingHandler answering(Function<byte[], CompletionStage<byte[]>> with) {
        answers = with;
        return this;
    }

    public List<byte[]> messages() {
        return List.copyOf(messages);
    }

    public List<String> texts() {
        return messages.stream()
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .toList();
    }

    public List<NodeId> senders() {
        return List.copyOf(senders);
    }

    @Override
    public void message(NodeId from, byte[] message) {
        senders.add(from);
        messages.add(message);
    }

    @Override
    public CompletionStage<byte[]> request(NodeId from, byte[] request) {
        return answers.apply(request);
    }
}
