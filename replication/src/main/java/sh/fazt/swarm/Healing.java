package sh.fazt.swarm;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.sync.HeldBack.Outcome;
import sh.fazt.sync.SyncService;

/**
 * Has blobs that were found damaged here fetched from other members at once, and tells the owner what came of it. What
 * nobody can give now stays wanted. Thread-safe.
 */
final class Healing {
    private static final Logger LOG = LoggerFactory.getLogger(Healing.class);
    /** Of one damaged chunk at most a megabyte has to come. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final int NAMED = 5;

    /** Of a file that can't be mended. */
    static final String WAY_OUT = "restore a backup, or, where other members have everything, stop this node, put its"
            + " cartridge aside, start it anew and have it join with a new token";

    private final SyncService sync;
    private final SwarmEvents events;

    Healing(SyncService sync, SwarmEvents events) {
        this.sync = sync;
        this.events = events;
    }

    /** Blobs were found damaged. Never waits. */
    void damaged(Set<String> blobs) {
        String named = named(blobs);
        LOG.error("what is stored here is not what was stored, as on a failing disk blobs={}", named);
        events.add(
                "blob-damaged",
                null,
                named + (blobs.size() == 1 ? " is" : " are") + " damaged here",
                "the stored bytes do not hash to their name or can't be read, as on a failing disk; the right ones are"
                        + " fetched from other members");
        List<CompletableFuture<Outcome>> coming = blobs.stream()
                .map(blob -> sync.fetch(blob, PATIENCE).toCompletableFuture())
                .toList();
        CompletableFuture.allOf(coming.toArray(CompletableFuture[]::new)).whenComplete((all, failed) -> {
            if (coming.stream().allMatch(one -> !one.isCompletedExceptionally() && one.join() == Outcome.HERE)) {
                LOG.warn("what was damaged has come from other members blobs={}", named);
                events.add("repair", null, named + " came again from other members", "");
            } else {
                LOG.error("no linked member has what is damaged here blobs={}", named);
                events.add(
                        "blob-damaged",
                        null,
                        named + " can't be had now",
                        "no linked member has what is damaged here; it is sought again whenever one is linked, and what"
                                + " is left of it is kept until then");
            }
        });
    }

    /** Blobs can't be read here, and nothing can come in their place. Never waits. */
    void stuck(Set<String> blobs) {
        String named = named(blobs);
        LOG.error("pages of the cartridge can't be read and can't be replaced blobs={}", named);
        events.add(
                "blob-damaged",
                null,
                named + " can't be read here, nor replaced",
                "a page of the cartridge is damaged, as on a failing disk: " + WAY_OUT);
    }

    private static String named(Set<String> blobs) {
        return (blobs.size() == 1 ? "blob " : blobs.size() + " blobs, among them ")
                + blobs.stream().limit(NAMED).collect(Collectors.joining(", "));
    }
}
