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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
import sh.fazt.testkit.Await;

/** Members that are shut out: real links, cartridges and groups in one process. */
@Timeout(180)
class EvictionIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Scope SCOPE = new Scope("notes");
    private static final SchemaPart NOTES = new SchemaPart(
            "notes",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "note",
                            Policy.REGISTER,
                            List.of(new Column("name", Type.TEXT)),
                            List.of(new Column("body", Type.TEXT))),
                    new ReplicatedTable("hits", Policy.COUNTER, List.of(new Column("name", Type.TEXT)), List.of())));

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();

    private final class Node {
        final String name;
        final NodeKey key;
        final int port;
        SqliteCartridge cartridge;
        ScheduledExecutorService thread;
        ExecutorService io;
        Swarm swarm;
        boolean runs;

        Node(String name) throws IOException {
            this.name = name;
            key = NodeKey.loadOrCreate(folder.resolve(name + ".key"));
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            start();
            nodes.add(this);
        }

        final void start() {
            List<SchemaPart> schemas = new ArrayList<>(Swarm.schemas());
            schemas.add(NOTES);
            cartridge = SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), schemas);
            thread = Executors.newSingleThreadScheduledExecutor();
            io = Executors.newFixedThreadPool(24);
            swarm = new Swarm(
                    OwnKey.open(cartridge, folder.resolve(name + ".key")),
                    new SwarmOptions(
                            name,
                            "test",
                            SwarmOptions.SCHEMA_LEVEL,
                            "",
                            "127.0.0.1",
                            port,
                            List.of("127.0.0.1:" + port),
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
                    body -> {
                        Thread made = new Thread(body, name + "-link");
                        made.setDaemon(true);
                        return made;
                    },
                    thread,
                    io);
            swarm.start();
            runs = true;
        }

        void stop() {
            if (runs) {
                swarm.close();
                thread.shutdownNow();
                io.shutdownNow();
                cartridge.close();
                runs = false;
            }
        }

        Node joins(Node other) {
            swarm.join(other.swarm.token(Duration.ofHours(1)).token().text());
            return this;
        }

        void write(String note, String body) {
            cartridge
                    .write(SCOPE, tx -> {
                        tx.put("note", List.of(note), Map.of("body", body));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
        }

        void hit(long by) {
            cartridge
                    .write(SCOPE, tx -> tx.increment("hits", List.of("page"), by))
                    .toCompletableFuture()
                    .join();
        }

        String note(String note) {
            return cartridge
                    .read(rows -> rows.first("SELECT body FROM note_live WHERE name = ?", row -> row.text(0), note))
                    .orElse("-");
        }

        long hits() {
            return cartridge
                    .read(rows -> rows.first("SELECT value FROM hits_live", row -> row.integer(0)))
                    .orElse(0L);
        }

        /** What two replicas that agree have in common. */
        String state() {
            return cartridge.replica().vector(SCOPE) + " " + cartridge.replica().digest(SCOPE);
        }

        boolean linkedTo(Node other) {
            return swarm.linkStates().values().stream()
                    .anyMatch(state -> state.up() && state.peer().equals(other.key.id()));
        }
    }

    @AfterEach
    void stop() {
        nodes.forEach(Node::stop);
    }

    private static void awaitMembers(int count, Node... all) {
        for (Node node : all) {
            Await.until(node.name + " sees " + count + " members and a quorum", PATIENCE, () -> {
                SwarmView view = node.swarm.view();
                return view.quorum()
                        && view.members().size() == count
                        && view.members().stream()
                                .noneMatch(member -> member.role().equals("joining"));
            });
        }
    }

    private static void awaitNote(String note, String body, Node... all) {
        for (Node node : all) {
            Await.until(
                    node.name + " has " + body + " in " + note,
                    PATIENCE,
                    () -> node.note(note).equals(body));
        }
    }

    private static void refused(Node at, String node, SwarmException.Reason reason, String... says) {
        assertThatThrownBy(() -> at.swarm.evict(node))
                .asInstanceOf(InstanceOfAssertFactories.type(SwarmException.class))
                .satisfies(refused -> {
                    assertThat(refused.reason()).isEqualTo(reason);
                    assertThat(refused).hasMessageContainingAll(says);
                });
    }

    @Test
    void anEvictedMemberNeitherReadsNorWrites() throws IOException {
        Node home = new Node("home");
        Node office = new Node("office").joins(home);
        Node phone = new Node("phone").joins(home);
        awaitMembers(3, home, office, phone);
        phone.write("before", "kept");
        awaitNote("before", "kept", home, office);
        String open = phone.swarm.token(Duration.ofHours(1)).token().text();
        String sameToken = home.swarm.token(Duration.ofHours(1)).token().text();

        home.swarm.evict("phone");

        awaitMembers(2, home, office);
        for (Node told : List.of(home, office)) {
            assertThat(told.swarm.watch().events().since(0))
                    .filteredOn(event -> event.kind().equals("evicted"))
                    .singleElement()
                    .satisfies(event -> assertThat(event.what()).isEqualTo("(phone) was evicted"));
        }
        Await.until("the phone is told", PATIENCE, () -> phone.swarm.evicted().contains("fazt swarm clone"));
        Await.until("no link is left", PATIENCE, () -> !phone.linkedTo(home) && !phone.linkedTo(office));
        phone.write("before", "stolen");
        phone.write("late", "stolen");
        home.write("secret", "new");
        awaitNote("secret", "new", home, office);
        assertThat(phone.note("secret")).isEqualTo("-");
        assertThat(List.of(home.note("before"), home.note("late"), office.note("late")))
                .containsExactly("kept", "-", "-");

        // Its open tokens are harmless, and so are those that it knew the secrets of.
        Node fresh = new Node("fresh");
        for (String token : List.of(open, sameToken)) {
            assertThatThrownBy(() -> fresh.swarm.join(token)).isInstanceOf(SwarmException.class);
        }
        // Its key is refused for good, also with a good token.
        phone.swarm.leave(true, Scope::id);
        assertThat(phone.swarm.evicted()).isEmpty();
        String good = home.swarm.token(Duration.ofHours(1)).token().text();
        assertThatThrownBy(() -> phone.swarm.join(good))
                .hasMessageContainingAll("phone", "was evicted", "fazt swarm clone");
        fresh.swarm.join(good);
        awaitNote("before", "kept", fresh);
        refused(home, "phone", SwarmException.Reason.CONFLICT, "phone", "evicted already");
        assertThat(fresh.note("late")).isEqualTo("-");
    }

    @Test
    void whatAThirdMemberTookMeanwhileIsPutBack() throws IOException {
        Node home = new Node("home");
        Node office = new Node("office").joins(home);
        Node barn = new Node("barn").joins(home);
        Node phone = new Node("phone").joins(home);
        awaitMembers(4, home, office, barn, phone);
        phone.write("note", "right");
        phone.write("gone", "right");
        phone.hit(5);
        awaitNote("gone", "right", home, office, barn);
        Await.until("the barn counts", PATIENCE, () -> barn.hits() == 5 && home.hits() == 5 && office.hits() == 5);
        barn.stop();
        home.swarm.evict("phone");
        home.write("meanwhile", "right");
        home.stop();
        office.stop();
        barn.start();
        Await.until("barn and phone are linked", PATIENCE, () -> barn.linkedTo(phone));
        phone.write("note", "stolen");
        phone.write("late", "stolen");
        phone.cartridge
                .write(SCOPE, tx -> tx.delete("note", List.of("gone")))
                .toCompletableFuture()
                .join();
        phone.hit(1000);
        Await.until("the barn is taken in", PATIENCE, () -> barn.hits() == 1005);
        assertThat(List.of(barn.note("note"), barn.note("late"), barn.note("gone")))
                .containsExactly("stolen", "stolen", "-");

        home.start();
        office.start();
        awaitMembers(3, home, office, barn);
        for (Node node : List.of(home, office, barn)) {
            Await.until(
                    node.name + " is as it was",
                    PATIENCE,
                    () -> node.note("note").equals("right")
                            && node.note("gone").equals("right")
                            && node.note("late").equals("-")
                            && node.note("meanwhile").equals("right")
                            && node.hits() == 5);
        }
        barn.write("after", "right");
        awaitNote("after", "right", home, office);
        Await.until(
                "all agree",
                PATIENCE,
                () -> home.state().equals(barn.state()) && home.state().equals(office.state()));
        assertThat(home.swarm.alarms() + office.swarm.alarms() + barn.swarm.alarms())
                .isZero();
        assertThat(barn.linkedTo(phone)).isFalse();
    }

    @Test
    void theLeaderOfTwoIsEvictedWhileItWrites() throws IOException {
        Node home = new Node("home");
        Node phone = new Node("phone").joins(home);
        awaitMembers(2, home, phone);
        for (int i = 0; i < 50; i++) {
            home.write("n" + i, "right");
        }
        phone.swarm.evict(home.key.id().toString().substring(0, 12));
        awaitMembers(1, phone);
        phone.swarm.alias("shop", "app");
        assertThat(phone.swarm.aliases()).containsEntry("shop", "app");
        Await.until("the other is told", PATIENCE, () -> !home.swarm.evicted().isEmpty());
        home.swarm.leave(true, Scope::id);
        home.swarm.alias("own", "app");
        assertThat(home.note("n49")).isEqualTo("right");
    }

    @Test
    void whatCannotBeEvictedIsRefusedAndNothingChanges() throws IOException {
        Node home = new Node("home");
        refused(home, "home", SwarmException.Reason.INVALID, "home", "itself", "fazt swarm leave");
        Node office = new Node("office").joins(home);
        awaitMembers(2, home, office);
        refused(home, "nobody", SwarmException.Reason.NOT_FOUND, "nobody", "fazt swarm status");
        refused(home, "home", SwarmException.Reason.INVALID, "itself");
        Node phone = new Node("phone").joins(home);
        awaitMembers(3, home, office, phone);
        office.stop();
        // Two would be left, and one of them does not answer.
        refused(home, "phone", SwarmException.Reason.NO_QUORUM, "office");
        assertThat(home.swarm.view().members()).hasSize(3);
        phone.write("still", "here");
        awaitNote("still", "here", home);
        home.swarm.evict("office");
        awaitMembers(2, home, phone);
        // It hears of it when it is back.
        office.start();
        Await.until("the office is told", PATIENCE, () -> office.swarm.evicted().contains("office"));
    }
}
