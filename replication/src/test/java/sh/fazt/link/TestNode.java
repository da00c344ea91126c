package sh.fazt.link;

import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** One node's links over real sockets, with what a node would give them. */
final class TestNode implements AutoCloseable {
    static final String SWARM = "swarm-of-tests";

    final NodeKey key;
    final GrpcLinks links;
    final List<String> copies = new CopyOnWriteArrayList<>();
    final List<String> news = new CopyOnWriteArrayList<>();
    private final ThreadPoolExecutor handlers = pool("link-handler-", 4);
    private final ThreadPoolExecutor blocking = pool("link-blocking-", 4);
    private final String prefix;

    TestNode() {
        this(NodeKey.generate(), SWARM, config -> config);
    }

    TestNode(NodeKey key, String swarm, UnaryOperator<LinkConfig> change) {
        this(key, swarm, change, Protocols.SPOKEN);
    }

    TestNode(NodeKey key, String swarm, UnaryOperator<LinkConfig> change, Protocols spoken) {
        this.key = key;
        this.prefix = "link-" + key.id().shortText() + "-";
        AtomicInteger threads = new AtomicInteger();
        LinkConfig config = LinkConfig.of(
                        key,
                        () -> swarm,
                        task -> new Thread(task, prefix + threads.incrementAndGet()),
                        handlers,
                        blocking,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", 0, List.of())
                .withOnCopy(copies::add);
        links = new GrpcLinks(change.apply(config), spoken);
        links.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                news.add("up " + peer.shortText());
            }

            @Override
            public void down(NodeId peer, String reason) {
                news.add("down " + peer.shortText() + ": " + reason);
            }

            @Override
            public void misbehaves(NodeId peer, Fault kind, long times, String what) {
                news.add(kind + " " + peer.shortText() + " " + times + ": " + what);
            }
        });
    }

    /** The same with another clock. */
    static LinkConfig at(LinkConfig config, InstantSource wall) {
        return with(config, config.handlers(), wall, config.nanos());
    }

    /** The same with other threads for its handlers. */
    static LinkConfig on(LinkConfig config, Executor handlers) {
        return with(config, handlers, config.wall(), config.nanos());
    }

    /** The same with another time that never jumps. */
    static LinkConfig by(LinkConfig config, LongSupplier nanos) {
        return with(config, config.handlers(), config.wall(), nanos);
    }

    private static LinkConfig with(LinkConfig config, Executor handlers, InstantSource wall, LongSupplier nanos) {
        return new LinkConfig(
                config.key(),
                config.bindAddress(),
                config.port(),
                config.advertised(),
                config.swarmId(),
                config.bootNonce(),
                config.threads(),
                handlers,
                config.mayBlock(),
                config.services(),
                config.interceptors(),
                config.desk(),
                config.onCopy(),
                wall,
                nanos,
                config.chance());
    }

    private static ThreadPoolExecutor pool(String name, int size) {
        AtomicInteger threads = new AtomicInteger();
        return new ThreadPoolExecutor(
                size,
                size,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(10_000),
                task -> new Thread(task, name + threads.incrementAndGet()));
    }

    TestNode start() {
        links.start();
        return this;
    }

    NodeId id() {
        return key.id();
    }

    String address() {
        return "127.0.0.1:" + links.port();
    }

    void trust(TestNode peer, String... addresses) {
        links.trust(Map.of(peer.id(), List.of(addresses)));
    }

    CompletionStage<byte[]> ask(TestNode peer, Channel channel, byte[] request) {
        return links.ask(peer.id(), channel, request, Duration.ofSeconds(5));
    }

    /** How often a peer was named for that. */
    long named(NodeId peer, Fault kind) {
        return news.stream()
                .filter(text -> text.startsWith(kind + " " + peer.shortText()))
                .count();
    }

    boolean isUp() {
        return links.states().stream().anyMatch(LinkState::up);
    }

    LinkState state() {
        return links.states().get(0);
    }

    boolean hasThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.isAlive() && thread.getName().startsWith(prefix));
    }

    @Override
    public void close() {
        links.close();
        handlers.shutdownNow();
        blocking.shutdownNow();
    }
}
