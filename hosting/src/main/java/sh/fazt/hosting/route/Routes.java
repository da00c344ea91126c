package sh.fazt.hosting.route;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.Damage;
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

    private static final Logger LOG = LoggerFactory.getLogger(Routes.class);
    private static final Set<String> TABLES = Set.of("app", "app_active", "release", "release_file", "config_entry");

    private final Cartridge cartridge;
    private final AliasSource aliases;
    private final Predicate<String> here;
    private final Absence absence;
    private final Executor executor;
    private final AtomicBoolean due = new AtomicBoolean();

    private volatile Table table = new Table(Map.of(), Map.of(), List.of());
    /**
     * Of each release that is not whole here, one blob that it lacks. Null while a rebuild reads: then any blob
     * may be one that it does not see.
     */
    private volatile @Nullable Set<String> awaited;

    /** Which files a release is served without: they come when a visitor asks for them. Thread-safe; answers at once. */
    public interface Absence {
        /** None: a release is served when all of it is here. */
        Absence NONE = (app, file) -> false;

        boolean isMeant(String app, Manifest.File file);
    }

    /**
     * An app whose active release is not here and whose others are all newer: a member that had been away for long went
     * back to one that was removed meanwhile. The newest that is here is served.
     *
     * @param served null where none is whole
     */
    public record Astray(
            String app, String active, @Nullable String served) {}

    /** Everything that is answered, at one moment. Immutable. */
    private record Table(Map<String, Route> byLabel, Map<String, Route> byApp, List<Astray> astray) {}

    /**
     * Builds the first table on the calling thread.
     *
     * @param here     whether an app, by its id, is kept on this node: what is not, is not answered
     * @param absence  which files need not be here for a release to be served
     * @param executor runs one rebuild at a time, off the {@code writer} thread
     */
    public Routes(
            Cartridge cartridge,
            Blobs blobs,
            AliasSource aliases,
            Predicate<String> here,
            Absence absence,
            Executor executor) {
        this.here = here;
        this.absence = absence;
        this.cartridge = cartridge;
        this.aliases = aliases;
        this.executor = executor;
        cartridge.listen(this);
        blobs.listen(this::arrived);
        rebuild();
    }

    /** What answers for a label; null when nothing does. */
    public @Nullable Route find(String label) {
        return table.byLabel().get(label);
    }

    /** An app's route by its id, whatever labels lead to it. */
    public @Nullable Route ofApp(String app) {
        return table.byApp().get(app);
    }

    /** The apps that are served by another release than the active one, as that was removed. */
    public List<Astray> astray() {
        return table.astray();
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

    private void arrived(String hash) {
        Set<String> now = awaited;
        if (now == null || now.contains(hash)) {
            rebuildSoon();
        }
    }

    /** Names changed, or something else that the cartridge does not tell of. */
    public void rebuildSoon() {
        if (due.compareAndSet(false, true)) {
            executor.execute(() -> {
                due.set(false);
                try {
                    rebuild();
                } catch (RuntimeException e) {
                    LOG.error("sites are served as they were: the routes could not be rebuilt", e);
                }
            });
        }
    }

    private synchronized void rebuild() {
        awaited = null;
        Set<String> lacking = new HashSet<>();
        List<Astray> astray = new ArrayList<>();
        Map<String, Route> byApp = cartridge.read(rows -> read(rows, lacking, astray));
        Map<String, Route> byLabel = new HashMap<>();
        // The smallest id answers to a name that two sides of a split gave to two apps.
        byApp.keySet().stream().sorted().forEach(app -> {
            Route route = Objects.requireNonNull(byApp.get(app));
            byLabel.putIfAbsent(route.name(), route);
        });
        aliases.aliases().forEach((label, app) -> {
            Route route = byApp.get(app);
            if (route != null) {
                byLabel.put(label, route);
            } else {
                byLabel.remove(label);
            }
        });
        astray.stream().filter(one -> !table.astray().contains(one)).forEach(Routes::warn);
        table = new Table(Map.copyOf(byLabel), Map.copyOf(byApp), List.copyOf(astray));
        // Last: a blob that arrived while this was read has asked for another rebuild.
        awaited = lacking;
    }

    private static void warn(Astray one) {
        LOG.warn(
                "the active release of an app was removed: the newest is served app={} active={} served={}",
                one.app(),
                one.active(),
                one.served() == null ? "none" : one.served());
    }

    private Map<String, Route> read(Rows rows, Set<String> lacking, List<Astray> astray) {
        record Pointer(String app, String name, @Nullable String active) {}
        List<Pointer> pointers = rows.query("""
                SELECT a.id, a.name, p.release FROM app_live a
                LEFT JOIN app_active_live p ON p.scope = a.scope AND p.id = a.id
                WHERE a.id = a.scope AND a.name IS NOT NULL
                """, row -> new Pointer(row.text(0), row.text(1), row.textOrNull(2)));
        // One file that a disk has spoiled does not take a site away: it is served, without that file.
        Set<String> damaged = Set.copyOf(Damage.known(rows));
        Map<String, Route> next = new HashMap<>();
        for (Pointer pointer : pointers) {
            if (!here.test(pointer.app())) {
                continue;
            }
            Route before = table.byApp().get(pointer.app());
            String release = null;
            if (pointer.active() != null) {
                boolean there = isThere(rows, pointer.app(), pointer.active());
                release = servable(rows, pointer.app(), pointer.active(), there, before, damaged, lacking);
                if (!there && (release == null || release.compareTo(pointer.active()) > 0)) {
                    astray.add(new Astray(pointer.name(), pointer.active(), release));
                }
            }
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

    private static boolean isThere(Rows rows, String app, String release) {
        return rows.first("SELECT 1 FROM release_live WHERE scope = ? AND id = ?", row -> true, app, release)
                .isPresent();
    }

    /**
     * The active release if all of it is here that must be, else the newest such one before it; where the active one is
     * not there, else the newest such one.
     */
    private @Nullable String servable(
            Rows rows,
            String app,
            String active,
            boolean there,
            @Nullable Route before,
            Set<String> damaged,
            Set<String> lacking) {
        if (there && before != null && active.equals(before.release())) {
            return active;
        }
        record Candidate(String id, long files) {}
        List<Candidate> candidates = rows.query(
                "SELECT id, files FROM release_live WHERE scope = ?1 AND (id <= ?2 OR ?3)"
                        + " ORDER BY id <= ?2 DESC, id DESC",
                row -> new Candidate(row.text(0), row.integer(1)),
                app,
                active,
                !there);
        for (Candidate candidate : candidates) {
            if (before != null && candidate.id().equals(before.release())) {
                return candidate.id();
            }
            long listed = rows.first(
                            "SELECT count(*) FROM release_file_live WHERE scope = ? AND release = ?",
                            row -> row.integer(0),
                            app,
                            candidate.id())
                    .orElse(0L);
            // The last by hash: blobs are fetched in that order, so waiting for it seldom means to look twice.
            Optional<String> lacks = rows
                    .query("""
                    SELECT f.path, coalesce(f.hash, ''), coalesce(f.size, 0) FROM release_file_live f
                    LEFT JOIN fazt_blob b ON b.hash = f.hash AND b.complete = 1
                    WHERE f.scope = ? AND f.release = ? AND b.hash IS NULL ORDER BY f.hash DESC
                    """, row -> new Manifest.File(row.text(0), row.text(1), row.integer(2)), app, candidate.id())
                    .stream()
                    .filter(file -> !damaged.contains(file.sha256()))
                    .filter(file -> Manifest.isSource(file.path()) || !absence.isMeant(app, file))
                    .map(Manifest.File::sha256)
                    .findFirst();
            if (lacks.isEmpty() && listed == candidate.files()) {
                return candidate.id();
            }
            lacks.ifPresent(lacking::add);
        }
        return null;
    }

    private static Route load(Rows rows, String app, String name, @Nullable String release) {
        if (release == null) {
            return new Route(app, name, null, Map.of(), false);
        }
        Map<String, Manifest.File> files = new HashMap<>();
        rows.query(
                        "SELECT path, hash, size FROM release_file_live WHERE scope = ? AND release = ?",
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
