package sh.fazt.hosting.release;

import java.util.List;
import java.util.concurrent.CompletionException;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.change.Scope;

/**
 * Keeps an app's history as long as a person goes back in it. What is removed, is removed by ordinary deletions, so
 * every node of the app removes it, once. Thread-safe.
 */
public final class ReleaseHistory {
    /** The newest of an app stay, for rollback; the active one stays whatever its age. */
    public static final int KEPT = 10;

    /** Of one transaction, as writes wait for it; a release goes as a whole. */
    private static final int MOST_FILES = 20_000;

    private final Cartridge cartridge;

    public ReleaseHistory(Cartridge cartridge) {
        this.cartridge = cartridge;
    }

    /**
     * Removes old releases of an app; answers how many. To be called where nobody is about to make one of them active
     * elsewhere, see {@code Swarm.mayTidy}.
     */
    public int prune(String app) {
        int removed = 0;
        while (!cartridge.read(rows -> old(rows, app)).isEmpty()) {
            int now = removeSome(app);
            if (now == 0) {
                break;
            }
            removed += now;
        }
        return removed;
    }

    private static List<String> old(Rows rows, String app) {
        return rows.query(
                "SELECT id FROM release_live WHERE scope = ?1 AND id NOT IN (SELECT release FROM app_active_live"
                        + " WHERE scope = ?1 AND id = ?1 AND release IS NOT NULL)"
                        + " AND id NOT IN (SELECT id FROM release_live WHERE scope = ?1 ORDER BY id DESC LIMIT ?2)"
                        + " ORDER BY id",
                row -> row.text(0),
                app,
                (long) KEPT);
    }

    private int removeSome(String app) {
        try {
            return cartridge
                    .write(new Scope(app), tx -> {
                        int removed = 0;
                        int files = 0;
                        for (String release : old(tx, app)) {
                            List<String> paths = tx.query(
                                    "SELECT path FROM release_file_live WHERE scope = ? AND release = ?",
                                    row -> row.text(0),
                                    app,
                                    release);
                            if (removed > 0 && files + paths.size() > MOST_FILES) {
                                break;
                            }
                            paths.forEach(path -> tx.delete("release_file", List.of(release, path)));
                            tx.delete("release", List.of(release));
                            files += paths.size();
                            removed++;
                        }
                        return removed;
                    })
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
