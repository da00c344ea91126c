package sh.fazt.hosting.release;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
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
                            Policy.IMMUTABLE,
                            List.of(new Column("id", Type.TEXT)),
                            List.of(
                                    new Column("node", Type.TEXT),
                                    new Column("created_at", Type.INTEGER),
                                    new Column("files", Type.INTEGER),
                                    new Column("bytes", Type.INTEGER),
                                    new Column("spa", Type.INTEGER))),
                    new ReplicatedTable(
                            "release_file",
                            Policy.IMMUTABLE,
                            List.of(new Column("release", Type.TEXT), new Column("path", Type.TEXT)),
                            List.of(new Column("hash", Type.BLOB_REFERENCE), new Column("size", Type.INTEGER)))));

    /** As the cartridge lets them travel inside a changeset. */
    private static final int SMALL = 16 << 10;

    private static final int SMALL_TOGETHER = 256 << 10;
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

    /** Stores the content of one file; see {@link Blobs#put(String, long, InputStream)}. */
    public void upload(String sha256, long size, InputStream content) throws IOException {
        if (size > Manifest.MOST_FILE_BYTES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE, "a file has at most 100 MiB, not " + size + " bytes");
        }
        blobs.put(sha256, size, content);
    }

    /**
     * Deploys if all the content is here.
     *
     * @param name the app's name; one that is not known yet makes a new app
     * @param node the name of this node, for the history
     * @throws HostingException {@code INVALID, TOO_LARGE}
     * @throws SyntaxException  when server-side code does not compile
     */
    public Offer offer(String name, Manifest manifest, String node) {
        Apps.checkName(name);
        Set<String> hashes = new LinkedHashSet<>();
        manifest.files().forEach(file -> hashes.add(file.sha256()));
        List<String> missing = blobs.missing(hashes);
        if (!missing.isEmpty()) {
            return new Offer.Missing(missing);
        }
        checkFunctions(manifest);
        boolean spa = isSpa(manifest);
        Map<String, byte[]> inline = inline(manifest);
        Optional<App> existing = apps.find(name);
        String id = existing.map(App::id).orElseGet(apps::newId);
        Instant now = clock.instant();
        String release = Ulid.next(now, random);
        Map<String, Manifest.File> files = manifest.byPath();
        try {
            cartridge
                    .write(new Scope(id), tx -> {
                        if (existing.isEmpty()) {
                            Apps.create(tx, name, now);
                        }
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
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
        return new Offer.Deployed(id, name, release, files.size(), manifest.bytes());
    }

    private void checkFunctions(Manifest manifest) {
        Map<String, String> sources = new LinkedHashMap<>();
        for (Manifest.File file : manifest.byPath().values()) {
            if (file.path().startsWith("api/") && file.path().endsWith(".js") && file.size() <= MOST_SOURCE) {
                sources.put(
                        file.path(), new String(blobs.read(file.sha256()).orElse(new byte[0]), StandardCharsets.UTF_8));
            }
        }
        List<FunctionCheck.Problem> problems = sources.isEmpty() ? List.of() : functions.check(sources);
        if (!problems.isEmpty()) {
            throw new SyntaxException(problems);
        }
    }

    /** The one thing that serving asks of manifest.json: whether unknown paths lead to the start page. */
    private boolean isSpa(Manifest manifest) {
        Manifest.File file = manifest.byPath().get("manifest.json");
        if (file == null || file.size() > SMALL) {
            return false;
        }
        String text = new String(blobs.read(file.sha256()).orElse(new byte[0]), StandardCharsets.UTF_8);
        return text.matches("(?s).*\"spa\"\\s*:\\s*true.*");
    }

    /** The small blobs that travel inside the changeset, so that a peer serves the release at once. */
    private Map<String, byte[]> inline(Manifest manifest) {
        Map<String, byte[]> inline = new LinkedHashMap<>();
        int together = 0;
        for (Manifest.File file : manifest.files()) {
            if (file.size() <= SMALL
                    && together + file.size() <= SMALL_TOGETHER
                    && !inline.containsKey(file.sha256())) {
                inline.put(file.sha256(), blobs.read(file.sha256()).orElseThrow());
                together += (int) file.size();
            }
        }
        return inline;
    }

    /** An app's releases, newest first. */
    public List<Release> releases(String app) {
        App found = apps.require(app);
        return cartridge.read(rows -> rows.query(
                "SELECT id, node, created_at, files, bytes FROM release_live WHERE scope = ? ORDER BY id DESC",
                row -> new Release(
                        row.text(0),
                        row.text(1),
                        Instant.ofEpochMilli(row.integer(2)),
                        row.integer(3),
                        row.integer(4),
                        row.text(0).equals(found.release())),
                found.id()));
    }

    /** Makes a release of the app the active one: forward or back. */
    public void activate(String app, String release) {
        App found = apps.require(app);
        List<String> known = new ArrayList<>();
        releases(found.id()).forEach(one -> known.add(one.id()));
        if (!known.contains(release)) {
            throw new HostingException(
                    HostingException.Reason.NOT_FOUND,
                    "app " + found.name() + " has no release \"" + release + "\": see \"fazt app releases "
                            + found.name() + "\"");
        }
        try {
            cartridge
                    .write(new Scope(found.id()), tx -> {
                        Apps.activate(tx, release, clock.instant());
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
