package sh.fazt.runtime;

import java.util.List;
import java.util.Objects;

/** How an invocation ended. */
public sealed interface Result {

    /**
     * The script answered.
     *
     * @param status 100 to 999
     * @param contentType ready to send
     * @param headers the script's other headers; never Content-Type, Content-Length or a hop-by-hop one
     * @param body ready to send; not copied
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, not shared
    record Response(int status, String contentType, List<Header> headers, byte[] body) implements Result {
        public Response {
            Objects.requireNonNull(contentType);
            headers = List.copyOf(headers);
            Objects.requireNonNull(body);
        }
    }

    /**
     * The script did not answer. The same text has been written to the app's log at level error.
     *
     * @param message one line, fit for the app's author; says which budget was used up, where it threw
     * @param stack {@code at name (file:line:column)} lines in terms of the deployed files, or empty
     */
    record Failed(Reason reason, String message, String stack) implements Result {
        public Failed {
            Objects.requireNonNull(reason);
            Objects.requireNonNull(message);
            Objects.requireNonNull(stack);
        }
    }

    /** Why there is no response, and thereby what the caller can do. */
    enum Reason {
        /** The release has no {@code api/main.js}. */
        NO_ENTRY,
        /** A file does not compile. Never again for this release. */
        SYNTAX,
        /** An uncaught error, or a promise that was rejected. */
        THREW,
        /** The time of the budget was used up, by computing or by waiting. */
        TIMEOUT,
        /** Calls were nested too deeply. */
        RECURSION,
        /** The memory of the budget was used up. */
        MEMORY,
        /** The result can't be turned into bytes: a cycle, a function, a status that is no status. */
        UNSERIALISABLE,
        /** The response is larger than the budget allows. */
        TOO_LARGE,
        /** The body is not what its Content-Type says. The visitor's mistake. */
        BAD_REQUEST,
        /** A write was refused, since the disk is full or can't be written, and the script did not catch it. */
        NO_STORAGE,
        /** Too many invocations of this app are running and waiting. Retry shortly. */
        OVERLOADED
    }
}
