package sh.fazt.node;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Unused;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.hosting.release.ReleaseHistory;
import sh.fazt.node.api.Json;

/**
 * What a node tidies up every hour: expired values, releases beyond the history, and what no row refers to any more. What
 * that frees is given back to the disk. Thread-safe; a turn blocks.
 */
final class Housekeeping {
    private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);

    /** What no row refers to stays for so long: a deploy that goes on tomorrow finds what it has uploaded. */
    static final Duration GRACE = Duration.ofDays(1);

    /** Of one turn; what is left waits for the next. */
    private static final int MOST_SWEEPS = 100;

    private final SqliteCartridge cartridge;
    private final Apps apps;
    private final KeyValues data;
    private final ReleaseHistory history;
    private final Unused unused;
    private final Predicate<Scope> mayTidy;
    private final LongSupplier seenByAll;
    private final InstantSource clock;
    private final LongAdder releases = new LongAdder();
    private final LongAdder blobs = new LongAdder();
    private final LongAdder bytes = new LongAdder();

    /**
     * @param mayTidy   whether this node may remove rows of a scope that the swarm needs no more
     * @param seenByAll up to when, in Unix milliseconds, every member has seen what was here: one that has not may be
     *     about to ask for what an earlier row refers to
     */
    Housekeeping(
            SqliteCartridge cartridge,
            Apps apps,
            KeyValues data,
            Predicate<Scope> mayTidy,
            LongSupplier seenByAll,
            InstantSource clock) {
        this.cartridge = cartridge;
        this.apps = apps;
        this.data = data;
        this.history = new ReleaseHistory(cartridge);
        this.unused = new Unused(cartridge);
        this.mayTidy = mayTidy;
        this.seenByAll = seenByAll;
        this.clock = clock;
    }

    /** A turn, where it may block. */
    void turnSoon(Executor io) {
        try {
            io.execute(() -> {
                try {
                    turn();
                } catch (RuntimeException e) {
                    // Thrown on, it would end the timer for good.
                    LOG.warn("what is not needed any more stays until the next turn", e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.warn("what is not needed any more stays until the next turn: the node is busy");
        }
    }

    void turn() {
        sweep();
        int pruned = 0;
        for (App app : apps.list()) {
            if (mayTidy.test(new Scope(app.id()))) {
                pruned += history.prune(app.id());
            }
        }
        releases.add(pruned);
        long now = clock.millis();
        Unused.Removed removed = unused.turn(now, Math.min(now - GRACE.toMillis(), seenByAll.getAsLong()));
        blobs.add(removed.blobs());
        bytes.add(removed.bytes());
        long freed = cartridge.shrink();
        if (pruned > 0 || removed.blobs() > 0) {
            LOG.info(
                    "what is not needed any more is removed releases={} blobs={} bytes={} given_back={}",
                    pruned,
                    removed.blobs(),
                    removed.bytes(),
                    freed);
        }
    }

    private void sweep() {
        int swept = 0;
        for (int i = 0, removed = 1; i < MOST_SWEEPS && removed > 0; i++) {
            removed = data.sweep();
            swept += removed;
        }
        if (swept > 0) {
            LOG.info("expired values removed count={}", swept);
        }
    }

    /** For the owner: how large the cartridge is, and what was removed from it since the start. */
    ObjectNode database() {
        Path file = cartridge.file();
        SqliteCartridge.Size size = cartridge.size();
        Unused.Removed waiting = unused.marked();
        return Json.object()
                .put("path", file.toString())
                .put("bytes", size.bytes())
                .put("free_bytes", size.free())
                .put("unused_bytes", waiting.bytes())
                .put("removed_releases", releases.sum())
                .put("removed_blobs", blobs.sum())
                .put("removed_bytes", bytes.sum());
    }

    /** The same in the text format of Prometheus. */
    String metrics() {
        SqliteCartridge.Size size = cartridge.size();
        StringBuilder text = new StringBuilder();
        metric(text, "gauge", "fazt_cartridge_bytes", "The cartridge's size.", size.bytes());
        metric(text, "gauge", "fazt_cartridge_free_bytes", "Of those, what holds nothing now.", size.free());
        metric(
                text,
                "counter",
                "fazt_collected_releases_total",
                "Releases beyond an app's history, removed by this node.",
                releases.sum());
        metric(text, "counter", "fazt_collected_blobs_total", "Blobs and chunks that no row referred to.", blobs.sum());
        metric(text, "counter", "fazt_collected_bytes_total", "The bytes of their chunks.", bytes.sum());
        return text.toString();
    }

    private static void metric(StringBuilder text, String type, String name, String help, long value) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        text.append(name).append(' ').append(value).append('\n');
    }
}
