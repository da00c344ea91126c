package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkException.Reason;

/**
 * What every {@link Links} does, over sockets or simulated. Nothing here waits by itself: {@link Net#until}
 * lets time pass, real or virtual.
 */
public abstract class LinksContract {
    protected static final Duration SOON = Duration.ofSeconds(10);

    /** Two nodes that know each other. */
    public interface Net extends AutoCloseable {
        /** The links of node 0 or 1; handlers may be named until {@link #start}. */
        Links links(int node);

        NodeId id(int node);

        void start();

        /** Nothing passes between the two any more, and nobody is told. */
        void cut();

        void heal();

        /** Lets time pass until the condition holds; fails when it does not within that time. */
        void until(String what, Duration within, BooleanSupplier condition);

        @Override
        void close();
    }

    private final Net net = net();
    protected final RecordingHandler at0 = new RecordingHandler();
    protected final RecordingHandler at1 = new RecordingHandler();

    /** Makes the two nodes, not yet started. */
    protected abstract Net net();

    @AfterEach
    void end() {
        net.close();
    }

    private void started() {
        for (Channel channel : List.of(Channel.SWARM, Channel.CHANGES, Channel.BLOBS)) {
            net.links(0).handle(channel, at0);
            net.links(1).handle(channel, at1);
        }
        net.start();
        net.until("both see the link", SOON, () -> isUp(0) && isUp(1));
    }

    private boolean isUp(int node) {
        return net.links(node).states().stream().anyMatch(LinkState::up);
    }

    private byte[] answer(CompletionStage<byte[]> stage) {
        CompletableFuture<byte[]> future = stage.toCompletableFuture();
        net.until("an answer", SOON, future::isDone);
        return future.join();
    }

    private LinkException failure(CompletionStage<?> stage, Duration within) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        net.until("a failure", within, future::isDone);
        try {
            future.get();
            throw new AssertionError("it did not fail");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LinkException failure) {
                return failure;
            }
            throw new AssertionError("it failed otherwise", e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void anAskIsAnsweredInBothDirections() {
        at1.answering(request ->
                CompletableFuture.completedStage(bytes("1 heard " + new String(request, StandardCharsets.UTF_8))));
        started();
        assertThat(answer(net.links(0).ask(net.id(1), Channel.SWARM, bytes("hi"), SOON)))
                .isEqualTo(bytes("1 heard hi"));
        assertThat(answer(net.links(1).ask(net.id(0), Channel.BLOBS, bytes("echo"), SOON)))
                .isEqualTo(bytes("echo"));
    }

    @Test
    void messagesOfOneChannelKeepTheirOrderWhateverTheirSize() {
        started();
        Random random = new Random(7);
        int[] sizes = {0, 1, 65535, 65536, 65537, 200_000, 3, 1 << 20, 12};
        byte[][] sent = new byte[sizes.length][];
        for (int i = 0; i < sizes.length; i++) {
            sent[i] = new byte[sizes[i]];
            random.nextBytes(sent[i]);
            net.links(0).send(net.id(1), Channel.CHANGES, sent[i], SOON);
        }
        net.until("all messages", SOON, () -> at1.messages().size() == sizes.length);
        assertThat(at1.messages().toArray(new byte[0][])).isDeepEqualTo(sent);
        assertThat(at1.senders()).containsOnly(net.id(0));
    }

    @Test
    void theLargestMessageAndTheLargestAnswerPass() {
        started();
        byte[] largest = new byte[4 << 20];
        new Random(8).nextBytes(largest);
        assertThat(answer(net.links(0).ask(net.id(1), Channel.BLOBS, largest, SOON)))
                .isEqualTo(largest);
    }

    @Test
    void aMessageThatIsTooLargeIsRefusedWithTheLimit() {
        started();
        LinkException error = failure(net.links(0).send(net.id(1), Channel.BLOBS, new byte[(4 << 20) + 1], SOON), SOON);
        assertThat(error.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(error).hasMessageContaining("4194304");
    }

    @Test
    void aMessageIsTheCallersAgainOnceItIsSent() {
        started();
        byte[] mine = bytes("before");
        net.links(0).send(net.id(1), Channel.CHANGES, mine, SOON);
        mine[0] = 'X';
        net.until("the message", SOON, () -> at1.messages().size() == 1);
        assertThat(at1.texts()).containsExactly("before");
    }

    @Test
    void theReasonOfAHandlersFailureReachesTheAsker() {
        at1.answering(request -> CompletableFuture.failedStage(new IllegalStateException("disk full")));
        started();
        LinkException error = failure(net.links(0).ask(net.id(1), Channel.SWARM, bytes("x"), SOON), SOON);
        assertThat(error.reason()).isEqualTo(Reason.REFUSED);
        assertThat(error).hasMessage("disk full");
    }

    @Test
    void aHandlerThatThrowsIsAFailureToo() {
        at1.answering(request -> {
            throw new IllegalArgumentException("no such thing");
        });
        started();
        LinkException error = failure(net.links(0).ask(net.id(1), Channel.SWARM, bytes("x"), SOON), SOON);
        assertThat(error.reason()).isEqualTo(Reason.REFUSED);
        assertThat(error).hasMessage("no such thing");
    }

    @Test
    void aChannelThatNobodyHandlesIsRefusedByName() {
        started();
        LinkException error = failure(net.links(0).ask(net.id(1), Channel.RAFT, bytes("x"), SOON), SOON);
        assertThat(error.reason()).isEqualTo(Reason.REFUSED);
        assertThat(error).hasMessageContaining("RAFT");
    }

    @Test
    void anAskThatIsNotAnsweredTimesOut() {
        at1.answering(request -> new CompletableFuture<>());
        started();
        LinkException error =
                failure(net.links(0).ask(net.id(1), Channel.SWARM, bytes("x"), Duration.ofMillis(300)), SOON);
        assertThat(error.reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(error).hasMessageContaining("300 ms");
    }

    @Test
    void aSendWaitsForALinkUntilItsDeadline() {
        net.cut();
        net.start();
        LinkException error =
                failure(net.links(0).send(net.id(1), Channel.CHANGES, bytes("x"), Duration.ofMillis(400)), SOON);
        assertThat(error.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(error).hasMessageContaining("400 ms");
    }

    @Test
    void whatWaitsForALinkGoesWhenItComes() {
        net.links(1).handle(Channel.CHANGES, at1);
        net.cut();
        net.start();
        CompletableFuture<Void> sent = net.links(0)
                .send(net.id(1), Channel.CHANGES, bytes("patience"), Duration.ofSeconds(30))
                .toCompletableFuture();
        net.heal();
        net.until("the message", Duration.ofSeconds(30), () -> at1.texts().equals(List.of("patience")));
        net.until("the sender knows", SOON, sent::isDone);
        assertThat(sent).isCompleted();
    }

    @Test
    void aCutIsNoticedTheAskBreaksAndAHealIsNoticed() {
        List<String> news = new CopyOnWriteArrayList<>();
        List<String> why = new CopyOnWriteArrayList<>();
        List<List<String>> silent = new CopyOnWriteArrayList<>();
        net.links(0).listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                news.add("up");
            }

            @Override
            public void down(NodeId peer, String reason) {
                news.add("down");
                why.add(reason);
            }

            @Override
            public void silent(NodeId peer) {
                silent.add(List.copyOf(news));
            }
        });
        at1.answering(request -> new CompletableFuture<>());
        started();
        CompletionStage<byte[]> ask = net.links(0).ask(net.id(1), Channel.SWARM, bytes("x"), Duration.ofSeconds(60));
        net.until("told of the link", SOON, () -> news.size() == 1);
        net.cut();
        net.until("0 notices", Duration.ofSeconds(30), () -> !isUp(0));
        assertThat(failure(ask, SOON).reason()).isEqualTo(Reason.BROKEN);
        net.until("1 notices", Duration.ofSeconds(30), () -> !isUp(1));
        net.until("told of the cut", SOON, () -> news.size() >= 2);
        if (why.get(0).startsWith("no answer")) {
            assertThat(silent).as("told of the silence before").containsExactly(List.of("up"));
        }
        net.heal();
        net.until("linked again", Duration.ofSeconds(30), () -> isUp(0) && isUp(1));
        net.until("told of it", SOON, () -> news.size() >= 3);
        assertThat(news.subList(0, 3)).containsExactly("up", "down", "up");
        at1.answering(CompletableFuture::completedStage);
        assertThat(answer(net.links(0).ask(net.id(1), Channel.SWARM, bytes("back"), SOON)))
                .isEqualTo(bytes("back"));
    }

    @Test
    void theStateOfALinkTellsItsRoundTripAndItsBytes() {
        started();
        answer(net.links(0).ask(net.id(1), Channel.SWARM, new byte[1000], SOON));
        net.until("a round trip", SOON, () -> net.links(0).states().get(0).roundTrip() != null);
        LinkState state = net.links(0).states().get(0);
        assertThat(state.peer()).isEqualTo(net.id(1));
        assertThat(state.sentBytes()).isGreaterThanOrEqualTo(1000);
        assertThat(state.receivedBytes()).isGreaterThanOrEqualTo(1000);
        assertThat(state.lastError()).isNull();
    }

    @Test
    void onlyOneSideSaysThatItDialled() {
        started();
        assertThat(net.links(0).states().get(0).dialled())
                .isNotEqualTo(net.links(1).states().get(0).dialled());
    }

    @Test
    void closedLinksFailWhatWaitsAndWhatComes() {
        at1.answering(request -> new CompletableFuture<>());
        started();
        CompletionStage<byte[]> waiting = net.links(0).ask(net.id(1), Channel.SWARM, bytes("x"), SOON);
        net.links(0).close();
        assertThat(failure(waiting, SOON).reason()).isIn(Reason.CLOSED, Reason.BROKEN);
        assertThat(failure(net.links(0).send(net.id(1), Channel.SWARM, bytes("x"), SOON), SOON)
                        .reason())
                .isEqualTo(Reason.CLOSED);
        net.until("the other side notices", SOON, () -> !isUp(1));
    }

    @Test
    void aChannelHasOneHandler() {
        net.links(0).handle(Channel.SWARM, at0);
        assertThatThrownBy(() -> net.links(0).handle(Channel.SWARM, at1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("SWARM");
    }
}
