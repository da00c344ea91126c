package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A small body that is gathered in memory before its request is handled. What all connections gather together
 * is bounded. Filled on the {@code http} thread, then read on one {@code api} thread.
 */
final class CollectedBody implements Body {
    /** What all connections may gather at once; beyond it, requests with bodies are told to come back. */
    static final long MOST_TOGETHER = 64L << 20;

    private final AtomicLong together;
    private byte[] bytes = new byte[0];
    private int length;

    CollectedBody(AtomicLong together) {
        this.together = together;
    }

    /** Takes a part; false when there is no memory left for it. */
    boolean add(ByteBuf part) {
        int more = part.readableBytes();
        if (length + more > bytes.length) {
            int room = Math.max(length + more, Math.min(bytes.length * 2, 1 << 20));
            if (together.addAndGet(room - bytes.length) > MOST_TOGETHER) {
                together.addAndGet(bytes.length - room);
                return false;
            }
            bytes = Arrays.copyOf(bytes, room);
        }
        part.readBytes(bytes, length, more);
        length += more;
        return true;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public InputStream open() {
        return new ByteArrayInputStream(bytes, 0, length);
    }

    @Override
    public void discard() {
        together.addAndGet(-bytes.length);
        bytes = new byte[0];
        length = 0;
    }
}
