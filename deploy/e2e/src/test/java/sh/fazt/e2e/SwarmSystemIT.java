package sh.fazt.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.Function;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.OtherProtocol;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.PrintedCode;

/** Swarms of processes on this machine: bad tokens, strangers at the port, crashes, a member that leaves alone. */
class SwarmSystemIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");

    @TempDir
    Path folder;

    private final Set<NodeUnderTest> nodes = new HashSet<>();

    private NodeUnderTest start(String name) throws Exception {
        return start(name, FREE);
    }

    private NodeUnderTest start(String name, List<String> flags) throws Exception {
        NodeUnderTest node = new NodeUnderTest(folder, name, List.of(), flags);
        nodes.add(node);
        return node.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
    }

    private static void join(NodeUnderTest node, NodeUnderTest issuer) throws Exception {
        node.ok("swarm", "join", issuer.ok("swarm", "token").asText());
    }

    private static void awaitAlive(int count, NodeUnderTest... nodes) {
        for (NodeUnderTest node : nodes) {
            Await.until(node.name + " sees " + count + " alive members and a leader", SOON, () -> {
                JsonNode status = node.status();
                long alive = 0;
                for (JsonNode member : status.get("members")) {
                    alive += member.get("state").asText().equals("alive") ? 1 : 0;
                }
                return alive == count && status.get("quorum").asBoolean() && status.hasNonNull("leader");
            });
        }
    }

    private static void refused(NodeUnderTest node, String message, String... words) throws Exception {
        NodeUnderTest.Run run = node.fazt(words);
        assertThat(run.err()).as(String.join(" ", words)).contains(message).doesNotContain("\tat ");
        assertThat(run.code()).as(String.join(" ", words)).isEqualTo(1);
        assertThat(run.out()).as("results only on stdout").isEmpty();
    }

    // ---- tokens ----

    @Test
    void aTokenThatDoesNotLetInSaysWhy() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        NodeUnderTest c = start("c");

        String expired = a.ok("swarm", "token", "--ttl", "1s").asText();
        Instant end = Instant.now().plusSeconds(2);
        Await.until("the token has expired", SOON, () -> Instant.now().isAfter(end));
        refused(b, "expired", "swarm", "join", expired);

        String damaged = b.ok("swarm", "token").asText();
        refused(a, "damaged", "swarm", "join", damaged.substring(0, damaged.length() - 4) + "aaaa");

        String early = a.ok("swarm", "token").asText();
        String used = b.ok("swarm", "token").asText();
        a.ok("swarm", "join", used);
        refused(c, "has joined with this token already", "swarm", "join", used);
        refused(c, "has no such token", "swarm", "join", early);
        refused(
                a,
                "\"fazt swarm leave\" first",
                "swarm",
                "join",
                c.ok("swarm", "token").asText());

        String lost = b.ok("swarm", "token").asText();
        HostAndPort swarm = HostAndPort.of(b.swarmAddress());
        b.stop();
        refused(c, "its swarm port has to be open to this machine", "swarm", "join", lost);
        byte[] garbage = new byte[2048];
        new Random(7).nextBytes(garbage);
        othersAnswer(c, lost, swarm, "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(UTF_8), "an HTTP server");
        othersAnswer(c, lost, swarm, "SSH-2.0-other\r\n".getBytes(UTF_8), "an SSH server");
        othersAnswer(c, lost, swarm, garbage, "something answers there that does not speak TLS");
        anIssuerOfALaterReleaseLetsNobodyIn(c);
        JsonNode status = c.ok("swarm", "status");
        assertThat(status.get("members")).as("still a swarm of one").hasSize(1);
        assertThat(status.get("quorum").asBoolean()).isTrue();
        assertThat(c.log()).content().doesNotContain("\tat ");
    }

    /** Where a node was, another program is now. */
    private static void othersAnswer(NodeUnderTest c, String token, HostAndPort swarm, byte[] answer, String name)
            throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.setReuseAddress(true);
            other.bind(new InetSocketAddress(swarm.host(), swarm.port()));
            Thread answering = answering(other, answer);
            NodeUnderTest.Run join = c.fazt("swarm", "join", token);
            other.close();
            answering.join();
            assertThat(join.code()).isEqualTo(1);
            assertThat(join.out()).isEmpty();
            assertThat(join.err())
                    .contains(
                            "was not reached",
                            name,
                            "which is no fazt node",
                            "What was expected there is the swarm port")
                    .contains("\"fazt swarm token\"")
                    .doesNotContain("\tat ");
        }
    }

    /** The links of a node that speaks later protocols only; who asks it is told before anything is agreed. */
    private static void anIssuerOfALaterReleaseLetsNobodyIn(NodeUnderTest c) throws Exception {
        NodeKey key = NodeKey.generate();
        ExecutorService threads = Executors.newCachedThreadPool();
        AtomicBoolean asked = new AtomicBoolean();
        GrpcLinks later = OtherProtocol.links(
                LinkConfig.of(
                                key,
                                () -> "swarm",
                                Thread::new,
                                threads,
                                threads,
                                Clock.systemUTC(),
                                System::nanoTime,
                                new Random())
                        .withAddress("127.0.0.1", 0, List.of())
                        .withDesk(application -> {
                            asked.set(true);
                            throw new IllegalStateException("nobody is to be admitted");
                        }),
                3,
                4);
        try {
            later.start();
            JoinToken token = JoinToken.mint(key.id(), List.of("127.0.0.1:" + later.port()), new SecureRandom());
            refused(
                    c,
                    "the node that issued the token speaks peer protocol 3 to 4, the node that wants to join 1 to 1:"
                            + " update fazt on the node that wants to join",
                    "swarm",
                    "join",
                    token.text());
            assertThat(asked).isFalse();
        } finally {
            later.close();
            threads.shutdownNow();
        }
    }

    private record HostAndPort(String host, int port) {
        static HostAndPort of(String address) {
            int colon = address.lastIndexOf(':');
            return new HostAndPort(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        }
    }

    private static Thread answering(ServerSocket server, byte[] answer) {
        Thread thread = new Thread(() -> {
            while (!server.isClosed()) {
                try (Socket socket = server.accept()) {
                    socket.getInputStream().read(new byte[512]);
                    socket.getOutputStream().write(answer);
                } catch (java.io.IOException closedOrGone) {
                    // The next one, or the end.
                }
            }
        });
        thread.start();
        return thread;
    }

    // ---- strangers ----

    @Test
    void strangersAtTheSwarmPortChangeNothing() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        join(b, a);
        a.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
        awaitAlive(2, a, b);
        HostAndPort swarm = HostAndPort.of(a.swarmAddress());

        byte[] garbage = new byte[64 << 10];
        new Random(7).nextBytes(garbage);
        assertHungUp(swarm, garbage);
        assertHungUp(swarm, "GET /api/swarm/status HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
        assertHungUp(swarm, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(UTF_8));
        garbageInsideTls(swarm, garbage);
        anUnknownKeyGetsNoLink(a);

        for (NodeUnderTest node : List.of(a, b)) {
            JsonNode status = node.ok("swarm", "status");
            assertThat(status.get("members")).hasSize(2);
            assertThat(status.get("members").toString()).doesNotContain("suspect", "dead");
            assertThat(status.get("quorum").asBoolean()).isTrue();
            Await.until(
                    node.name + " serves",
                    SOON,
                    () -> node.get("ledger", "/").contains("First release")
                            && node.ask("ledger", "GET", "/api/all", "").statusCode() == 200);
            assertThat(node.log()).content().doesNotContain("\tat ");
        }
    }

    private static void assertHungUp(HostAndPort swarm, byte[] bytes) throws Exception {
        try (Socket socket = new Socket(swarm.host(), swarm.port())) {
            socket.setSoTimeout(20_000);
            try {
                socket.getOutputStream().write(bytes);
                readToEnd(socket.getInputStream());
            } catch (SocketTimeoutException e) {
                throw new AssertionError("a stranger is kept", e);
            } catch (java.io.IOException reset) {
                // Hung up while we were still talking.
            }
        }
    }

    private static void readToEnd(InputStream in) throws java.io.IOException {
        byte[] part = new byte[512];
        while (in.read(part) >= 0) {
            // An alert, perhaps.
        }
    }

    /** A handshake without a key is allowed, since joiners begin so; what comes then is not HTTP/2. */
    private static void garbageInsideTls(HostAndPort swarm, byte[] garbage) throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(
                null,
                new TrustManager[] {
                    new X509TrustManager() {
                        @Override
                        public void checkClientTrusted(X509Certificate[] chain, String type) {}

                        @Override
                        public void checkServerTrusted(X509Certificate[] chain, String type) {}

                        @Override
                        public X509Certificate[] getAcceptedIssuers() {
                            return new X509Certificate[0];
                        }
                    }
                },
                null);
        try (SSLSocket socket = (SSLSocket) trusting.getSocketFactory().createSocket(swarm.host(), swarm.port())) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(20_000);
            try {
                socket.startHandshake();
                socket.getOutputStream().write(garbage);
                readToEnd(socket.getInputStream());
            } catch (SocketTimeoutException e) {
                throw new AssertionError("a stranger is kept", e);
            } catch (java.io.IOException hungUp) {
                // As it should.
            }
        }
    }

    /** A real node's links, with a key that is no member's, dialling a member whose key and address they know. */
    private static void anUnknownKeyGetsNoLink(NodeUnderTest a) throws Exception {
        NodeId member =
                NodeId.parse(a.ok("swarm", "status").get("self").get("id").asText());
        String swarm = a.ok("swarm", "status").get("swarm").get("id").asText();
        ExecutorService threads = Executors.newCachedThreadPool();
        GrpcLinks links = new GrpcLinks(LinkConfig.of(
                        NodeKey.generate(),
                        () -> swarm,
                        Thread::new,
                        threads,
                        threads,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", 0, List.of()));
        try {
            links.start();
            links.trust(Map.of(member, List.of(a.swarmAddress())));
            Await.until(
                    "the stranger is refused",
                    SOON,
                    () -> links.states().stream().anyMatch(state -> !state.up() && state.lastError() != null));
            assertThat(links.states()).noneMatch(state -> state.up());
        } finally {
            links.close();
            threads.shutdownNow();
        }
    }

    // ---- life and death ----

    @Test
    void aMemberCrashesAndOneLeavesWithoutTheOthers() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        NodeUnderTest c = start("c");
        join(b, a);
        join(c, a);
        a.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
        a.ok("alias", "set", "shop", "ledger");
        awaitAlive(3, a, b, c);
        Await.until("the app is on c", SOON, () -> c.get("shop", "/").contains("First release"));
        crash(b);
        awaitAlive(3, a, b, c);
        awaitSame(a, b, c);

        String ledger = c.get("ledger", "/api/all");
        a.kill();
        b.kill();
        Await.until("c has no quorum", SOON, () -> !c.status().get("quorum").asBoolean());
        NodeUnderTest.Run leave = c.fazt("swarm", "leave");
        assertThat(leave.code()).isEqualTo(1);
        assertThat(leave.err())
                .contains("can't leave the swarm without a quorum: a, b of 3 voters don't answer")
                .contains("\"fazt swarm leave --force\"");
        assertThat(c.ok("swarm", "status").get("members"))
                .as("nothing was done")
                .hasSize(3);

        JsonNode alone = c.ok("swarm", "leave", "--force");
        assertThat(alone.get("members")).hasSize(1);
        assertThat(alone.get("quorum").asBoolean()).isTrue();
        assertThat(c.get("ledger", "/api/all")).as("its data stays").isEqualTo(ledger);
        assertThat(c.get("shop", "/")).as("so do its aliases").contains("First release");
        c.ok("alias", "set", "store", "ledger");
        put(c, "on-c-alone");
        c.stop();
        c.start();
        assertThat(c.ok("swarm", "status").get("members"))
                .as("also after a restart")
                .hasSize(1);

        a.start();
        b.start();
        awaitAlive(2, a, b);
        assertThat(c.ok("swarm", "status").get("members"))
                .as("they don't take it back")
                .hasSize(1);
        put(a, "without-c");
        join(c, b);
        awaitAlive(3, a, b, c);
        assertThat(a.ok("swarm", "status").get("members")).as("it counts once").hasSize(3);
        awaitSame(a, b, c);
        assertThat(keys(c)).contains("on-c-alone", "without-c");
        a.ok("alias", "set", "again", "ledger");
        placeAndBack(a, b, c);
        evict(a, b, c);
        for (NodeUnderTest node : List.of(a, b, c)) {
            assertThat(node.stop()).as(node.name + " stops").isLessThan(Duration.ofSeconds(10));
        }
    }

    /** Where an app is not placed it is not; what is written meanwhile is there when it is placed there again. */
    private static void placeAndBack(NodeUnderTest a, NodeUnderTest b, NodeUnderTest c) throws Exception {
        String folder = Path.of("src/test/resources/ledger").toString();
        refused(a, "no member has it", "swarm", "place", "ledger", "label", "disk=big");
        refused(a, "there is no member \"d\"", "swarm", "place", "ledger", "on", "a,d");
        a.ok("swarm", "place", "ledger", "on", "a,b");
        Await.until(
                "c has let go",
                SOON,
                () -> c.look("/api/swarm/placement").at("/apps/0/rule").asText().equals("on a, b")
                        && c.look("/api/swarm/placement").get("leaving").isEmpty());
        var elsewhere = c.ask("shop", "GET", "/", "");
        assertThat(elsewhere.statusCode()).isEqualTo(421);
        assertThat(elsewhere.body()).contains("a, b");
        refused(c, "ask a or b", "app", "deploy", folder, "--name", "ledger");
        put(a, "while-c-is-without");
        assertThat(a.fazt("swarm", "verify").code()).isZero();
        c.kill();
        c.start();
        assertThat(c.ask("ledger", "GET", "/api/all", "").statusCode())
                .as("also after a crash")
                .isEqualTo(421);
        c.ok("swarm", "place", "ledger", "all");
        awaitSame(a, b, c);
        assertThat(keys(c)).contains("while-c-is-without");
    }

    @Test
    void theOnlyVoterIsNotEvictedAndOneOfTwoIs() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        b.ok("swarm", "join", "--observer", a.ok("swarm", "token").asText());
        awaitAlive(2, a, b);
        refused(b, "can't evict a: it is the only voter", "swarm", "evict", "a");
        awaitAlive(2, a, b);
        b.ok("swarm", "promote", "b");
        b.ok("swarm", "evict", "a");
        awaitAlive(1, b);
        Await.until("a knows", SOON, () -> a.ok("server", "status").toString().contains("was evicted from swarm"));
        b.ok("swarm", "token");
    }

    @Test
    void whatNobodyElseHasIsNamedWhenItsKeeperGoes() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        NodeUnderTest c = start("c");
        join(c, a);
        b.ok("swarm", "join", "--observer", a.ok("swarm", "token").asText());
        awaitAlive(3, a, b, c);
        b.kill();
        c.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
        put(c, "only-on-c");
        Await.until("a has it too", SOON, () -> a.get("ledger", "/api/all").contains("only-on-c"));
        c.ok("swarm", "place", "ledger", "on", "b,c");
        Await.until(
                "a has let go",
                SOON,
                () -> a.ok("swarm", "placement").get("leaving").isEmpty());
        // By what is agreed b keeps it as well.
        refused(c, "no other member has all of ledger (b is not linked)", "swarm", "leave");
        refused(c, "or leave with --force", "swarm", "leave");
        NodeUnderTest.Run evicted = a.fazt("swarm", "evict", "c", "--format", "table");
        assertThat(evicted.code()).isZero();
        assertThat(evicted.out())
                .contains("evicted c")
                .containsPattern("warning: c had told of [0-9]+ changes of ledger that no other member had: unless");
    }

    /** A node's files copied with its key, as to another machine, and started there beside it. */
    @Test
    void theYoungerOfTwoCopiesStopsAndGoesOnAsANodeOfItsOwn() throws Exception {
        NodeUnderTest a = start("a");
        NodeUnderTest b = start("b");
        join(b, a);
        a.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", "ledger");
        awaitAlive(2, a, b);
        Ledger.awaitServed(List.of(b), SOON);
        put(a, "before");
        put(a, "damaged");
        a.stop();
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        for (String file : List.of("a.db", "a.db.key")) {
            Files.copy(folder.resolve(file), elsewhere.resolve(file));
        }
        damageIsNamedAndRepaired(a, b);

        NodeUnderTest copy = new NodeUnderTest(elsewhere, "a", List.of(), FREE);
        nodes.add(copy);
        copy.start();
        Await.until("the copy stops", SOON, () -> !copy.isAlive());
        assertThat(copy.exitCode()).isEqualTo(1);
        assertThat(copy.log())
                .content()
                .containsPattern("runs twice, at \\S+:(" + a.swarmPort() + " and at \\S+:" + copy.swarmPort() + "|"
                        + copy.swarmPort() + " and at \\S+:" + a.swarmPort() + "): two processes have one key")
                .containsPattern("The one that was started later, at \\S+:" + copy.swarmPort() + ", stops")
                .contains("\"fazt swarm clone --db FILE\"")
                .doesNotContain("\tat ");
        assertThat(a.isAlive()).isTrue();
        awaitAlive(2, a, b);

        JsonNode made = copy.ok("swarm", "clone");
        assertThat(made.get("node").asText())
                .isNotEqualTo(a.ok("swarm", "status").get("self").get("id").asText());
        copy.start();
        assertThat(copy.ok("swarm", "status").get("self").get("id")).isEqualTo(made.get("node"));
        // In a swarm of its own.
        awaitAlive(1, copy);
        Ledger.awaitServed(List.of(copy), SOON);
        assertThat(keys(copy)).as("with all its data").contains("before", "damaged");
        NodeUnderTest.Run code = b.fazt("swarm", "token", "--qr");
        assertThat(code.code()).isZero();
        copy.ok("swarm", "join", PrintedCode.scan(code.out()));
        awaitAlive(3, a, b, copy);
        put(copy, "as-a-node-of-its-own");
        put(a, "as-before");
        awaitSame(a, b, copy);
        assertThat(keys(b)).contains("before", "damaged", "as-before", "as-a-node-of-its-own");
        assertThat(copy.isAlive()).isTrue();
        theLastOfTwoVotersDecidesAlone(a, b, copy);
    }

    /** A row that is gone from one member's file, and a byte of a file's content, as by a bad disk. */
    private static void damageIsNamedAndRepaired(NodeUnderTest a, NodeUnderTest b) throws Exception {
        assertThat(b.fazt("swarm", "status", "--format", "table").out())
                .as("it said that it stops")
                .containsPattern("a +voter +left");
        NodeUnderTest.Run alone = b.fazt("swarm", "verify", "--format", "table");
        assertThat(alone.code()).isEqualTo(3);
        assertThat(alone.out()).containsPattern("a +ledger +unreachable").contains("not everything could be compared");
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + a.cartridge);
                var statement = db.createStatement()) {
            // The guard lets nobody write who does not do what it does itself.
            Function.create(db, "fazt_writer", new Function() {
                @Override
                protected void xFunc() throws SQLException {
                    result(1);
                }
            });
            assertThat(statement.executeUpdate("DELETE FROM kv WHERE name = 'entry/damaged'"))
                    .isEqualTo(1);
            assertThat(statement.executeUpdate(
                            "UPDATE fazt_chunk SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)"
                                    + " WHERE hash = (SELECT hash FROM release_file WHERE path = 'index.html')"))
                    .isEqualTo(1);
        }
        a.start();
        Ledger.awaitServed(List.of(a), SOON);
        awaitAlive(2, a, b);
        assertThat(keys(a)).contains("before").doesNotContain("damaged");
        Await.until("both have seen the same, and b tells what differs", SOON, () -> {
            NodeUnderTest.Run verify = b.fazt("swarm", "verify", "ledger", "--format", "table");
            return verify.code() == 1
                    && verify.out().matches("(?s).*\\na ledger kv \\[\"entry/damaged\"] is missing there\\n.*")
                    && verify.out().contains("\"fazt swarm verify --repair\"");
        });
        NodeUnderTest.Run repair = b.fazt("swarm", "verify", "ledger", "--repair", "--format", "table");
        assertThat(repair.out()).contains("different, repaired");
        assertThat(repair.code()).isZero();
        assertThat(keys(a)).contains("before", "damaged");
        assertThat(b.fazt("swarm", "verify", "ledger").code()).isZero();

        NodeUnderTest.Run rot = a.fazt("swarm", "verify", "ledger", "--format", "table");
        assertThat(rot.code()).as(rot.out()).isEqualTo(1);
        assertThat(rot.out())
                .contains("1 blob is damaged")
                .containsPattern(
                        "\\na ledger release_file \\[.*\"index.html\"] names blob \\w+, which is damaged here\\n");
        NodeUnderTest.Run healed = a.fazt("swarm", "verify", "ledger", "--repair", "--format", "table");
        assertThat(healed.code()).as(healed.out()).isZero();
        assertThat(healed.out()).contains("different, repaired", "which was damaged here");
        assertThat(a.get("ledger", "/")).isEqualTo(Files.readString(Ledger.FOLDER.resolve("index.html")));
        assertThat(a.fazt("swarm", "verify", "ledger").code()).isZero();
        assertThat(a.fazt("swarm", "events", "--format", "table").out()).contains("  blob-damaged  ", "  repair  ");
    }

    /** In milliseconds, or -1 where nothing is told. */
    private static long sinceHeard(JsonNode members, String name) {
        for (JsonNode member : members) {
            if (member.get("name").asText().equals(name)) {
                return member.get("last_heard_ms").asLong(-1);
            }
        }
        throw new IllegalStateException("no member " + name);
    }

    private static void theLastOfTwoVotersDecidesAlone(NodeUnderTest a, NodeUnderTest b, NodeUnderTest c)
            throws Exception {
        assertThat(b.fazt("swarm", "demote", "a-2", "--format", "table").out()).containsPattern("a-2 .* observer");
        a.kill();
        Await.until("b has no quorum", SOON, () -> !b.status().get("quorum").asBoolean());
        Await.until("how long a is silent is told", SOON, () -> {
            JsonNode members = b.status().get("members");
            return sinceHeard(members, "a") > 3000 && sinceHeard(members, "b") < 0;
        });
        assertThat(b.fazt("swarm", "status", "--format", "table").out())
                .containsPattern("NAME +ROLE +STATE +HEARD ")
                .containsPattern("a +voter +dead +[0-9]+ (s|min) ago ")
                .containsPattern("b \\* +\\w+ +alive +- ");
        refused(b, "quorum", "alias", "set", "after", "ledger");
        String[] recover = {"swarm", "recover", "--force"};
        NodeUnderTest.Run unsure = b.fazt("yes\n", recover);
        assertThat(unsure.code()).isEqualTo(1);
        assertThat(unsure.err()).contains("nothing was changed");
        NodeUnderTest.Run sure = b.fazt("recover\n", recover);
        assertThat(sure.err()).contains("makes b the only voter", "  a is dead");
        assertThat(sure.code()).isZero();
        assertThat(sure.json().get("quorum").asBoolean()).isTrue();
        b.ok("alias", "set", "after", "ledger");
        Await.until("the observer follows", SOON, () -> c.get("after", "/").contains("First release"));
    }

    /** A stolen member neither reads nor writes anything of the swarm. */
    private static void evict(NodeUnderTest a, NodeUnderTest b, NodeUnderTest c) throws Exception {
        refused(a, "there is no member \"nobody\"", "swarm", "evict", "nobody");
        refused(a, "is this node", "swarm", "evict", "a");
        a.ok("swarm", "place", "ledger", "on", "c");
        refused(a, "it alone keeps ledger", "swarm", "evict", "c");
        a.ok("swarm", "place", "ledger", "all");
        awaitSame(a, b, c);
        a.ok("swarm", "evict", "c");
        Await.until("c knows", SOON, () -> c.ok("server", "status").toString().contains("was evicted from swarm"));
        put(c, "stolen");
        put(a, "after-the-theft");
        Await.until("b has it", SOON, () -> keys(b).contains("after-the-theft"));
        assertThat(keys(a)).doesNotContain("stolen");
        assertThat(keys(b)).doesNotContain("stolen");
        assertThat(keys(c)).contains("stolen").doesNotContain("after-the-theft");
        refused(c, "was evicted", "swarm", "token");
        refused(a, "was evicted already", "swarm", "evict", "c");
    }

    private static void put(NodeUnderTest node, String key) throws Exception {
        var answer = node.ask("ledger", "POST", "/api/put", "{\"key\":\"" + key + "\",\"value\":1}");
        if (answer.statusCode() != 201) {
            throw new IllegalStateException(node.name + " answered " + answer.statusCode() + ": " + answer.body());
        }
    }

    private static Set<String> keys(NodeUnderTest node) throws Exception {
        Set<String> keys = new TreeSet<>();
        var matcher = java.util.regex.Pattern.compile("\"entry/([^\"]+)\"").matcher(node.get("ledger", "/api/all"));
        while (matcher.find()) {
            keys.add(matcher.group(1));
        }
        return keys;
    }

    private static void awaitSame(NodeUnderTest a, NodeUnderTest b, NodeUnderTest c) {
        Await.until("the same on all three", SOON, () -> {
            String first = a.get("ledger", "/api/all");
            return first.equals(b.get("ledger", "/api/all")) && first.equals(c.get("ledger", "/api/all"));
        });
    }

    private void crash(NodeUnderTest b) throws Exception {
        Set<String> acknowledged = new ConcurrentSkipListSet<>();
        AtomicBoolean writing = new AtomicBoolean(true);
        Thread writer = new Thread(() -> {
            for (int i = 0; writing.get() && i < 5000; i++) {
                try {
                    put(b, "crash-" + i);
                    acknowledged.add("crash-" + i);
                } catch (Exception e) {
                    return;
                }
            }
        });
        writer.start();
        Await.until("some writes", SOON, () -> acknowledged.size() > 50);
        b.kill();
        writing.set(false);
        writer.join();
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + b.cartridge);
                var statement = db.createStatement();
                var rows = statement.executeQuery("PRAGMA integrity_check")) {
            assertThat(rows.getString(1)).isEqualTo("ok");
        }
        b.start();
        assertThat(keys(b)).containsAll(acknowledged);
    }
}
