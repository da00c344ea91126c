package sh.fazt.runtime.engine;

import sh.fazt.runtime.Request;
import sh.fazt.runtime.Result;

/** One global scope. Used by one thread at a time, not always the same; the thread has a running meter. */
public interface Realm {
    /**
     * Answers a request: runs the entry and the event loop until the result is there.
     *
     * @throws sh.fazt.runtime.sandbox.Kill when the meter stopped it; the realm is then of no use any more
     */
    Result run(Request request, int responseBytes);

    /** Whether it can run again: it can't when a script left something in the global scope. */
    boolean reusable();
}
