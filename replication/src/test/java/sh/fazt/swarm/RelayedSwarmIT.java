package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.Timings;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkState;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.CutProxy;

/**
 * Whole nodes, two of which nobody can dial: a server in the middle makes them full members with each other, and
 * when they can be dialled they need it no more.
 */
final class RelayedSwarmIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final SchemaPart NOTES = new SchemaPart(
            "notes",
            List.of(),
            List.of(new ReplicatedTable(
                    "remark",
                    Policy.REGISTER,
                    List.of(new Column("name", Type.TEXT)),
                    List.of(new Column("value", Type.TEXT)))));

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();

    /** A node that others dial through a cable; a cut cable is what a NAT is to a caller. */
    private final class Node {
        final String name;
        final int port;
        final CutProxy cable;
        final NodeKey key;

        @SuppressWarnings("NullAway.Init")
        SqliteCartridge cartridge;

        @SuppressWarnings("NullAway.Init")
        ScheduledExecutorService thread;

        @SuppressWarnings("NullAway.Init")
        ExecutorService io;

        @Nullable
        Swarm swarm;

        Node(String name) throws IOException {
            this.name = name;
            key = NodeKey.loadOrCreate(folder.resolve(name + ".key"));
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            cable = CutProxy.to(port);
            nodes.add(this);
        }

        Node start() {
            List<SchemaPart> schemas = new ArrayList<>(Swarm.schemas());
            schemas.add(NOTES);
            cartridge = SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), schemas);
            OwnKey own = OwnKey.open(cartridge, folder.resolve(name + ".key"));
            thread = Executors.newSingleThreadScheduledExecutor();
            io = Executors.newFixedThreadPool(24);
            Swarm made = new Swarm(
                    own,
                    new SwarmOptions(
                            name,
                            "test",
                            SwarmOptions.SCHEMA_LEVEL,
                            "",
                            "127.0.0.1",
                            port,
                            List.of(cable.address()),
                            false,
                            false,
                            folder.resolve(name + ".raft"),
                            Timings.LAN,
                            List.of(),
                            List.of()),
                    cartridge,
                    new Blobs(cartridge),
                    Clock.systemUTC(),
                    new SecureRandom(),
                    task -> new Thread(task, name + "-link"),
                    thread,
                    io);
            swarm = made;
            made.start();
            return this;
        }

        Swarm swarm() {
            Swarm running = swarm;
            if (running == null) {
                throw new AssertionError(name + " is not running");
            }
            return running;
        }

        void join(Node issuer) throws Exception {
            String token = issuer.swarm().token(Duration.ofHours(1)).token().text();
            CompletableFuture.runAsync(() -> swarm().join(token), io).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        LinkState link(Node to) {
            return swarm().linkStates().values().stream()
                    .filter(state -> state.peer().equals(to.key.id()))
                    .findFirst()
                    .orElseThrow();
        }

        void note(String key, String value) throws Exception {
            cartridge
                    .write(Scope.SYSTEM, tx -> {
                        tx.put("remark", List.of(key), Map.of("value", value));
                        return true;
                    })
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
        }

        String noted(String key) {
            return cartridge.read(rows -> rows.first(
                            "SELECT value FROM remark_live WHERE scope = ? AND name = ?",
                            row -> row.text(0),
                            Scope.SYSTEM.id(),
                            key)
                    .orElse(""));
        }

        void stop() {
            Swarm running = swarm;
            if (running != null) {
                swarm = null;
                running.close();
                thread.shutdownNow();
                io.shutdownNow();
                cartridge.close();
            }
        }
    }

    @AfterEach
    void stop() {
        nodes.forEach(Node::stop);
        nodes.forEach(node -> node.cable.close());
    }

    private void awaitAllAlive() {
        for (Node node : nodes) {
            Await.until(node.name + " sees three living voters and a quorum", PATIENCE, () -> {
                SwarmView view = node.swarm().view();
                return view.quorum()
                        && view.members().size() == 3
                        && view.members().stream()
                                .allMatch(member -> member.state().equals("alive")
                                        && !member.role().equals("joining"));
            });
        }
    }

    @Test
    void twoThatNobodyCanDialAreFullMembersThroughTheThird() throws Exception {
        Node home = new Node("home");
        Node vps = new Node("vps");
        Node phone = new Node("phone");
        home.cable.cut();
        phone.cable.cut();
        nodes.forEach(Node::start);
        for (Node node : nodes) {
            // As every node, it has an owner before it joins.
            node.note("owner", node.name);
        }
        home.join(vps);
        phone.join(vps);
        awaitAllAlive();

        Await.until(
                "home and phone are linked",
                PATIENCE,
                () -> home.link(phone).up() && phone.link(home).up());
        assertThat(home.link(phone).via()).isEqualTo(vps.key.id());
        assertThat(phone.link(home).linkClass()).isEqualTo(LinkClass.RELAYED);
        assertThat(home.link(vps).via()).isNull();

        home.note("from", "home");
        Await.until("rows reach the phone", PATIENCE, () -> phone.noted("from").equals("home"));
        phone.note("from", "phone");
        Await.until("and come back", PATIENCE, () -> home.noted("from").equals("phone"));
        phone.swarm().alias("shop", "app-1");
        Await.until(
                "what is agreed reaches home",
                PATIENCE,
                () -> "app-1".equals(home.swarm().aliases().get("shop")));

        // Nothing in the way any more: the relay is left without anybody above noticing.
        long downs = home.swarm().linkCounters().linksDown();
        home.cable.heal();
        phone.cable.heal();
        Await.until(
                "direct",
                Duration.ofMinutes(3),
                () -> home.link(phone).up()
                        && home.link(phone).via() == null
                        && phone.link(home).via() == null);
        assertThat(home.swarm().linkCounters().linksDown()).isEqualTo(downs);
        assertThat(home.swarm().linkCounters().moved()).isPositive();

        vps.stop();
        Await.until(
                "the two have a quorum without it",
                PATIENCE,
                () -> home.swarm().view().quorum() && phone.swarm().view().quorum());
        home.note("after", "all");
        Await.until("rows still pass", PATIENCE, () -> phone.noted("after").equals("all"));
    }

    @Test
    void whatIsSetOfLinksHoldsAtOnceAndOverARestart() throws Exception {
        Node home = new Node("home");
        Node vps = new Node("vps");
        nodes.forEach(Node::start);
        for (Node node : nodes) {
            // As every node, it has an owner before it joins.
            node.note("owner", node.name);
        }
        home.join(vps);
        Await.until("linked", PATIENCE, () -> home.link(vps).up());
        home.swarm().setLink("vps", "rate", "1mbit");
        home.swarm().setLink("default", "budget", "50MB");
        home.swarm().setLink(vps.key.id().toString().substring(0, 12), "metered", "on");
        Await.until("metered", PATIENCE, () -> home.link(vps).linkClass() == LinkClass.METERED);
        assertThat(home.link(vps).rateLimit()).isEqualTo(125_000);
        assertThatThrownBy(() -> home.swarm().setLink("vps", "budget", "0"))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.INVALID))
                .hasMessageContaining("budget of zero is refused");
        assertThatThrownBy(() -> home.swarm().setLink("nobody", "rate", "1mbit"))
                .isInstanceOfSatisfying(
                        SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.NOT_FOUND));
        home.note("some", "traffic");
        Await.until("it arrives", PATIENCE, () -> vps.noted("some").equals("traffic"));
        Long left = home.link(vps).budgetLeft();
        assertThat(left).isNotNull().isLessThan(50_000_000);
        home.stop();
        home.start();
        Await.until("linked again", PATIENCE, () -> home.link(vps).up());
        assertThat(home.swarm().linkSettings().entries()).hasSize(3);
        assertThat(home.link(vps).rateLimit()).isEqualTo(125_000);
        assertThat(home.link(vps).budgetLeft()).isNotNull().isLessThanOrEqualTo(left);
    }
}
