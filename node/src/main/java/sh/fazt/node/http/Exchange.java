package sh.fazt.node.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One request and its one reply. Confined to the thread that it was handed to; replying is thread-safe. */
public interface Exchange {
    String method();

    /** The path as it came, without the query. */
    String rawPath();

    /** The query as it came, without the question mark; empty where there is none. */
    String query();

    /** The Host header in lower case without its port; empty where there is none. */
    String host();

    /** The port of the Host header with its colon, for links back; empty where it has none. */
    String hostPort();

    @Nullable
    String header(String name);

    /** Every header in the order they came. */
    List<Map.Entry<String, String>> headers();

    /** The visitor's address. */
    String ip();

    /** Whether the visitor is on this machine, see {@link OwnMachine}. */
    boolean fromHere();

    long bodyLength();

    /** The body from its start. */
    InputStream body() throws IOException;

    /** The whole body; only where the limit is known to be small. */
    byte[] bodyBytes() throws IOException;

    /** Answers; a second answer is a programmer's error. */
    void reply(Reply reply);

    /** Answers with an event stream that stays open until the visitor leaves or it is closed. */
    EventStream events();

    /** Server-sent events. Thread-safe. */
    interface EventStream {
        /** Sends one event; answers false once the visitor has left. Dropped when the visitor reads too slowly. */
        boolean send(String event, String data);

        void close();
    }
}
