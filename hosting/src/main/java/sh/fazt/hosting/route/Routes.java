package sh.fazt.hosting.route;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.Rows;
import sh.fazt.hosting.release.Manifest;

/**
 * Which release answers for which host label. The table is an immutable snapshot that is replaced as a whole:
 * a reader takes no lock and never waits. Rebuilt on the given executor after commits that touch apps,
 * releases or names, and when a blob that a release waited for arrives. Thread-safe.
 */
public final class Routes implements CommitListener {
    /** What a bare domain answers with. */
    public static final String ROOT = "root";

    private static final Set<String> TABLES = Set.of("app", "app_active", "release", "release_file", "config_entry");

    private final Cartridge cartridge;
    private final AliasSource aliases;
    private final Executor executor;
    private final AtomicBoolean due = new AtomicBoolean();
    /** Routes by app as of the last rebuild: kept as they are where nothing changed. Confined to rebuilds. */
    private Map<String, Route> known = Map.of();

    private volatile Map<String, Route> byLabel = Map.of();
    private volatile Map<String, Route> byApp = Map.of();

    public Routes(Cartridge cartridge, Blobs blobs, AliasSource aliases, Executor executor) {
        this.cartridge = cartridge;
        this.aliases = aliases;
        this.executor = executor;
        cartridge.listen(this);
        blobs.listen(hash -> rebuildSoon());
        rebuild();
    }

    /** What answers for a label; null when nothing does. */
    public @Nullable Route find(String label) {
        return byLabel.get(label);
    }

    /** An app's route by its id, whatever labels lead to it. */
    public @Nullable Route ofApp(String app) {
        return byApp.get(app);
    }

    @Override
    public void committed(Commit commit) {
        for (Change change : commit.changed()) {
            if (TABLES.contains(change.table())) {
                rebuildSoon();
                return;
            }
        }
    }

    /** Names changed, or something else that the cartridge does not tell of. */
    public void rebuildSoon() {
        if (due.compareAndSet(false, true)) {
            executor.execute(() -> {
                due.set(false);
                rebuild();
            });
        }
    }

    private synchronized void rebuild() {
        Map<String, Route> next = cartridge.read(this::read);
        Map<String, Route> labels = new HashMap<>();
        // The smallest id answers to a name that two sides of a split gave to two apps.
        next.keySet().stream().sorted().forEach(app -> {
            Route route = Objects.requireNonNull(next.get(app));
            labels.putIfAbsent(route.name(), route);
        });
        aliases.aliases().forEach((label, app) -> {
            Route route = next.get(app);
            if (route != null) {
                labels.put(label, route);
            } else {
                labels.remove(label);
            }
        });
        known = next;
        byApp = Map.copyOf(next);
        byLabel = Map.copyOf(labels);
    }

    private Map<String, Route> read(Rows rows) {
        record Pointer(String app, String name, @Nullable String active) {}
        List<Pointer> pointers = rows.query("""
                SELECT a.id, a.name, p.release FROM app_live a
                LEFT JOIN app_active_live p ON p.scope = a.scope AND p.id = a.id
                """, row -> new Pointer(row.text(0), row.text(1), row.textOrNull(2)));
        Map<String, Route> next = new HashMap<>();
        for (Pointer pointer : pointers) {
            String release = pointer.active() == null ? null : servable(rows, pointer.app(), pointer.active());
            Route before = known.get(pointer.app());
            next.put(
                    pointer.app(),
                    before != null
                                    && Objects.equals(before.release(), release)
                                    && before.name().equals(pointer.name())
                            ? before
                            : load(rows, pointer.app(), pointer.name(), release));
        }
        return next;
    }

    /** The active release if all of it is here, else the newest whole one before it. */
    private @Nullable String servable(Rows rows, String app, String active) {
        Route before = known.get(app);
        List<String> candidates = rows.query(
                "SELECT id FROM release_live WHERE scope = ? ORDER BY id = ? DESC, id DESC",
                row -> row.text(0),
                app,
                active);
        for (String release : candidates) {
            if (!release.equals(active) && release.compareTo(active) > 0) {
                continue;
            }
            if (before != null && release.equals(before.release())) {
                return release;
            }
            boolean whole = rows.first("""
                            SELECT 1 FROM release_file_live f
                            LEFT JOIN fazt_blob b ON b.hash = f.hash AND b.complete = 1
                            WHERE f.scope = ? AND f.release = ? AND b.hash IS NULL LIMIT 1
                            """, row -> true, app, release).isEmpty();
            if (whole) {
                return release;
            }
        }
        return null;
    }

    private static Route load(Rows rows, String app, String name, @Nullable String release) {
        Map<String, Manifest.File> files = new LinkedHashMap<>();
        if (release == null) {
            return new Route(app, name, null, files, false);
        }
        rows.query(
                        "SELECT path, hash, size FROM release_file_live WHERE scope = ? AND release = ? ORDER BY path",
                        row -> new Manifest.File(row.text(0), row.text(1), row.integer(2)),
                        app,
                        release)
                .forEach(file -> files.put(file.path(), file));
        boolean spa = rows.first(
                        "SELECT spa FROM release_live WHERE scope = ? AND id = ?",
                        row -> row.integer(0) != 0,
                        app,
                        release)
                .orElse(false);
        return new Route(app, name, release, Map.copyOf(files), spa);
    }
}
