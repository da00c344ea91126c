package sh.fazt.node.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;

/** Replies as the encoder wants them. Writing is for the {@code http} thread; nothing is flushed. */
@SuppressWarnings("FutureReturnValueIgnored") // A write that fails ends its channel, which is heard of there.
final class Replies {
    private Replies() {}

    /** The head; fails with {@code IllegalArgument} when a header is none. */
    static HttpResponse head(Dates dates, Reply reply) {
        DefaultHttpResponse head =
                new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(reply.status()));
        for (int i = 0; i < reply.headers().size(); i += 2) {
            head.headers().add(reply.headers().get(i), reply.headers().get(i + 1));
        }
        if (hasBody(reply.status())) {
            head.headers().set(HttpHeaderNames.CONTENT_LENGTH, reply.content().length());
        }
        head.headers().set(HttpHeaderNames.DATE, dates.text());
        return head;
    }

    static boolean hasBody(int status) {
        return status != 304 && status != 204;
    }

    /** A reply that is in memory, but for its end. */
    static void whole(Channel channel, Dates dates, Reply reply) {
        channel.write(head(dates, reply));
        channel.write(new DefaultHttpContent(Unpooled.wrappedBuffer(
                reply.content().read(0, (int) reply.content().length()))));
    }

    static ChannelFuture end(Channel channel) {
        return channel.write(LastHttpContent.EMPTY_LAST_CONTENT);
    }
}
