package sh.fazt.runtime;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import sh.fazt.runtime.engine.Realm;
import sh.fazt.runtime.module.Modules;

/** What belongs to one app: its waiting invocations and its idle realms. Guarded by the lock of {@link Lanes}. */
final class Lane {
    final String appId;
    final Deque<Job> waiting = new ArrayDeque<>();
    final Deque<Realm> idle = new ArrayDeque<>();
    int running;
    int realms;
    /** How many may run at once now: grows while what runs does not get done. */
    int allowed;

    /** How many of the running ones began without a realm. */
    int opening;

    int quick;
    boolean ready;
    long lastProgress;
    String releaseId = "";

    @Nullable
    Modules modules;

    Lane(String appId, int allowed) {
        this.appId = appId;
        this.allowed = allowed;
    }

    boolean mayStart() {
        return !waiting.isEmpty() && running < allowed;
    }
}
