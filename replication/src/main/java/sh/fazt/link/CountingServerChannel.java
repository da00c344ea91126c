package sh.fazt.link;

import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The listening socket; counts what comes in and turns away what is too much. Confined to its event loop. */
final class CountingServerChannel extends NioServerSocketChannel {
    /** A swarm of a hundred nodes and its clients, with room; each costs a socket and a TLS session. */
    private static final int MAX_OPEN = 1024;

    private final Counts counts;
    private final AtomicInteger open = new AtomicInteger();

    CountingServerChannel(Counts counts) {
        this.counts = counts;
    }

    @Override
    protected int doReadMessages(List<Object> into) throws Exception {
        int read = super.doReadMessages(into);
        if (read > 0 && into.get(into.size() - 1) instanceof NioSocketChannel accepted) {
            counts.accepted.increment();
            if (open.incrementAndGet() > MAX_OPEN) {
                open.decrementAndGet();
                counts.turnedAway.increment();
                into.remove(into.size() - 1);
                accepted.unsafe().closeForcibly();
                return 0;
            }
            accepted.closeFuture().addListener(closed -> open.decrementAndGet());
        }
        return read;
    }
}
