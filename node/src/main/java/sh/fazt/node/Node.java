package sh.fazt.node;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.RunFile;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.Timings;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.app.App;
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
import sh.fazt.node.api.BackupApi;
import sh.fazt.node.api.ChangeEvents;
import sh.fazt.node.api.ConflictApi;
import sh.fazt.node.api.ConflictDesk;
import sh.fazt.node.api.LeaseApi;
import sh.fazt.node.api.LinkApi;
import sh.fazt.node.api.PlacementApi;
import sh.fazt.node.api.RoleApi;
import sh.fazt.node.api.SwarmApi;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.api.SystemApi;
import sh.fazt.node.api.WatchApi;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.config.Settings;
import sh.fazt.node.config.Settings.Key;
import sh.fazt.node.grpc.GrpcSurface;
import sh.fazt.node.http.Dates;
import sh.fazt.node.http.HttpServer;
import sh.fazt.node.ops.Condition;
import sh.fazt.node.ops.Standstill;
import sh.fazt.node.site.Arrivals;
import sh.fazt.node.site.Ready;
import sh.fazt.node.site.SiteHandler;
import sh.fazt.runtime.Runtime;
import sh.fazt.runtime.RuntimeOptions;
import sh.fazt.runtime.ScriptThreads;
import sh.fazt.runtime.SourceTree;
import sh.fazt.runtime.sandbox.Meter;
import sh.fazt.swarm.OwnKey;
import sh.fazt.swarm.Swarm;
import sh.fazt.swarm.SwarmOptions;
import sh.fazt.swarm.TimeView;

/**
 * The composition root: every room is made here, in the order in which it may be used, and closed in the
 * reverse. Confined to the thread that starts and stops it.
 */
final class Node implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Node.class);
    private static final int HTTP_THREADS =
            Math.max(1, java.lang.Runtime.getRuntime().availableProcessors());
    private static final int API_THREADS = 16;
    private static final int API_WAITING = 1024;
    /** Raft and joins wait on these for other nodes. */
    private static final int IO_THREADS = 24;

    private static final int IO_WAITING = 4096;

    private final Stops stops = new Stops();
    private final SqliteCartridge cartridge;
    private final Settings settings;
    private final ThreadPoolExecutor io;
    private final Swarm swarm;
    private final Runtime runtime;
    private final Standstill standstill;
    private final Routes routes;
    private final Housekeeping housekeeping;
    private final HttpServer http;
    /** Rehearses a machine whose clock is wrong when the system property {@code fazt.clock.offset} says so (ISO 8601). */
    private final InstantSource clock =
            Clock.offset(Clock.systemUTC(), Duration.parse(System.getProperty("fazt.clock.offset", "PT0S")));

    private final Instant started;
    private final String name;
    private final String domain;
    private final @Nullable String newPassword;

    private Node(Path file, Map<String, String> flags) throws IOException {
        SecureRandom random = new SecureRandom();
        started = clock.instant();

        try {
            cartridge = stops.add(
                    "cartridge",
                    SqliteCartridge.open(file, CartridgeOptions.standard().withWall(clock), schemas()));
            settings = new Settings(cartridge, flags, System.getenv());
            name = settings.get(Key.NAME).isEmpty() ? machine() : settings.get(Key.NAME);
            domain = settings.get(Key.DOMAIN);
            OwnKey key = OwnKey.open(cartridge, beside(".key"));
            InstantSource corrected = cartridge.clock()::now;

            ScheduledThreadPoolExecutor timer = stops.add(timer("timer"), "timer");
            ScheduledThreadPoolExecutor swarmThread = stops.add(timer("swarm"), "swarm thread");
            io = stops.add(pool("io", IO_THREADS, IO_WAITING), "io");
            ThreadPoolExecutor api = stops.add(pool("api", API_THREADS, API_WAITING), "api");

            Blobs blobs = new Blobs(cartridge);
            Apps apps = new Apps(cartridge, random);
            KeyValues data = new KeyValues(cartridge, corrected);
            Accounts accounts = new Accounts(cartridge, corrected, random);
            runtime = stops.add(
                    "runtime",
                    new Runtime(
                            RuntimeOptions.DEFAULT,
                            new KeyValuesAdapter(data),
                            new DocumentsAdapter(new Documents(cartridge, corrected, random, Meter::poll)),
                            (app, level, message) ->
                                    LOG.info("app log app={} level={} message={}", app, level, message),
                            ScriptThreads.daemons()));
            Deployments deployments = new Deployments(cartridge, blobs, apps, check(runtime), corrected, random);
            String token = token(random);
            Auth auth = new Auth(accounts, token);

            ConflictDesk conflicts = new ConflictDesk(cartridge.conflicts(), apps, () -> control(apps));
            GrpcSurface grpc = new GrpcSurface(
                    () -> control(apps),
                    this::links,
                    () -> watch(apps),
                    () -> placement(apps),
                    this::leases,
                    conflicts,
                    apps,
                    auth,
                    version());

            int swarmPort = settings.number(Key.SWARM_PORT) == 0 ? freePort() : settings.number(Key.SWARM_PORT);
            swarm = stops.add(
                    "swarm",
                    new Swarm(
                            key,
                            new SwarmOptions(
                                    name,
                                    version(),
                                    SwarmOptions.SCHEMA_LEVEL,
                                    "",
                                    settings.get(Key.BIND),
                                    swarmPort,
                                    addresses(settings.get(Key.BIND), swarmPort),
                                    settings.on(Key.DISCOVERY),
                                    settings.on(Key.PORT_MAPPING),
                                    beside(".raft"),
                                    Timings.STANDARD,
                                    grpc.services(),
                                    grpc.interceptors()),
                            cartridge,
                            blobs,
                            clock,
                            random,
                            daemons("link"),
                            swarmThread,
                            io));
            standstill = stops.add(
                    "standstill",
                    new Standstill(
                                    List.of(
                                            writer(),
                                            Standstill.executor(
                                                    "swarm", "nothing is replicated", swarmThread, System::nanoTime)),
                                    System::nanoTime,
                                    (what, why) -> swarm.watch().events().add("standstill", null, what, why))
                            .start(daemons("standstill")));
            routes = new Routes(
                    cartridge,
                    blobs,
                    swarm::aliases,
                    swarm.placements()::here,
                    (app, one) -> swarm.heldBack().is(new Scope(app), one.sha256(), one.size()),
                    timer);
            swarm.heldBack().listen(routes::rebuildSoon);
            swarm.placements().listen(routes::rebuildSoon);
            PlacementAdapter placement = placement(apps);

            ChangeEvents events = stops.add("events", new ChangeEvents(timer));
            cartridge.listen(commit -> events.changed());
            swarm.listen(events::changed);
            housekeeping = new Housekeeping(cartridge, apps, data, swarm::mayTidy, swarm::seenByAll, corrected);
            timer.scheduleWithFixedDelay(() -> housekeeping.turnSoon(io), 1, 1, TimeUnit.HOURS);
            Dates dates = new Dates(corrected);
            Ready ready = new Ready(dates, (long) settings.number(Key.READY) << 20);
            SiteHandler sites = new SiteHandler(
                    new Arrivals(blobs, swarm::fetch, api),
                    runtime::invoke,
                    ready,
                    Duration.ofSeconds(settings.number(Key.FUNCTION_SECONDS)));
            ApiHandler rest = new ApiHandler(
                    auth,
                    List.of(
                            new AccountApi(auth, accounts),
                            new AppApi(apps, deployments, () -> name, this::url, placement::elsewhere),
                            new PlacementApi(placement),
                            new LeaseApi(leases()),
                            new SwarmApi(control(apps), apps, conflicts),
                            new ConflictApi(conflicts),
                            new LinkApi(links()),
                            new WatchApi(watch(apps)),
                            new RoleApi(control(apps)),
                            new BackupApi(cartridge, clock, io),
                            new SystemApi(
                                    settings,
                                    events,
                                    () -> condition().health(),
                                    () -> condition().metrics()
                                            + links().metrics()
                                            + PeerMetrics.of(swarm.watch())
                                            + standstill.metrics()
                                            + housekeeping.metrics())));
            http = HttpServer.listen(
                    settings.get(Key.BIND),
                    settings.number(Key.PORT),
                    HTTP_THREADS,
                    new Front(
                            domain,
                            routes,
                            ready,
                            sites,
                            rest,
                            auth,
                            (long) settings.number(Key.FUNCTION_BODY) << 20,
                            label -> placement.elsewhere(swarm.aliases().getOrDefault(label, label))),
                    api,
                    dates);
            stops.add("http", () -> http.stop(Duration.ofSeconds(3)));
            // Both ports are this node's before it takes part: what else fails, fails without a swarm half made.
            swarm.start();
            // Only now: of a start that failed nobody would see the password.
            newPassword = swarm.isAlone() && !accounts.hasOwner() ? accounts.createOwner() : null;
            new RunFile(ProcessHandle.current().pid(), address(), swarmAddress(), token, started.toString())
                    .write(file);
            stops.add("run file", () -> RunFile.remove(file));
            runtime.warmUp();
        } catch (RuntimeException | IOException e) {
            stops.run();
            throw e;
        }
    }

    static Node start(Path file, Map<String, String> flags) throws IOException {
        return new Node(file, flags);
    }

    /** What every room keeps in the cartridge. */
    static List<SchemaPart> schemas() {
        List<SchemaPart> schemas = new ArrayList<>(List.of(
                Settings.SCHEMA, Apps.SCHEMA, Deployments.SCHEMA, KeyValues.SCHEMA, Documents.SCHEMA, Accounts.SCHEMA));
        schemas.addAll(Swarm.schemas());
        return schemas;
    }

    private Path beside(String suffix) {
        return cartridge.file().resolveSibling(cartridge.file().getFileName() + suffix);
    }

    /** A port that is free now: what others dial has to be known before the links open it. */
    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Where others reach an address that is listened on: itself, or every one of this machine's. */
    private static List<String> addresses(String bind, int port) throws IOException {
        if (!bind.equals("0.0.0.0") && !bind.equals("::")) {
            return List.of((bind.indexOf(':') >= 0 ? "[" + bind + "]" : bind) + ":" + port);
        }
        List<String> addresses = new ArrayList<>();
        for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            for (InetAddress address : Collections.list(each.getInetAddresses())) {
                if (!address.isLoopbackAddress() && !address.isLinkLocalAddress() && addresses.size() < 8) {
                    // Without the interface, which others call otherwise.
                    String text = address.getHostAddress().split("%")[0];
                    addresses.add((text.indexOf(':') >= 0 ? "[" + text + "]" : text) + ":" + port);
                }
            }
        }
        return addresses;
    }

    private static FunctionCheck check(Runtime runtime) {
        return sources -> runtime
                .check(new SourceTree() {
                    @Override
                    public java.util.Collection<String> paths() {
                        return sources.keySet();
                    }

                    @Override
                    public java.util.Optional<String> text(String path) {
                        return java.util.Optional.ofNullable(sources.get(path));
                    }
                })
                .stream()
                .map(problem ->
                        new FunctionCheck.Problem(problem.file(), problem.line(), problem.column(), problem.message()))
                .toList();
    }

    private Standstill.Watched writer() {
        return new Standstill.Watched() {
            @Override
            public String name() {
                return "writer";
            }

            @Override
            public String harm() {
                return "nothing is written";
            }

            @Override
            public OptionalLong since() {
                return cartridge.busySince();
            }
        };
    }

    private SwarmControl control(Apps apps) {
        return new SwarmAdapter(swarm, apps, io);
    }

    private PlacementAdapter placement(Apps apps) {
        return new PlacementAdapter(swarm, apps, io);
    }

    private LeaseAdapter leases() {
        return new LeaseAdapter(swarm, io);
    }

    private LinkAdapter links() {
        return new LinkAdapter(swarm, io);
    }

    private WatchAdapter watch(Apps apps) {
        return new WatchAdapter(swarm.watch(), apps, io);
    }

    private String url(App app) {
        return "http://" + app.name() + "." + domain + ":" + http.port() + "/";
    }

    private Condition condition() {
        String refused = cartridge.notWritable();
        TimeView time = swarm.time();
        List<String> complaints = new ArrayList<>();
        if (refused != null) {
            complaints.add(refused);
        }
        complaints.addAll(SwarmAdapter.complaints(swarm, time));
        complaints.addAll(standstill.complaints());
        routes.astray()
                .forEach(one -> complaints.add("the active release " + one.active() + " of app " + one.app()
                        + " was removed before a member that was away went back to it: "
                        + (one.served() == null ? "nothing" : "release " + one.served())
                        + " is served. Make one the active one that is there: on the admin page, or by a deploy"));
        java.lang.Runtime machine = java.lang.Runtime.getRuntime();
        return new Condition(
                name,
                version(),
                started,
                clock.instant(),
                housekeeping.database(),
                complaints,
                time.offsetMillis(),
                machine.totalMemory() - machine.freeMemory(),
                machine.maxMemory(),
                http.status(),
                runtime.status());
    }

    static String version() {
        String version = Node.class.getPackage().getImplementationVersion();
        return version == null ? "unpackaged" : version;
    }

    String name() {
        return name;
    }

    Path file() {
        return cartridge.file();
    }

    /** Completes when this process has to stop, see {@link Swarm#copied}. */
    CompletionStage<String> copied() {
        return swarm.copied();
    }

    /** Completes when this node has to be closed and started again, see {@link Swarm#rotated}. */
    CompletionStage<NodeId> rotated() {
        return swarm.rotated();
    }

    /** The flags that a start at the same ports needs. */
    Map<String, String> ports() {
        return Map.of(
                Key.PORT.text(), String.valueOf(http.port()), Key.SWARM_PORT.text(), String.valueOf(swarm.port()));
    }

    @Nullable
    String newPassword() {
        return newPassword;
    }

    /** {@code host:port} where this machine reaches the HTTP surface. */
    String address() {
        String bind = settings.get(Key.BIND);
        String host = bind.equals("0.0.0.0") || bind.equals("::") ? "127.0.0.1" : bind;
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + http.port();
    }

    /** {@code host:port} of the links. */
    String swarmAddress() {
        String bind = settings.get(Key.BIND);
        return (bind.indexOf(':') >= 0 ? "[" + bind + "]" : bind) + ":" + swarm.port();
    }

    String adminUrl() {
        return "http://admin." + domain + ":" + http.port() + "/";
    }

    /** Start reversed; each step has its deadline and none keeps the next from being tried. */
    @Override
    public void close() {
        stops.run();
    }

    private static ThreadPoolExecutor pool(String name, int threads, int waiting) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), daemons(name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static ScheduledThreadPoolExecutor timer(String name) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemons(name));
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger count = new AtomicInteger();
        return body -> {
            Thread thread = new Thread(body, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    private static String token(SecureRandom random) {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "node";
        }
    }
}
