package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.Timings;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Applicant;
import sh.fazt.link.JoinAnswer;
import sh.fazt.link.JoinCall;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.testkit.Await;

/** Whole swarms in one process: real links, cartridges and groups. */
@Timeout(120)
class SwarmIT {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Duration HOUR = Duration.ofHours(1);

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

        SqliteCartridge file() {
            SqliteCartridge opened =
                    SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), Swarm.schemas());
            opened.bind(key.id());
            return opened;
        }

        Path raft() {
            return folder.resolve(name + ".raft");
        }

        List<String> addresses() {
            return List.of("127.0.0.1:" + port);
        }

        final void start() {
            cartridge = file();
            thread = Executors.newSingleThreadScheduledExecutor();
            io = Executors.newFixedThreadPool(24);
            InstantSource clock = Clock.systemUTC();
            swarm = new Swarm(
                    key,
                    new SwarmOptions(
                            name,
                            "test",
                            "",
                            "127.0.0.1",
                            port,
                            addresses(),
                            false,
                            false,
                            raft(),
                            MembershipConfig.lan(),
                            Timings.LAN,
                            List.of(),
                            List.of()),
                    cartridge,
                    new Blobs(cartridge),
                    clock,
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

        JoinToken token() {
            return swarm.token(HOUR).token();
        }
    }

    @AfterEach
    void stop() {
        nodes.forEach(Node::stop);
    }

    private static void awaitMembers(int count, Node... all) {
        for (Node node : all) {
            Await.until(node.name + " sees " + count + " voters and a quorum", PATIENCE, () -> {
                SwarmView view = node.swarm.view();
                return view.quorum()
                        && view.members().size() == count
                        && view.members().stream()
                                .noneMatch(member -> member.role().equals("joining"));
            });
        }
    }

    @Test
    void aNodeJoinsAfterTheFounderIsGone() throws IOException {
        Node founder = new Node("founder");
        founder.swarm.alias("shop", "app");
        Node second = new Node("second");
        second.swarm.join(founder.token().text());
        founder.swarm.leave(false);
        awaitMembers(1, second);
        founder.stop();
        Node third = new Node("third");
        third.swarm.join(second.token().text());
        awaitMembers(2, second, third);
        assertThat(third.swarm.aliases()).containsEntry("shop", "app");
        third.swarm.alias("other", "app");
        assertThat(third.swarm.aliases()).containsEntry("other", "app");
    }

    @Test
    void aNodeThatWasAloneAndLostItsLogCanBeJoined() throws IOException {
        Node one = new Node("one");
        one.swarm.alias("shop", "app");
        String id = one.swarm.view().swarm().id();
        one.stop();
        delete(one.raft());
        one.start();
        Node two = new Node("two");
        two.swarm.join(one.token().text());
        awaitMembers(2, one, two);
        assertThat(two.swarm.view().swarm().id()).isEqualTo(id);
        assertThat(two.swarm.aliases()).containsEntry("shop", "app");
    }

    @Test
    void aMemberThatLostItsLogVotesAgain() throws IOException {
        Node one = new Node("one");
        Node two = new Node("two");
        two.swarm.join(one.token().text());
        Node three = new Node("three");
        three.swarm.join(one.token().text());
        awaitMembers(3, one, two, three);
        two.stop();
        delete(two.raft());
        one.swarm.alias("meanwhile", "app");
        two.start();
        awaitMembers(3, one, two, three);
        two.swarm.alias("after", "app");
        assertThat(two.swarm.aliases()).containsKeys("meanwhile", "after");
    }

    @Test
    void aJoinThatWasCutOffBeforeItsGroupGoesOn() throws IOException {
        Node one = new Node("one");
        Node two = new Node("two");
        awaitMembers(1, two);
        JoinAnswer answer = JoinCall.join(
                        one.token(), two.key, new Applicant("two", two.addresses()), Duration.ofSeconds(20), two.io)
                .toCompletableFuture()
                .join();
        two.stop();
        try (SqliteCartridge file = two.file()) {
            // What a crash leaves right after the admission was noted.
            new PendingJoin(file).keep(Admission.parseFrom(((JoinAnswer.Admitted) answer).admission()));
        }
        two.start();
        awaitMembers(2, one, two);
        assertThat(two.swarm.view().swarm()).isEqualTo(one.swarm.view().swarm());
    }

    @Test
    void aSwarmWhoseFoundingWasCutOffIsFounded() throws IOException {
        Node one = new Node("one");
        awaitMembers(1, one);
        one.stop();
        try (SqliteCartridge file = one.file()) {
            // What a crash leaves between the group and its first records.
            file.writeLocal(tx -> tx.execute("DELETE FROM config_entry"))
                    .toCompletableFuture()
                    .join();
        }
        one.start();
        assertThat(one.swarm.init("again").swarm().name()).isEqualTo("again");
        awaitMembers(1, one);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
