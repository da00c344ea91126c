package sh.fazt.node.api;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import sh.fazt.node.http.Exchange;

/** Tells open admin pages that something changed: what, they ask. Thread-safe. */
@SuppressWarnings("FutureReturnValueIgnored") // Nobody waits for an event to be sent.
public final class ChangeEvents implements AutoCloseable {
    /** A page that reloads four times a second looks live; more would be load without use. */
    private static final long GATHER_MILLIS = 250;

    private static final long KEEP_ALIVE_SECONDS = 20;
    private static final int MOST_PAGES = 64;

    private final List<Exchange.EventStream> pages = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService timer;
    private final AtomicBoolean due = new AtomicBoolean();

    public ChangeEvents(ScheduledExecutorService timer) {
        this.timer = timer;
        timer.scheduleWithFixedDelay(
                () -> send("", "still here"), KEEP_ALIVE_SECONDS, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
    }

    /** Opens one page's stream; the oldest makes room. */
    void open(Exchange exchange) {
        if (pages.size() >= MOST_PAGES) {
            pages.remove(0).close();
        }
        Exchange.EventStream page = exchange.events();
        page.send("change", "{}");
        pages.add(page);
    }

    /** Something changed; may be called often and from any thread. */
    public void changed() {
        if (!pages.isEmpty() && due.compareAndSet(false, true)) {
            timer.schedule(
                    () -> {
                        due.set(false);
                        send("change", "{}");
                    },
                    GATHER_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    private void send(String event, String data) {
        pages.removeIf(page -> !page.send(event, data));
    }

    /** Ends every stream, so that the pages come back when the node does. */
    @Override
    public void close() {
        pages.forEach(Exchange.EventStream::close);
        pages.clear();
    }
}
