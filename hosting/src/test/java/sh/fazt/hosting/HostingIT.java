package sh.fazt.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.hosting.release.FunctionCheck;
import sh.fazt.hosting.release.Manifest;
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
        final KeyValues data;
        final Accounts accounts;
        final Routes routes;
        final Map<String, String> aliases = new HashMap<>();
        List<FunctionCheck.Problem> problems = List.of();

        Node(String name, int number) {
            cartridge = SqliteCartridge.open(
                    folder.resolve(name + ".db"),
                    CartridgeOptions.standard().withWall(clock),
                    List.of(Apps.SCHEMA, Deployments.SCHEMA, KeyValues.SCHEMA, Accounts.SCHEMA));
            byte[] id = new byte[32];
            id[0] = (byte) number;
            cartridge.bind(NodeId.of(id));
            blobs = new Blobs(cartridge);
            apps = new Apps(cartridge, new Random(number));
            deployments = new Deployments(cartridge, blobs, apps, sources -> problems, clock, new Random(number + 10));
            data = new KeyValues(cartridge, clock);
            accounts = new Accounts(cartridge, clock, new SecureRandom());
            routes = new Routes(cartridge, blobs, () -> aliases, Runnable::run);
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
                try (var spool = other.cartridge
                        .replica()
                        .open(scope, cartridge.replica().vector(scope))) {
                    List<byte[]> parts = new ArrayList<>();
                    for (int i = 0; i < spool.parts(); i++) {
                        parts.add(spool.part(i));
                    }
                    cartridge
                            .replica()
                            .apply(scope, spool.vector(), parts)
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS);
                }
            }
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
    void aReleaseIsServedByAPeerOnceAllOfItIsThere() throws Exception {
        a.deploy("shop", Map.of("index.html", "one"));
        b.pullFrom(a);
        assertThat(b.route("shop").files()).containsOnlyKeys("index.html");
        String large = "x".repeat(100_000);
        String second = a.deploy("shop", Map.of("index.html", "two", "large.txt", large))
                .release();
        b.pullFrom(a);
        assertThat(b.route("shop").files()).as("the large one is missing").containsOnlyKeys("index.html");
        assertThat(b.blobs.wanted(10)).hasSize(1);
        b.blobs.put(large.getBytes(StandardCharsets.UTF_8));
        assertThat(b.route("shop").release()).isEqualTo(second);
        assertThat(b.blobs.wanted(10)).isEmpty();
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
            assertThat(node.cartridge.conflicts(10))
                    .singleElement()
                    .satisfies(conflict -> assertThat(conflict.values()).containsEntry("release", onA));
        }
        a.deployments.activate("shop", onA);
        assertThat(a.route("shop").files()).containsOnlyKeys("index.html", "a.txt");
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
    void keysAndValues() {
        String app = "fazt_app_000000000001";
        a.data.set(app, "color", "\"green\"", null);
        a.data.set(app, "cart/1", "{\"n\":1}", 1000L);
        assertThat(a.data.get(app, "color")).hasValue("\"green\"");
        assertThat(a.data.list(app, "cart/")).containsExactly(new KeyValues.Pair("cart/1", "{\"n\":1}"));
        now.addAndGet(1001);
        assertThat(a.data.get(app, "cart/1")).isEmpty();
        assertThat(a.data.list(app, "")).extracting(KeyValues.Pair::key).containsExactly("color");
        assertThat(a.data.delete(app, "color")).isTrue();
        assertThat(a.data.delete(app, "color")).isFalse();
        assertThat(a.data.get(app, "color")).isEmpty();
        assertThatThrownBy(() -> a.data.set(app, "", "1", null)).hasMessageContaining("512");
        assertThatThrownBy(() -> a.data.set(app, "x", "1", -1L)).hasMessageContaining("ttl");
    }

    @Test
    void countersLoseNoIncrementAndStartAgainWhenSet() throws Exception {
        String app = "fazt_app_000000000001";
        assertThat(a.data.increment(app, "n", 1)).isEqualTo(1);
        b.data.increment(app, "n", 5);
        a.pullFrom(b);
        b.pullFrom(a);
        assertThat(a.data.get(app, "n")).hasValue("6");
        assertThat(b.data.get(app, "n")).hasValue("6");
        assertThat(a.data.list(app, "")).containsExactly(new KeyValues.Pair("n", "6"));
        a.data.set(app, "n", "10", null);
        assertThat(a.data.get(app, "n")).hasValue("10");
        assertThat(a.data.increment(app, "n", 1)).isEqualTo(11);
        assertThat(a.data.delete(app, "n")).isTrue();
        assertThat(a.data.get(app, "n")).isEmpty();
        assertThat(a.data.increment(app, "n", 2)).isEqualTo(2);
        b.pullFrom(a);
        assertThat(b.data.get(app, "n")).hasValue("2");
        a.data.set(app, "text", "\"abc\"", null);
        assertThatThrownBy(() -> a.data.increment(app, "text", 1)).hasMessageContaining("whole number");
    }

    @Test
    void theOwnerLogsInAndGuessingIsSlowedDown() {
        assertThat(a.accounts.hasOwner()).isFalse();
        String password = a.accounts.createOwner();
        String token = a.accounts.login("owner", password, "1.2.3.4");
        assertThat(a.accounts.session(token)).hasValue("owner");
        a.accounts.logout(token);
        assertThat(a.accounts.session(token)).isEmpty();
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> a.accounts.login("owner", "wrong", "6.6.6.6"))
                    .hasMessage("Invalid username or password");
        }
        assertThatThrownBy(() -> a.accounts.login("owner", password, "6.6.6.6")).hasMessageContaining("try again in");
        assertThat(a.accounts.login("owner", password, "1.2.3.4")).isNotEmpty();
        now.addAndGet(16 * 60_000);
        assertThat(a.accounts.login("owner", password, "6.6.6.6")).isNotEmpty();
    }
}
