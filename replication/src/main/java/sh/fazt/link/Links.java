package sh.fazt.link;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import sh.fazt.identity.NodeId;

/**
 * Every link of this node. The rooms above know node ids, channels and bytes; TLS, gRPC, addresses and
 * who dialled are known here only. In simulation the same interface is a seeded network.
 *
 * <p>Thread-safe. Handlers and listeners are called on link threads: they must hand over and return.
 */
public interface Links extends AutoCloseable {
    /**
     * Sends one message, in order with the others of its channel. Messages above 64 KiB are split and put
     * together again below this interface; the limit is 4 MiB.
     *
     * @param deadline how long to wait for a link and for room in its window
     * @return completes when the lane took the message, which says nothing of its arrival; else fails with
     *     {@link LinkException}
     */
    CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline);

    /** Sends a request and waits for its answer; fails with {@link LinkException}, with the peer's reason if it has one. */
    CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline);

    /** Names the one handler of a channel; before the links are started. */
    void handle(Channel channel, Handler handler);

    /** Told of every link that comes up or goes down, in order. */
    void listen(Listener listener);

    /** A room can't read what came on its channel: {@link #misbehaved}. */
    default void malformed(NodeId from, Channel channel) {
        misbehaved(from, Fault.MALFORMED, "a message on " + channel + " that can't be read");
    }

    /** A member did what none does: it is counted and named for it. Links that name nobody do nothing. */
    default void misbehaved(NodeId from, Fault kind, String what) {}

    /** Every known peer's link, up or not; an immutable snapshot. */
    List<LinkState> states();

    @Override
    void close();

    /** What a room does with what arrives on its channel. */
    interface Handler {
        void message(NodeId from, byte[] message);

        /** Answers a request, with bytes that nobody changes any more; a failed stage goes back to the asker as its reason. */
        CompletionStage<byte[]> request(NodeId from, byte[] request);
    }

    /** Hears of links. A broken connection is evidence for membership, not a verdict. */
    interface Listener {
        void up(NodeId peer);

        void down(NodeId peer, String reason);

        /**
         * A linked peer is late with its answer to a ping, which comes long before its silence ends the link: told once
         * until it answers. Evidence at most.
         */
        default void silent(NodeId peer) {}

        /**
         * A member breaks the rules of its link, or floods this node: told at most once a minute for each kind.
         *
         * @param times how often it has done that so far
         */
        default void misbehaves(NodeId peer, Fault kind, long times, String what) {}

        /** A peer has no link with this node because this node was evicted. */
        default void evicted(NodeId peer, String reason) {}
    }
}
