package sh.fazt.node.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;

/** Where requests go. Thread-safe. */
public interface Dispatcher {
    /**
     * Answers at once on the {@code http} thread if a ready response is at hand. Writes whole responses and
     * does not flush.
     */
    boolean serveReady(ChannelHandlerContext context, HttpRequest request);

    /** How the body of this request is to be taken; asked on the {@code http} thread, when only the head is known. */
    BodyPlan plan(Exchange exchange);

    /** Answers on an {@code api} thread. What it throws becomes a 500. */
    void handle(Exchange exchange) throws Exception;

    /**
     * How a body is taken. Immutable.
     *
     * @param streamed whether the request is handled while its body still arrives, so that whoever asks can be
     *     checked before anything is kept; else it is collected in memory first
     * @param most     how many bytes it may have; more are answered with 413
     */
    record BodyPlan(boolean streamed, long most) {}
}
