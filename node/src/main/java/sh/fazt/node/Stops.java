package sh.fazt.node;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How what was started is stopped again: start reversed, whether the start was whole or failed half way. No step
 * keeps the next from being tried. Confined to the thread that starts and, after that, the one that stops.
 */
final class Stops {
    private static final Logger LOG = LoggerFactory.getLogger(Stops.class);
    private static final long PATIENCE_SECONDS = 2;

    private final Deque<Step> steps = new ArrayDeque<>();

    private record Step(String what, AutoCloseable how) {}

    /** To be called as soon as there is something to stop; answers it. */
    <T extends AutoCloseable> T add(String what, T started) {
        steps.push(new Step(what, started));
        return started;
    }

    <T extends ThreadPoolExecutor> T add(T started, String what) {
        steps.push(new Step(what, () -> end(started)));
        return started;
    }

    private static void end(ThreadPoolExecutor executor) throws InterruptedException {
        executor.shutdownNow();
        if (!executor.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            LOG.warn("work was still going on at the stop threads={}", executor.getActiveCount());
        }
    }

    void run() {
        while (!steps.isEmpty()) {
            Step step = steps.pop();
            try {
                step.how().close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                LOG.error("could not stop {}", step.what(), e);
            }
        }
    }
}
