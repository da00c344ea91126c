package sh.fazt.runtime;

import java.time.Duration;
import java.util.Objects;

/**
 * The runtime's own limits. Immutable.
 *
 * @param workers most invocations that run at once, in all
 * @param workersPerApp most of them for one app, so that its runaways leave room for others
 * @param waitingPerApp invocations of one app that may wait for a worker before the next is refused
 * @param idleAfter realms of an app that was not called for so long are dropped
 */
public record RuntimeOptions(int workers, int workersPerApp, int waitingPerApp, Duration idleAfter) {
    public static final RuntimeOptions DEFAULT = new RuntimeOptions(16, 6, 512, Duration.ofMinutes(10));

    public RuntimeOptions {
        Objects.requireNonNull(idleAfter);
        if (workers < 2 || workersPerApp < 1 || workersPerApp >= workers || waitingPerApp < 1) {
            throw new IllegalArgumentException("one app must leave a worker to others: workers=" + workers
                    + " workersPerApp=" + workersPerApp + " waitingPerApp=" + waitingPerApp);
        }
    }
}
