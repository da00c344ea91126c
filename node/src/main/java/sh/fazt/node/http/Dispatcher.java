package sh.fazt.node.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;

/** Where requests go. */
public interface Dispatcher {
    /**
     * Answers at once on the {@code http} thread if a ready response is at hand. Writes whole responses and
     * does not flush.
     */
    boolean serveReady(ChannelHandlerContext context, HttpRequest request);

    /** How long a body this request may have; a longer one is answered with 413. */
    long bodyLimit(HttpRequest request);

    /** Answers on an {@code api} thread. What it throws becomes a 500. */
    void handle(Exchange exchange) throws Exception;
}
