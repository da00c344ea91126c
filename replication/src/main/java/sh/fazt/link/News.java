package sh.fazt.link;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;

/** Tells the listeners, one thing after the other, on the handlers' executor. Thread-safe: one short lock. */
final class News {
    private final GrpcLinks links;
    private final List<Links.Listener> listeners;
    private final ArrayDeque<Consumer<Links.Listener>> untold = new ArrayDeque<>();
    private boolean telling;

    News(GrpcLinks links, List<Links.Listener> listeners) {
        this.links = links;
        this.listeners = listeners;
    }

    void tell(Consumer<Links.Listener> what) {
        synchronized (untold) {
            untold.add(what);
            if (telling) {
                return;
            }
            telling = true;
        }
        links.finish(this::tellAll);
    }

    private void tellAll() {
        while (true) {
            Consumer<Links.Listener> next;
            synchronized (untold) {
                next = untold.poll();
                if (next == null) {
                    telling = false;
                    return;
                }
            }
            for (Links.Listener listener : listeners) {
                try {
                    next.accept(listener);
                } catch (RuntimeException e) {
                    links.handlerFailed(Channel.MEMBERSHIP, e);
                }
            }
        }
    }
}
