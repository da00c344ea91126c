package sh.fazt.hosting.release;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.BlobRule;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;

/**
 * Deploys: a client offers a manifest, uploads the blobs that are lacking, offers it again; then one
 * transaction makes the release and points the app at it. Visitors see the old site or the new one. Two
 * deploys on two sides of a split end with one whole release active and the other in the history.
 * Thread-safe.
 */
public final class Deployments {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "release",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "release",
                            // Never changed, but removed when it is old.
                            Policy.REGISTER,
                            List.of(new Column("id", Type.TEXT)),
                            List.of(
                                    new Column("node", Type.TEXT),
                                    new Column("created_at", Type.INTEGER),
                                    new Column("files", Type.INTEGER),
                                    new Column("bytes", Type.INTEGER),
                                    new Column("spa", Type.INTEGER))),
                    new ReplicatedTable(
                            "release_file",
                            Policy.REGISTER,
                            List.of(new Column("release", Type.TEXT), new Column("path", Type.TEXT)),
                            List.of(new Column("hash", Type.BLOB_REFERENCE), new Column("size", Type.INTEGER)),
                            // A function has its sources before it is called: it can't wait for them.
                            new BlobRule("size", key -> Manifest.isSource(String.valueOf(key.get(1)))))));

    /** As the cartridge lets them travel inside a changeset. */
    private static final int SMALL = 16 << 10;

    private static final int SMALL_TOGETHER = 256 << 10;
    /** A file of server-side code that is larger is data, and compiling it would take the node's memory. */
    private static final int MOST_SOURCE = 4 << 20;

    private final Cartridge cartridge;
    private final Blobs blobs;
    private final Apps apps;
    private final FunctionCheck functions;
    private final InstantSource clock;
    private final RandomGenerator random;

    public Deployments(
            Cartridge cartridge,
            Blobs blobs,
            Apps apps,
            FunctionCheck functions,
            InstantSource clock,
            RandomGenerator random) {
        this.cartridge = cartridge;
        this.blobs = blobs;
        this.apps = apps;
        this.functions = functions;
        this.clock = clock;
        this.random = random;
    }

    /** What came of an offer. */
    public sealed interface Offer {
        /** Upload these, then offer again. */
        record Missing(List<String> hashes) implements Offer {}

        /** It is released and active. */
        record Deployed(String app, String name, String release, long files, long bytes) implements Offer {}
    }

    /**
     * Stores the content of one file; see {@link Blobs#put(String, long, InputStream)}.
     *
     * @param size as announced beforehand; the stream is read no further than that
     */
    public void upload(String sha256, long size, InputStream content) throws IOException {
        if (!Manifest.isHash(sha256)) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "content is uploaded under its SHA-256, 64 lower-case hex digits, not \"" + sha256 + "\"");
        }
        if (size < 0) {
            throw new HostingException(
                    HostingException.Reason.INVALID, "an upload says its size beforehand (Content-Length)");
        }
        if (size > Manifest.MOST_FILE_BYTES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE, "a file has at most 100 MiB, not " + size + " bytes");
        }
        blobs.put(sha256, size, content);
    }

    /**
     * Deploys if all the content is here.
     *
     * @param nameOrId the app's name or id; a name that is not known yet makes a new app
     * @param node     the name of this node, for the history
     * @throws HostingException {@code NOT_FOUND, INVALID, TOO_LARGE}
     * @throws SyntaxException  when server-side code does not compile
     */
    public Offer offer(String nameOrId, Manifest manifest, String node) {
        Optional<App> known = Apps.isId(nameOrId) ? Optional.of(apps.require(nameOrId)) : apps.find(nameOrId);
        String name = known.isPresent() ? known.get().name() : Apps.checkName(nameOrId);
        // What is here and in nobody's use stays until the client comes again.
        blobs.keep(manifest.files().stream().map(Manifest.File::sha256).toList());
        List<String> missing = cartridge.read(rows -> missing(rows, manifest));
        if (!missing.isEmpty()) {
            return new Offer.Missing(missing);
        }
        checkFunctions(manifest);
        boolean spa = settings(manifest).spa();
        Map<String, byte[]> inline = inline(manifest, known);
        Optional<String> id = known.map(App::id);
        while (true) {
            Offer came = release(id, name, manifest, node, spa, inline);
            if (came != null) {
                return came;
            }
            id = cartridge.read(rows -> Apps.named(rows, name));
        }
    }

    /**
     * The one transaction of a deploy.
     *
     * @param id empty for a new app
     * @return null when a new app's name was taken since it was looked up: then nothing was written, nor where content
     *     is lacking by now
     */
    private @Nullable Offer release(
            Optional<String> id, String name, Manifest manifest, String node, boolean spa, Map<String, byte[]> inline) {
        String app = id.orElseGet(apps::newId);
        Instant now = clock.instant();
        Map<String, Manifest.File> files = manifest.byPath();
        return write(app, tx -> {
                    if (id.isEmpty()) {
                        if (Apps.named(tx, name).isPresent()) {
                            return Optional.<Offer>empty();
                        }
                    }
                    List<String> gone = missing(tx, manifest);
                    if (!gone.isEmpty()) {
                        return Optional.<Offer>of(new Offer.Missing(gone));
                    }
                    if (id.isEmpty()) {
                        Apps.create(tx, name, now);
                    }
                    // Ids are in the order of deploys, even from a node whose clock is behind: fallbacks go by them.
                    String newest = tx.first(
                                    "SELECT id FROM release_live WHERE scope = ? ORDER BY id DESC LIMIT 1",
                                    row -> row.text(0),
                                    app)
                            .orElse(null);
                    String release = Ulid.after(newest, now, random);
                    inline.values().forEach(tx::putBlob);
                    files.values()
                            .forEach(file -> tx.put(
                                    "release_file",
                                    List.of(release, file.path()),
                                    Map.of("hash", file.sha256(), "size", file.size())));
                    tx.put(
                            "release",
                            List.of(release),
                            Map.of(
                                    "node",
                                    node,
                                    "created_at",
                                    now.toEpochMilli(),
                                    "files",
                                    (long) files.size(),
                                    "bytes",
                                    manifest.bytes(),
                                    "spa",
                                    spa));
                    Apps.activate(tx, release, now);
                    return Optional.<Offer>of(new Offer.Deployed(app, name, release, files.size(), manifest.bytes()));
                })
                .orElse(null);
    }

    /** Hashes of the manifest that are not here; fails where content is here and has another size. */
    private static List<String> missing(Rows rows, Manifest manifest) {
        Set<String> missing = new LinkedHashSet<>();
        for (Manifest.File file : manifest.files()) {
            Optional<Long> size = rows.first(
                    "SELECT size FROM fazt_blob WHERE hash = ? AND complete = 1", row -> row.integer(0), file.sha256());
            if (size.isEmpty()) {
                missing.add(file.sha256());
            } else if (size.get() != file.size()) {
                throw new HostingException(
                        HostingException.Reason.INVALID,
                        file.path() + ": the content with this sha256 has " + size.get() + " bytes, not " + file.size()
                                + ": read size and sha256 from the same file");
            }
        }
        return List.copyOf(missing);
    }

    private void checkFunctions(Manifest manifest) {
        Map<String, String> sources = new LinkedHashMap<>();
        for (Manifest.File file : manifest.byPath().values()) {
            if (Manifest.isSource(file.path()) && file.path().endsWith(".js")) {
                if (file.size() > MOST_SOURCE) {
                    throw new HostingException(
                            HostingException.Reason.TOO_LARGE,
                            file.path() + " has " + file.size() + " bytes; server-side code has at most " + MOST_SOURCE
                                    + " (4 MiB) per file: put data into the app's storage");
                }
                sources.put(file.path(), new String(content(file), StandardCharsets.UTF_8));
            }
        }
        List<FunctionCheck.Problem> problems = sources.isEmpty() ? List.of() : functions.check(sources);
        if (!problems.isEmpty()) {
            throw new SyntaxException(problems);
        }
    }

    private BundleSettings settings(Manifest manifest) {
        Manifest.File file = manifest.byPath().get(BundleSettings.FILE);
        if (file == null) {
            return BundleSettings.NONE;
        }
        if (file.size() > BundleSettings.MOST_BYTES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    BundleSettings.FILE + " has " + file.size() + " bytes; it has at most " + BundleSettings.MOST_BYTES
                            + " (1 MiB), for each deploy reads it");
        }
        return BundleSettings.parse(content(file));
    }

    private byte[] content(Manifest.File file) {
        return blobs.read(file.sha256())
                .orElseThrow(
                        () -> new IllegalStateException("blob " + file.sha256() + " of " + file.path() + " is gone"));
    }

    /**
     * The small blobs that travel inside the changeset, smallest first, so that a peer serves the release at once
     * where only small files changed: peers of the release before have the rest.
     */
    private Map<String, byte[]> inline(Manifest manifest, Optional<App> known) {
        Set<String> before = known.map(App::release)
                .map(release -> cartridge.read(rows -> Set.copyOf(rows.query(
                        "SELECT DISTINCT hash FROM release_file_live WHERE scope = ? AND release = ? AND hash NOT NULL",
                        row -> row.text(0),
                        known.get().id(),
                        release))))
                .orElse(Set.of());
        Map<String, byte[]> inline = new LinkedHashMap<>();
        int together = 0;
        List<Manifest.File> smallest = new ArrayList<>(manifest.files());
        smallest.sort(Comparator.comparingLong(Manifest.File::size));
        for (Manifest.File file : smallest) {
            if (file.size() > SMALL || together + file.size() > SMALL_TOGETHER) {
                break;
            }
            if (!before.contains(file.sha256()) && !inline.containsKey(file.sha256())) {
                inline.put(file.sha256(), content(file));
                together += (int) file.size();
            }
        }
        return inline;
    }

    private <T> T write(String app, Cartridge.WriteBody<T> body) {
        try {
            return cartridge.write(new Scope(app), body).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** An app's releases, newest first. */
    public List<Release> releases(String app) {
        App found = apps.require(app);
        return cartridge.read(rows -> rows.query(
                "SELECT id, node, created_at, files, bytes FROM release_live WHERE scope = ? ORDER BY id DESC",
                row -> new Release(
                        row.text(0),
                        row.isNull(1) ? "" : row.text(1),
                        Instant.ofEpochMilli(row.integer(2)),
                        row.integer(3),
                        row.integer(4),
                        row.text(0).equals(found.release())),
                found.id()));
    }

    /** Makes a release of the app the active one: forward or back. */
    public void activate(String app, String release) {
        App found = apps.require(app);
        write(found.id(), tx -> {
            if (tx.first("SELECT 1 FROM release_live WHERE scope = ? AND id = ?", row -> true, found.id(), release)
                    .isEmpty()) {
                throw new HostingException(
                        HostingException.Reason.NOT_FOUND,
                        "app " + found.name() + " has no release \"" + release + "\": see \"fazt app releases "
                                + found.name() + "\"");
            }
            Apps.activate(tx, release, clock.instant());
            return true;
        });
    }
}
