package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A body that is read while it arrives. A mailbox between the connection's {@code http} thread, which fills it,
 * and one {@code api} thread, which reads it; bounded, because the connection stops reading from its socket while
 * the mailbox is full.
 */
final class StreamedBody extends InputStream implements Body {
    private static final int FULL = 512 << 10;
    private static final int ROOM = 128 << 10;
    /** Longer than the connection lets a body stall: it is the one to end a stall. */
    private static final long WAIT_SECONDS = 120;

    private static final ByteBuf END = Unpooled.unreleasableBuffer(Unpooled.buffer(0, 0));

    /** What the connection does for its body; called on any thread. */
    interface Source {
        /** The handler wants the body: a client that waits for leave may send it. */
        void wanted();

        /** There is room again. */
        void room();
    }

    private final Source source;
    private final long declared;
    private final BlockingQueue<ByteBuf> parts = new LinkedBlockingQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private volatile @Nullable RuntimeException failure;
    private volatile boolean discarded;
    private boolean asked;
    private ByteBuf current = Unpooled.EMPTY_BUFFER;

    /** @param declared the length that the head announced, or -1 */
    StreamedBody(Source source, long declared) {
        this.source = source;
        this.declared = declared;
    }

    /** Takes a part; false when the socket should not be read until there is room. On the {@code http} thread. */
    boolean add(ByteBuf part) {
        if (discarded || !part.isReadable()) {
            return true;
        }
        int after = queued.addAndGet(part.readableBytes());
        parts.add(part.retain());
        if (discarded) {
            drop();
        }
        return after < FULL;
    }

    void end() {
        parts.add(END);
    }

    /** Nothing more will come: whoever reads fails with this. */
    void fail(RuntimeException why) {
        failure = why;
        parts.add(END);
    }

    @Override
    public long length() {
        return declared;
    }

    @Override
    public InputStream open() {
        return this;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int most) throws IOException {
        if (most == 0) {
            return 0;
        }
        if (!asked) {
            asked = true;
            source.wanted();
        }
        while (!current.isReadable()) {
            if (current == END) {
                return ended();
            }
            current.release();
            current = Unpooled.EMPTY_BUFFER;
            try {
                ByteBuf next = parts.poll(WAIT_SECONDS, TimeUnit.SECONDS);
                if (next == null) {
                    throw new IOException("the body stopped coming");
                }
                current = next;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("this node is stopping", e);
            }
        }
        int count = Math.min(most, current.readableBytes());
        current.readBytes(into, from, count);
        int before = queued.getAndAdd(-count);
        if (before >= ROOM && before - count < ROOM) {
            source.room();
        }
        return count;
    }

    private int ended() {
        RuntimeException why = failure;
        if (why != null) {
            throw why;
        }
        return -1;
    }

    /** The handler has returned: what it did not read is dropped. On the thread that read. */
    @Override
    public void discard() {
        discarded = true;
        current.release();
        current = END;
        drop();
    }

    private void drop() {
        for (ByteBuf part = parts.poll(); part != null; part = parts.poll()) {
            part.release();
        }
    }
}
