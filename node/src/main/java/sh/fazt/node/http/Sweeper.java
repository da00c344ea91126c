package sh.fazt.node.http;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Looks at every connection of one event loop once a second, so that no request has to look at a clock.
 * Confined to its {@code http} thread.
 */
final class Sweeper {
    private static final FastThreadLocal<Sweeper> OF_LOOP = new FastThreadLocal<>() {
        @Override
        protected Sweeper initialValue() {
            return new Sweeper();
        }
    };

    private final Set<Connection> connections = Collections.newSetFromMap(new IdentityHashMap<>());
    private boolean running;
    /** Seconds, while there are connections. */
    private int second;

    private Sweeper() {}

    /** The sweeper of the event loop that this is called on. */
    static Sweeper here() {
        return OF_LOOP.get();
    }

    void add(Connection connection, EventLoop loop) {
        connections.add(connection);
        if (!running) {
            running = true;
            again(loop);
        }
    }

    void remove(Connection connection) {
        connections.remove(connection);
    }

    int second() {
        return second;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // It schedules itself.
    private void again(EventLoop loop) {
        loop.schedule(
                () -> {
                    second++;
                    new ArrayList<>(connections).forEach(connection -> connection.sweep(second));
                    if (connections.isEmpty()) {
                        running = false;
                    } else {
                        again(loop);
                    }
                },
                1,
                TimeUnit.SECONDS);
    }
}
