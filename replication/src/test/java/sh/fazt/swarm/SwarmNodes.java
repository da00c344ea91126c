package sh.fazt.swarm;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.Timings;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkState;
import sh.fazt.testkit.Await;

/** Whole nodes in one process: real links, cartridges and groups. */
final class SwarmNodes {
    static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Duration HOUR = Duration.ofHours(1);

    private final Path folder;
    private final List<Node> nodes = new ArrayList<>();
    SecureRandom random = new SecureRandom();
    /** Of the nodes that start from now on. */
    Timings timings = Timings.LAN;

    SwarmNodes(Path folder) {
        this.folder = folder;
    }

    Node node(String name) throws IOException {
        return node(name, SwarmOptions.SCHEMA_LEVEL);
    }

    /** A node of another release. */
    Node node(String name, int schemaLevel) throws IOException {
        return new Node(name, schemaLevel);
    }

    void stop() {
        nodes.forEach(Node::stop);
    }

    final class Node {
        final String name;
        final NodeKey key;
        final int port;
        SqliteCartridge cartridge;
        ScheduledExecutorService thread;
        ExecutorService io;
        Swarm swarm;
        /** Of the release that runs from the next start on. */
        int schemaLevel;

        /** Whether others can dial it, from the next start on. */
        boolean onNetwork = true;

        boolean runs;

        Node(String name, int schemaLevel) throws IOException {
            this.name = name;
            this.schemaLevel = schemaLevel;
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
            return onNetwork ? List.of("127.0.0.1:" + port) : List.of();
        }

        final void start() {
            cartridge = file();
            thread = Executors.newSingleThreadScheduledExecutor();
            io = Executors.newFixedThreadPool(24);
            InstantSource clock = Clock.systemUTC();
            swarm = new Swarm(
                    OwnKey.open(cartridge, folder.resolve(name + ".key")),
                    new SwarmOptions(
                            name,
                            "test",
                            schemaLevel,
                            "",
                            "127.0.0.1",
                            port,
                            addresses(),
                            false,
                            false,
                            raft(),
                            timings,
                            List.of(),
                            List.of()),
                    cartridge,
                    new Blobs(cartridge),
                    clock,
                    random,
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

        void restart(int level) {
            stop();
            schemaLevel = level;
            start();
        }

        JoinToken token() {
            return swarm.token(HOUR).token();
        }
    }

    /** A program that has a stopped node's key, and its links. */
    static GrpcLinks program(Node of, ExecutorService io, Node... linked) {
        String swarmId = linked[0].swarm.view().swarm().id();
        GrpcLinks links = new GrpcLinks(LinkConfig.of(
                        of.key,
                        () -> swarmId,
                        task -> new Thread(task, "program-link"),
                        io,
                        io,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", of.port, of.addresses()));
        links.schemaLevels(SwarmOptions.SCHEMA_LEVEL, SwarmOptions.SCHEMA_LEVEL);
        links.start();
        Map<NodeId, List<String>> trusted = new HashMap<>();
        for (Node node : linked) {
            trusted.put(node.key.id(), node.addresses());
        }
        links.trust(trusted);
        Await.until(
                "it is linked",
                PATIENCE,
                () -> links.states().stream().filter(LinkState::up).count() == linked.length);
        return links;
    }

    /** What a node has counted of another's wrongs. */
    static long offences(Node of, Node seenBy) {
        PeerFigures figures = seenBy.swarm.watch().peers().get(of.key.id());
        return figures == null
                ? 0
                : figures.link().faults() + figures.counters().offences();
    }

    static void awaitMembers(int count, Node... all) {
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

    static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
