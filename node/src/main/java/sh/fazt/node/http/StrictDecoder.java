package sh.fazt.node.http;

import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;

/** Takes nothing that a proxy before this node might read in another way. Confined to its connection. */
final class StrictDecoder extends HttpRequestDecoder {
    StrictDecoder() {
        super(new HttpDecoderConfig()
                .setMaxInitialLineLength(HttpServer.LINE)
                .setMaxHeaderSize(HttpServer.HEAD)
                .setMaxChunkSize(64 << 10));
    }

    /** RFC 9112 section 6.1 lets a server choose; the lengths of the two contradict each other. */
    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
        throw new IllegalArgumentException("it has both Content-Length and Transfer-Encoding");
    }
}
