package sh.fazt.swarm;

import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.CartridgeException;

/**
 * What a node has to do by itself, where it may block. What found no room, or failed, is made up for: whoever gives it
 * does so again. Thread-safe.
 */
final class Chores {
    private static final Logger LOG = LoggerFactory.getLogger(Chores.class);

    private final Executor io;
    private final BooleanSupplier closed;
    private final AtomicBoolean missed = new AtomicBoolean();
    /** What the cartridge refused the last time: a disk may be full for days, and is named by health and events. */
    private final Set<String> refused = ConcurrentHashMap.newKeySet();

    /** @param closed whether failures are to be expected */
    Chores(Executor io, BooleanSupplier closed) {
        this.io = io;
        this.closed = closed;
    }

    /** Whether something was missed since this was asked last. */
    boolean missed() {
        return missed.compareAndSet(true, false);
    }

    /** Does it soon. */
    void soon(String what, Runnable task) {
        try {
            io.execute(() -> {
                try {
                    task.run();
                    if (refused.remove(what)) {
                        LOG.info("what the cartridge refused is done what=\"{}\"", what);
                    }
                } catch (RuntimeException | Error e) {
                    missed.set(true);
                    if (!closed.getAsBoolean()) {
                        complain(what, e);
                    }
                }
            });
        } catch (RejectedExecutionException busy) {
            missed.set(true);
        }
    }

    /** Of what the cartridge refuses the reason is enough, and once, until it is done. */
    private void complain(String what, Throwable e) {
        Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
        if (!(cause instanceof CartridgeException)) {
            LOG.warn("could not {}; it is tried again", what, e);
        } else if (refused.add(what)) {
            LOG.warn("could not {}; it is tried again until it can be done why={}", what, cause.getMessage());
        }
    }
}
