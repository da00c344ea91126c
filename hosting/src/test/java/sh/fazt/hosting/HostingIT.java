package sh.fazt.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.Unused;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.Conflict;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.hosting.release.FunctionCheck;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.hosting.release.Release;
import sh.fazt.hosting.release.ReleaseHistory;
import sh.fazt.hosting.release.SyntaxException;
import sh.fazt.hosting.route.Route;
import sh.fazt.hosting.route.Routes;
import sh.fazt.identity.NodeId;

class HostingIT {
    @TempDir
    Path folder;

    private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
    private final InstantSource clock = () -> Instant.ofEpochMilli(now.get());
    private final List<Node> nodes = new ArrayList<>();
    private Node a;
    private Node b;

    /** One node's hosting. */
    private final class Node {
        final SqliteCartridge cartridge;
        final Blobs blobs;
        final Apps apps;
        final Deployments deployments;
        final Routes routes;
        final AtomicLong rebuilds = new AtomicLong();
        final Map<String, String> aliases = new HashMap<>();
        final Set<String> heldBack = new HashSet<>();
        boolean aliasesFail;
        List<FunctionCheck.Problem> problems = List.of();

        Node(String name, int number) {
            cartridge = SqliteCartridge.open(
                    folder.resolve(name + ".db"),
                    CartridgeOptions.standard().withWall(clock),
                    List.of(Apps.SCHEMA, Deployments.SCHEMA));
            byte[] id = new byte[32];
            id[0] = (byte) number;
            cartridge.bind(NodeId.of(id));
            blobs = new Blobs(cartridge);
            apps = new Apps(cartridge, new Random(number));
            deployments = new Deployments(cartridge, blobs, apps, sources -> problems, clock, new Random(number + 10));
            routes = new Routes(
                    cartridge,
                    blobs,
                    this::aliases,
                    app -> true,
                    (app, file) -> heldBack.contains(file.sha256()),
                    body -> {
                        rebuilds.incrementAndGet();
                        body.run();
                    });
            nodes.add(this);
        }

        Deployments.Offer.Deployed deploy(String app, Map<String, String> files) throws Exception {
            List<Manifest.File> manifest = new ArrayList<>();
            for (Map.Entry<String, String> file : files.entrySet()) {
                byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
                manifest.add(
                        new Manifest.File(file.getKey(), Blobs.sha256(content, 0, content.length), content.length));
                blobs.put(content);
            }
            now.addAndGet(5);
            return (Deployments.Offer.Deployed) deployments.offer(app, new Manifest(manifest), "here");
        }

        void pullFrom(Node other) throws Exception {
            for (Scope scope : other.cartridge.replica().vectors().keySet()) {
                VersionVector since = cartridge.replica().vector(scope);
                try (var spool = other.cartridge.replica().open(scope, since)) {
                    List<byte[]> parts = new ArrayList<>();
                    for (int i = 0; i < spool.parts(); i++) {
                        parts.add(spool.part(i));
                    }
                    cartridge
                            .replica()
                            .apply(scope, since, spool.vector(), parts)
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS);
                }
            }
        }

        private Map<String, String> aliases() {
            if (aliasesFail) {
                throw new IllegalStateException("planted: the aliases can't be read");
            }
            return aliases;
        }

        Route route(String label) {
            return Objects.requireNonNull(routes.find(label), label);
        }
    }

    @BeforeEach
    void start() {
        a = new Node("a", 1);
        b = new Node("b", 2);
    }

    @AfterEach
    void stop() {
        nodes.forEach(node -> node.cartridge.close());
    }

    @Test
    void anOfferSaysWhatIsMissingAndThenDeploys() throws Exception {
        byte[] page = "<h1>hi</h1>".getBytes(StandardCharsets.UTF_8);
        String hash = Blobs.sha256(page, 0, page.length);
        Manifest manifest = new Manifest(List.of(new Manifest.File("index.html", hash, page.length)));
        assertThat(a.deployments.offer("shop", manifest, "home"))
                .isEqualTo(new Deployments.Offer.Missing(List.of(hash)));
        assertThat(a.apps.list()).isEmpty();
        a.deployments.upload(hash, page.length, new java.io.ByteArrayInputStream(page));
        assertThat(a.deployments.offer("shop", manifest, "home")).isInstanceOf(Deployments.Offer.Deployed.class);
        assertThat(a.apps.require("shop").files()).isEqualTo(1);
        assertThat(a.route("shop").files()).containsKey("index.html");
    }

    @Test
    void whatIsOfferedHasToBeTrue() throws Exception {
        byte[] page = "<h1>hi</h1>".getBytes(StandardCharsets.UTF_8);
        String hash = a.blobs.put(page);
        assertThatThrownBy(() -> a.deployments.offer(
                        "shop", new Manifest(List.of(new Manifest.File("index.html", hash, page.length + 1))), "home"))
                .hasMessageContaining("index.html")
                .hasMessageContaining("has 11 bytes, not 12");
        assertThatThrownBy(() -> a.deployments.upload(hash, -1, InputStream.nullInputStream()))
                .hasMessageContaining("Content-Length");
        assertThatThrownBy(() -> a.deployments.upload("../x", 1, InputStream.nullInputStream()))
                .hasMessageContaining("64 lower-case hex");
        assertThatThrownBy(
                        () -> a.deployments.upload(hash, Manifest.MOST_FILE_BYTES + 1, InputStream.nullInputStream()))
                .hasMessageContaining("100 MiB");
        assertThatThrownBy(() -> a.deploy("Shop", Map.of("index.html", "x"))).hasMessageContaining("host name");
        assertThatThrownBy(() -> a.deploy("admin", Map.of("index.html", "x"))).hasMessageContaining("reserved");
        assertThatThrownBy(() -> a.deploy("fazt_app_000000000000", Map.of("index.html", "x")))
                .hasMessageContaining("no app");
        assertThatThrownBy(() -> a.deploy("shop", Map.of("index.html", "x", "manifest.json", "{\"spa\": maybe}")))
                .hasMessageContaining("manifest.json")
                .hasMessageContaining("line 1, column");
        assertThat(a.apps.list()).isEmpty();
    }

    @Test
    void anAppIsDeployedByNameOrIdAndItsManifestCounts() throws Exception {
        String id = a.deploy("shop", Map.of("index.html", "1", "manifest.json", "{\"x\":{\"spa\":true}}"))
                .app();
        assertThat(a.route("shop").spa()).isFalse();
        Deployments.Offer.Deployed again =
                a.deploy(id, Map.of("index.html", "2", "manifest.json", "{\"name\":\"n\",\"spa\":true}"));
        assertThat(again.app()).isEqualTo(id);
        assertThat(again.name()).isEqualTo("shop");
        assertThat(a.route("shop").spa()).isTrue();
        assertThat(a.apps.list()).hasSize(1);
    }

    @Test
    void manyFirstDeploysOfOneNameAtOnceMakeOneApp() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<String>> deploys = new ArrayList<>();
            String hash = a.blobs.put("x".getBytes(StandardCharsets.UTF_8));
            Manifest manifest = new Manifest(List.of(new Manifest.File("index.html", hash, 1)));
            CountDownLatch together = new CountDownLatch(8);
            for (int i = 0; i < 8; i++) {
                deploys.add(threads.submit(() -> {
                    together.countDown();
                    together.await();
                    return ((Deployments.Offer.Deployed) a.deployments.offer("shop", manifest, "here")).app();
                }));
            }
            Set<String> ids = new HashSet<>();
            for (Future<String> deploy : deploys) {
                ids.add(deploy.get(20, TimeUnit.SECONDS));
            }
            assertThat(ids).hasSize(1);
            assertThat(a.deployments.releases("shop"))
                    .hasSize(8)
                    .filteredOn(Release::active)
                    .hasSize(1);
            assertThat(a.deployments.releases("shop").get(0).active())
                    .as("ids are in the order of deploys")
                    .isTrue();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aReleaseOfTheMostFilesIsOneTransaction() throws Exception {
        List<Manifest.File> files = new ArrayList<>();
        byte[] content = "same".getBytes(StandardCharsets.UTF_8);
        String hash = a.blobs.put(content);
        for (int i = 0; i < Manifest.MOST_FILES; i++) {
            files.add(new Manifest.File("folder/" + i + ".txt", hash, content.length));
        }
        a.deployments.offer("large", new Manifest(files), "here");
        b.pullFrom(a);
        assertThat(b.route("large").files()).hasSize(Manifest.MOST_FILES);
        assertThat(b.blobs.wanted(null, "", 1)).isEmpty();
    }

    @Test
    void aNodeWhoseClockIsBehindStillDeploysTheNewestRelease() throws Exception {
        String first = a.deploy("shop", Map.of("index.html", "1")).release();
        b.pullFrom(a);
        now.addAndGet(-3_600_000);
        String second = b.deploy("shop", Map.of("index.html", "2")).release();
        assertThat(second).isGreaterThan(first);
    }

    @Test
    void onlyWhatIsNewTravelsInsideTheChangeset() throws Exception {
        Map<String, String> files = new HashMap<>();
        for (int i = 0; i < 40; i++) {
            files.put("old" + i + ".txt", i + "o".repeat(15_000));
        }
        a.deploy("shop", files);
        files.put("new.txt", "n".repeat(16_000));
        a.deploy("shop", files);
        b.pullFrom(a);
        assertThat(b.blobs.missing(List.of(hash("n".repeat(16_000)))))
                .as("it is larger than all the old ones")
                .isEmpty();
    }

    @Test
    void aReleaseIsServedByAPeerOnceAllOfItIsThere() throws Exception {
        a.deploy("shop", Map.of("index.html", "one"));
        b.pullFrom(a);
        assertThat(b.route("shop").files()).containsOnlyKeys("index.html");
        String large = "x".repeat(100_000);
        String second = a.deploy("shop", Map.of("index.html", "two", "large.txt", large))
                .release();
        b.pullFrom(a);
        assertThat(b.route("shop").files()).as("the large one is missing").containsOnlyKeys("index.html");
        assertThat(b.blobs.wanted(null, "", 10)).hasSize(1);
        b.blobs.put(large.getBytes(StandardCharsets.UTF_8));
        assertThat(b.route("shop").release()).isEqualTo(second);
        assertThat(b.blobs.wanted(null, "", 10)).isEmpty();
    }

    @Test
    void aReleaseIsServedWithoutWhatIsDamagedHere() throws Exception {
        a.deploy("shop", Map.of("index.html", "one"));
        String large = "x".repeat(100_000);
        String second = a.deploy("shop", Map.of("index.html", "two", "large.txt", large, "api/main.js", "// source"))
                .release();
        for (String content : List.of(large, "// source")) {
            a.cartridge
                    .writeLocal(tx -> tx.execute(
                            "UPDATE fazt_chunk SET body = CAST(substr(body, 2) || x'00' AS BLOB) WHERE hash = ?",
                            hash(content)))
                    .toCompletableFuture()
                    .join();
        }
        assertThat(a.blobs.damage().find(null, true)).containsOnlyKeys(hash(large), hash("// source"));
        // As after a restart: nothing is remembered of what was served.
        Routes anew = new Routes(a.cartridge, a.blobs, Map::of, app -> true, Routes.Absence.NONE, Runnable::run);
        assertThat(Objects.requireNonNull(anew.find("shop")).release()).isEqualTo(second);
    }

    @Test
    void anAppWhoseActiveReleaseWasRemovedIsServedByTheNewest() throws Exception {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < ReleaseHistory.KEPT + 3; i++) {
            ids.add(a.deploy("shop", Map.of("index.html", "v" + i)).release());
            if (i == 1) {
                // It is away from now on.
                b.pullFrom(a);
            }
        }
        String newest = ids.get(ids.size() - 1);
        assertThat(new ReleaseHistory(a.cartridge).prune(a.apps.require("shop").id()))
                .isEqualTo(3);
        now.addAndGet(1000);
        b.deployments.activate("shop", ids.get(0));
        assertThat(b.route("shop").release()).isEqualTo(ids.get(0));
        assertThat(b.routes.astray()).isEmpty();
        a.pullFrom(b);
        b.pullFrom(a);

        for (Node node : List.of(a, b)) {
            assertThat(node.apps.require("shop").release()).isEqualTo(ids.get(0));
            Routes anew =
                    new Routes(node.cartridge, node.blobs, Map::of, app -> true, Routes.Absence.NONE, Runnable::run);
            for (Routes routes : List.of(node.routes, anew)) {
                Route route = Objects.requireNonNull(routes.find("shop"));
                assertThat(route.release()).isEqualTo(newest);
                assertThat(route.files()).containsKey("index.html");
                assertThat(routes.astray()).containsExactly(new Routes.Astray("shop", ids.get(0), newest));
            }
        }
        assertThat(new ReleaseHistory(a.cartridge).prune(a.apps.require("shop").id()))
                .as("what is served stays")
                .isZero();
        a.deployments.activate("shop", ids.get(5));
        b.pullFrom(a);
        for (Node node : List.of(a, b)) {
            assertThat(node.route("shop").release()).isEqualTo(ids.get(5));
            assertThat(node.routes.astray()).isEmpty();
        }
    }

    @Test
    void aReleaseIsServedWithoutWhatIsHeldBackButNeverWithoutItsSources() throws Exception {
        a.deploy("shop", Map.of("index.html", "one"));
        b.pullFrom(a);
        String large = "x".repeat(100_000);
        String source = "// " + "y".repeat(100_000);
        b.heldBack.addAll(List.of(hash(large), hash(source)));
        String second = a.deploy("shop", Map.of("index.html", "two", "large.txt", large))
                .release();
        b.pullFrom(a);
        assertThat(b.route("shop").release()).isEqualTo(second);
        assertThat(b.blobs.missing(List.of(hash(large)))).hasSize(1);
        assertThat(b.blobs.wanted(new Blobs.Unasked(Set.of(), 65_536), 65_536, 10))
                .isEmpty();
        assertThat(b.blobs.held(new Blobs.Unasked(Set.of(), 65_536))).isEqualTo(new Blobs.Amount(1, 100_000));

        String third = a.deploy("shop", Map.of("index.html", "three", "large.txt", large, "api/main.js", source))
                .release();
        b.pullFrom(a);
        assertThat(b.route("shop").release()).as("the source is missing").isEqualTo(second);
        assertThat(b.blobs.wanted(new Blobs.Unasked(Set.of(), 65_536), 65_536, 10))
                .as("sources are fetched whatever their size")
                .containsExactly(new Blobs.Wanted(hash(source), source.length(), true));
        b.blobs.put(source.getBytes(StandardCharsets.UTF_8));
        assertThat(b.route("shop").release()).isEqualTo(third);
    }

    @Test
    void theTenNewestReleasesAndTheActiveOneStayAndSoDoesWhatTheyReferTo() throws Exception {
        long day = 86_400_000;
        String large = "x".repeat(20_000);
        List<String> ids = new ArrayList<>();
        for (int number = 1; number <= 12; number++) {
            ids.add(a.deploy("shop", Map.of("index.html", "v" + number, "own.txt", large + number, "shared.txt", large))
                    .release());
        }
        a.deployments.activate("shop", ids.get(0));
        b.pullFrom(a);
        for (Manifest.File file : List.of(file(large), file(large + 1))) {
            b.blobs.put(
                    file.sha256().equals(file(large).sha256())
                            ? large.getBytes(StandardCharsets.UTF_8)
                            : (large + 1).getBytes(StandardCharsets.UTF_8));
        }
        String app = a.apps.require("shop").id();
        ReleaseHistory here = new ReleaseHistory(a.cartridge);
        assertThat(here.prune(app))
                .as("all but the ten newest and the active one")
                .isEqualTo(1);
        // Both at once, as after a split: no more comes of it than of one.
        assertThat(new ReleaseHistory(b.cartridge).prune(app)).isEqualTo(1);
        a.pullFrom(b);
        b.pullFrom(a);
        a.pullFrom(b);
        for (Node node : List.of(a, b)) {
            assertThat(node.deployments.releases("shop"))
                    .extracting(release -> release.id())
                    .hasSize(11)
                    .doesNotContain(ids.get(1));
            assertThat(node.route("shop").release()).isEqualTo(ids.get(0));
            assertThat(node.cartridge.conflicts().page(Optional.empty(), 0, 10).conflicts())
                    .isEmpty();
            Scope scope = new Scope(app);
            assertThat(node.cartridge.replica().digest(scope))
                    .isEqualTo(a.cartridge.replica().digest(scope));
        }
        VersionVector before = a.cartridge.replica().vector(new Scope(app));
        assertThat(here.prune(app)).isZero();
        assertThat(a.cartridge.replica().vector(new Scope(app))).isEqualTo(before);
        assertThatThrownBy(() -> a.deployments.activate("shop", ids.get(1)))
                .hasMessageContaining("has no release")
                .hasMessageContaining("fazt app releases shop");

        Unused unused = new Unused(a.cartridge);
        assertThat(unused.turn(now.get(), now.get() - day)).isEqualTo(new Unused.Removed(0, 0));
        assertThat(unused.marked().blobs()).as("v2 and its own file").isEqualTo(2);
        now.addAndGet(day - 1000);
        Manifest.File gone = file(large + 2);
        Manifest again = new Manifest(List.of(
                new Manifest.File("own.txt", gone.sha256(), gone.size()),
                new Manifest.File("index.html", file("new").sha256(), 3)));
        assertThat(a.deployments.offer("shop", again, "here"))
                .as("what is here of an old release need not be sent")
                .isEqualTo(new Deployments.Offer.Missing(List.of(file("new").sha256())));
        now.addAndGet(2000);
        assertThat(unused.turn(now.get(), now.get() - day).blobs())
                .as("what a deploy counts on stays another day")
                .isEqualTo(1);
        a.blobs.put("new".getBytes(StandardCharsets.UTF_8));
        assertThat(a.deployments.offer("shop", again, "here")).isInstanceOf(Deployments.Offer.Deployed.class);
        now.addAndGet(2 * day);
        unused.turn(now.get(), now.get() - day);
        for (int number : List.of(1, 3, 12)) {
            assertThat(a.blobs.contains(file(large + number).sha256())).isTrue();
        }
        assertThat(a.blobs.contains(file("v2").sha256())).isFalse();
        assertThat(a.blobs.contains(gone.sha256())).isTrue();
    }

    private static Manifest.File file(String text) {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        return new Manifest.File("x", Blobs.sha256(content, 0, content.length), content.length);
    }

    @Test
    void twoDeploysOnTwoSidesEndWithOneWholeRelease() throws Exception {
        a.deploy("shop", Map.of("index.html", "first"));
        b.pullFrom(a);
        String onA =
                a.deploy("shop", Map.of("index.html", "from a", "a.txt", "a")).release();
        String onB =
                b.deploy("shop", Map.of("index.html", "from b", "b.txt", "b")).release();
        a.pullFrom(b);
        b.pullFrom(a);
        a.pullFrom(b);
        for (Node node : List.of(a, b)) {
            assertThat(node.route("shop").release()).isEqualTo(onB);
            assertThat(node.route("shop").files()).containsOnlyKeys("index.html", "b.txt");
            assertThat(node.deployments.releases("shop"))
                    .extracting(release -> release.id())
                    .contains(onA, onB);
            assertThat(node.cartridge.conflicts().page(Optional.empty(), 0, 10).conflicts())
                    .singleElement()
                    .satisfies(conflict -> assertThat(conflict.values()).containsEntry("release", onA));
        }
        Conflict lost = b.cartridge
                .conflicts()
                .page(Optional.empty(), 0, 10)
                .conflicts()
                .get(0);
        b.cartridge.conflicts().restore(lost).toCompletableFuture().get(10, TimeUnit.SECONDS);
        a.pullFrom(b);
        for (Node node : List.of(a, b)) {
            assertThat(node.route("shop").files()).containsOnlyKeys("index.html", "a.txt");
            assertThat(node.cartridge.conflicts().page(Optional.empty(), 0, 10).conflicts())
                    .singleElement()
                    .satisfies(conflict -> assertThat(conflict.values()).containsEntry("release", onB));
        }
        a.deployments.activate("shop", onB);
        assertThat(a.route("shop").files()).containsOnlyKeys("index.html", "b.txt");
        assertThatThrownBy(() -> a.deployments.activate("shop", "nothing")).hasMessageContaining("no release");
    }

    @Test
    void aSyntaxErrorDeploysNothing() throws Exception {
        a.problems = List.of(new FunctionCheck.Problem("api/main.js", 3, 7, "unexpected }"));
        assertThatThrownBy(() -> a.deploy("shop", Map.of("index.html", "x", "api/main.js", "}")))
                .isInstanceOfSatisfying(
                        SyntaxException.class, e -> assertThat(e.problems()).hasSize(1));
        assertThat(a.apps.list()).isEmpty();
    }

    @Test
    void aliasesComeBeforeNamesAndAReleasedOneLeadsNowhere() throws Exception {
        String shop = a.deploy("shop", Map.of("index.html", "x")).app();
        a.aliases.put("store", shop);
        a.aliases.put("shop", "");
        a.routes.rebuildSoon();
        assertThat(a.route("store").app()).isEqualTo(shop);
        assertThat(a.routes.find("shop")).isNull();
        assertThat(a.routes.find("nobody")).isNull();
    }

    @Test
    void anAppThatAPeerSpoiledDoesNotStopTheOthers() throws Exception {
        a.deploy("shop", Map.of("index.html", "x"));
        a.cartridge
                .write(new Scope("fazt_app_00000000000b"), tx -> {
                    tx.put("app", List.of("fazt_app_00000000000b"), Map.of());
                    tx.put("app", List.of("fazt_app_00000000000c"), Map.of("name", "shop"));
                    tx.put("app_active", List.of("fazt_app_00000000000b"), Map.of());
                    return true;
                })
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(a.route("shop").files()).containsKey("index.html");
        assertThat(a.apps.list()).extracting(App::name).containsExactly("shop");
    }

    @Test
    void ofTwoAppsWithOneNameTheSmallerIdAnswersEverywhere() throws Exception {
        String onA = a.deploy("shop", Map.of("index.html", "a")).app();
        String onB = b.deploy("shop", Map.of("index.html", "b")).app();
        a.pullFrom(b);
        b.pullFrom(a);
        String smaller = onA.compareTo(onB) < 0 ? onA : onB;
        for (Node node : List.of(a, b)) {
            assertThat(node.route("shop").app()).isEqualTo(smaller);
            assertThat(node.apps.require("shop").id()).isEqualTo(smaller);
            assertThat(node.apps.list()).hasSize(2);
        }
    }

    @Test
    void onlyBlobsThatAReleaseWaitsForChangeTheRoutes() throws Exception {
        Map<String, String> files = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            files.put(i + ".txt", i + "x".repeat(20_000));
        }
        a.deploy("shop", files);
        b.pullFrom(a);
        assertThat(b.routes.find("shop")).extracting(Route::release).isNull();
        long before = b.rebuilds.get();
        for (int i = 0; i < 50; i++) {
            b.blobs.put(("unrelated " + i).getBytes(StandardCharsets.UTF_8));
        }
        assertThat(b.rebuilds.get()).isEqualTo(before);
        for (Blobs.Wanted blob : b.blobs.wanted(null, "", 100)) {
            String wanted = blob.hash();
            b.blobs.put(a.blobs.read(wanted).orElseThrow());
        }
        assertThat(b.route("shop").files()).hasSize(20);
        assertThat(b.rebuilds.get() - before)
                .as("they came in the order in which they are fetched")
                .isEqualTo(1);
    }

    @Test
    void sitesAreServedAsTheyWereWhenNamesCannotBeRead() throws Exception {
        a.deploy("shop", Map.of("index.html", "1"));
        Route before = a.route("shop");
        a.aliasesFail = true;
        a.deploy("shop", Map.of("index.html", "2"));
        assertThat(a.route("shop")).isSameAs(before);
        a.aliasesFail = false;
        a.routes.rebuildSoon();
        assertThat(a.route("shop").release()).isGreaterThan(String.valueOf(before.release()));
        Route after = a.route("shop");
        a.deploy("other", Map.of("index.html", "3"));
        assertThat(a.route("shop")).as("nothing about it changed").isSameAs(after);
    }

    private static String hash(String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        return Blobs.sha256(bytes, 0, bytes.length);
    }
}
