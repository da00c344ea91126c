package sh.fazt.consensus;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmConfig.Result;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.testkit.Await;

/** Voters in one process, over links that a test can cut. */
abstract class RaftNodes {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    ScheduledExecutorService threads;
    MemoryLinks.Network network;
    /** Of the nodes that are made from now on. */
    Timings timings = Timings.LAN;

    final List<Node> nodes = new ArrayList<>();

    final class Node {
        final NodeId id;
        final String name;
        final Random random;
        SqliteCartridge cartridge;
        Links links;
        ExecutorService io;
        SwarmRaft raft;
        SwarmConfig config;
        /** Why the cartridge takes no write that is agreed; null when it does. */
        volatile @Nullable RuntimeException writes;

        volatile Runnable beforeWrite = () -> {};

        private boolean runs;

        Node(int number) {
            id = id(number);
            name = "n" + number;
            random = new Random(number);
            boot();
            nodes.add(this);
        }

        final void boot() {
            io = Executors.newFixedThreadPool(16);
            cartridge = SqliteCartridge.open(file(), CartridgeOptions.standard(), List.of(SwarmRaft.schema()));
            links = links(this);
            raft = new SwarmRaft(id, refusing(), log(), links, timings, io, threads, random);
            config = new SwarmConfig(raft);
            runs = true;
        }

        private Cartridge refusing() {
            return (Cartridge) Proxy.newProxyInstance(
                    Cartridge.class.getClassLoader(), new Class<?>[] {Cartridge.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("writeLocal")) {
                            beforeWrite.run();
                            RuntimeException refused = writes;
                            if (refused != null) {
                                return CompletableFuture.failedFuture(refused);
                            }
                        }
                        return method.invoke(cartridge, arguments);
                    });
        }

        void stop() {
            if (runs) {
                raft.close();
                links.close();
                cartridge.close();
                io.shutdownNow();
                runs = false;
            }
        }

        Path file() {
            return folder.resolve(name + ".db");
        }

        Path log() {
            return folder.resolve(name + ".raft");
        }

        String alias(String key) {
            return config.get("alias", key)
                    .map(entry -> new String(entry.value(), StandardCharsets.UTF_8))
                    .orElse("");
        }

        Result set(String key, String value) {
            return config.propose(List.of(Op.set(
                    config.get("alias", key).orElse(null), "alias", key, value.getBytes(StandardCharsets.UTF_8))));
        }
    }

    @BeforeEach
    void start() {
        threads = Executors.newScheduledThreadPool(8);
        network = new MemoryLinks.Network(threads);
    }

    @AfterEach
    void stop() {
        nodes.forEach(Node::stop);
        threads.shutdownNow();
    }

    NodeId id(int number) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) number;
        return NodeId.of(bytes);
    }

    Links links(Node node) {
        return new MemoryLinks(network, node.id);
    }

    List<Node> group(int count) {
        Node first = new Node(1);
        first.raft.initialise();
        for (int i = 2; i <= count; i++) {
            Node next = new Node(i);
            next.raft.prepareJoin(Objects.requireNonNull(first.raft.groupId()));
            first.raft.addVoter(next.id, next.raft.peerId());
        }
        return nodes;
    }

    static Node leader(List<Node> nodes) {
        Await.until(
                "a leader",
                PATIENCE,
                () -> nodes.stream().anyMatch(node -> node.raft.status().leads()));
        return nodes.stream()
                .filter(node -> node.raft.status().leads())
                .findFirst()
                .orElseThrow();
    }

    /** The others, in the order in which they joined. */
    List<Node> allBut(Node one) {
        return nodes.stream().filter(node -> node != one).toList();
    }

    static void awaitAlias(Node node, String key, String value) {
        Await.until(
                key + " is " + value + " on " + node.name,
                PATIENCE,
                () -> node.alias(key).equals(value));
    }

    /** Lets a node agree on some things, and start again with another end of its log. */
    void damage(Node node, UnaryOperator<byte[]> how) throws IOException {
        agree(node);
        node.stop();
        rewrite(node, how);
        node.boot();
    }

    static void agree(Node node) {
        for (int i = 0; i < 5; i++) {
            node.set("a", "v" + i);
        }
    }

    void rewrite(Node node, UnaryOperator<byte[]> how) throws IOException {
        Path current;
        try (Stream<Path> groups = Files.list(node.log())) {
            current =
                    groups.filter(Files::isDirectory).findFirst().orElseThrow().resolve("current");
        }
        try (Stream<Path> all = Files.list(current)) {
            Path log = all.filter(file -> String.valueOf(file.getFileName()).startsWith("log_"))
                    .max(Comparator.comparing(Path::toString))
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(log);
            int end = bytes.length;
            while (bytes[end - 1] == 0) {
                end--;
            }
            Files.write(log, how.apply(Arrays.copyOf(bytes, end)));
        }
    }

    /** What a question tells of the log; nothing when it is another. */
    static List<LogEntryProto> entries(byte[] question) {
        try {
            return question.length > 1 && question[0] == LinkServerRpc.APPEND
                    ? AppendEntriesRequestProto.parseFrom(ByteString.copyFrom(question, 1, question.length - 1))
                            .getEntriesList()
                    : List.of();
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
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
