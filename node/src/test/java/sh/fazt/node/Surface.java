package sh.fazt.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.hosting.document.Documents;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.hosting.release.FunctionCheck;
import sh.fazt.hosting.route.Routes;
import sh.fazt.identity.NodeId;
import sh.fazt.node.api.AccountApi;
import sh.fazt.node.api.ApiHandler;
import sh.fazt.node.api.AppApi;
import sh.fazt.node.api.ChangeEvents;
import sh.fazt.node.api.ConflictApi;
import sh.fazt.node.api.ConflictDesk;
import sh.fazt.node.api.Json;
import sh.fazt.node.api.LeaseApi;
import sh.fazt.node.api.LinkApi;
import sh.fazt.node.api.PlacementApi;
import sh.fazt.node.api.RoleApi;
import sh.fazt.node.api.SwarmApi;
import sh.fazt.node.api.SystemApi;
import sh.fazt.node.api.WatchApi;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.config.Settings;
import sh.fazt.node.http.Dates;
import sh.fazt.node.http.HttpServer;
import sh.fazt.node.http.Wire;
import sh.fazt.node.site.Arrivals;
import sh.fazt.node.site.Functions;
import sh.fazt.node.site.Ready;
import sh.fazt.node.site.SiteHandler;
import sh.fazt.sync.HeldBack;

/** The whole HTTP surface over a real cartridge, with a swarm and functions that do as they are told. */
final class Surface implements AutoCloseable {
    static final String ADMIN = "admin.example.org";
    static final String TOKEN = "run-file-token";
    static final String PASSWORD = "correct horse";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static final List<SchemaPart> SCHEMAS = List.of(
            Settings.SCHEMA, Apps.SCHEMA, Deployments.SCHEMA, KeyValues.SCHEMA, Documents.SCHEMA, Accounts.SCHEMA);

    final SqliteCartridge cartridge;
    final Apps apps;
    final Blobs blobs;
    final Accounts accounts;
    final Routes routes;
    final FakeSwarm swarm = new FakeSwarm();
    final HttpServer http;
    Functions functions = (app, request, budget) -> {
        throw new IllegalStateException("no functions here");
    };
    /** Whether releases are served without blobs that are not here. */
    volatile boolean mayLack;

    /** Where blobs come from that are not here. */
    volatile Function<String, CompletionStage<HeldBack.Outcome>> fetch =
            blob -> CompletableFuture.completedFuture(HeldBack.Outcome.NOBODY);

    final ConflictDesk conflicts;
    final FakeLinks links = new FakeLinks();
    final FakeWatch watch = new FakeWatch();
    final FakePlacement placement = new FakePlacement();
    final FakeLeases leases = new FakeLeases();
    List<FunctionCheck.Problem> problems = List.of();
    private final ThreadPoolExecutor api =
            new ThreadPoolExecutor(4, 4, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

    Surface(Path folder, Map<String, String> flags) {
        cartridge = SqliteCartridge.open(folder.resolve("data.db"), CartridgeOptions.standard(), SCHEMAS);
        cartridge.bind(NodeId.of(new byte[32]));
        Settings settings = new Settings(cartridge, flags, Map.of("FAZT_NAME", "home"));
        blobs = new Blobs(cartridge);
        apps = new Apps(cartridge, new Random(1));
        Deployments deployments =
                new Deployments(cartridge, blobs, apps, sources -> problems, Clock.systemUTC(), new Random(2));
        accounts = new Accounts(cartridge, Clock.systemUTC(), new SecureRandom(), 1000);
        routes = new Routes(
                cartridge,
                blobs,
                () -> swarm.names,
                app -> !placement.elsewhere.containsKey(app),
                (app, file) -> mayLack,
                Runnable::run);
        ChangeEvents events = new ChangeEvents(timer);
        cartridge.listen(commit -> events.changed());
        Auth auth = new Auth(accounts, TOKEN);
        Dates dates = new Dates(Clock.systemUTC());
        Ready ready = new Ready(dates, 1 << 20);
        SiteHandler sites = new SiteHandler(
                new Arrivals(blobs, (blob, patience) -> fetch.apply(blob), api),
                (app, request, budget) -> functions.invoke(app, request, budget),
                ready,
                Duration.ofSeconds(5));
        conflicts = new ConflictDesk(cartridge.conflicts(), apps, () -> swarm);
        ApiHandler rest = new ApiHandler(
                auth,
                List.of(
                        new AccountApi(auth, accounts),
                        new AppApi(
                                apps,
                                deployments,
                                () -> "home",
                                app -> "http://" + app.name() + ".example.org/",
                                placement::elsewhere),
                        new PlacementApi(placement),
                        new LeaseApi(leases),
                        new SystemApi(
                                settings, events, () -> Json.object().put("status", "healthy"), () -> "fazt_up 1\n"),
                        new LinkApi(links),
                        new WatchApi(watch),
                        new RoleApi(swarm),
                        new ConflictApi(conflicts),
                        new SwarmApi(swarm, apps, conflicts)));
        http = HttpServer.listen(
                "127.0.0.1",
                0,
                1,
                new Front("example.org", routes, ready, sites, rest, auth, 1 << 20, placement::elsewhere),
                api,
                dates);
    }

    Wire wire() throws IOException {
        return new Wire(http.port());
    }

    /** A request as the command sends it: to an address, with the run file's token. */
    Wire.Answer local(String method, String path, String json) throws IOException {
        try (Wire wire = wire()) {
            byte[] body = json.getBytes(StandardCharsets.UTF_8);
            return wire.call(
                    method,
                    "127.0.0.1:" + http.port(),
                    path,
                    "Authorization: Bearer " + TOKEN + "\r\n"
                            + (body.length > 0 ? "Content-Type: application/json\r\n" : ""),
                    body);
        }
    }

    /** What the answer carries; fails when it is an error. */
    JsonNode data(String method, String path, String json) throws IOException {
        Wire.Answer answer = local(method, path, json);
        if (answer.status() / 100 != 2) {
            throw new AssertionError(method + " " + path + ": " + answer.status() + " " + answer.text());
        }
        return json(answer).get("data");
    }

    static JsonNode json(Wire.Answer answer) throws IOException {
        return MAPPER.readTree(answer.body());
    }

    /** Deploys as the command does; path and content take turns. Answers the release. */
    String deploy(String app, String... files) throws IOException {
        StringBuilder manifest = new StringBuilder();
        for (int i = 0; i < files.length; i += 2) {
            byte[] content = files[i + 1].getBytes(StandardCharsets.UTF_8);
            String hash = Blobs.sha256(content, 0, content.length);
            manifest.append(i == 0 ? "" : ",")
                    .append("{\"path\":\"" + files[i] + "\",\"sha256\":\"" + hash + "\",\"size\":" + content.length
                            + "}");
            data("PUT", "/api/blobs/" + hash, files[i + 1]);
        }
        return data("POST", "/api/deploy", "{\"name\":\"" + app + "\",\"manifest\":[" + manifest + "]}")
                .get("release")
                .asText();
    }

    @Override
    public void close() {
        http.close();
        api.shutdownNow();
        timer.shutdownNow();
        cartridge.close();
    }
}
