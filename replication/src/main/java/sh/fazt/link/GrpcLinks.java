package sh.fazt.link;

import io.grpc.ManagedChannel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.LinkException.Reason;

/**
 * The links over gRPC and TLS 1.3 on the swarm port.
 *
 * <p>What is decided about links is decided on one thread, the loop, which is one of the two network
 * threads; nothing on it waits. Bytes don't cross it: a sender's thread hands frames to gRPC under the lock
 * of their {@link LaneQueue}, and what arrives goes from the connection's network thread to its handler's
 * executor. Thread-safe.
 */
public final class GrpcLinks implements Links {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcLinks.class);
    private static final int THREADS = 2;
    private static final long TICK_MILLIS = 500;
    private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long CLOSE_MILLIS = 2000;
    private static final int MAX_PEERS = 4096;
    private static final long RETRY_MILLIS = 20;
    /** How often the machine's interfaces are looked at. */
    private static final long NETWORKS_MILLIS = 10_000;
    /** Dials a second over all peers, with a burst for a start: a swarm that lost a node must not storm. */
    private static final long DIALS_PER_SECOND = 10;

    private static final long DIALS_AT_ONCE = 32;
    private static final long COMPLAIN_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final LinkConfig config;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final Counts counts = new Counts();
    private final Map<NodeId, Peer> peers = new ConcurrentHashMap<>();
    private final Map<Channel, Handler> handlers = new EnumMap<>(Channel.class);
    private final Map<Integer, Channel> channels = new HashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final News news = new News(this, listeners);
    private final AtomicLong ids = new AtomicLong();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicLong lastComplaint;
    private final TokenBucket dialBudget;
    private final Directory directory;
    private final Relays relays;
    private final SwarmPort port;
    private final Greetings greetings;
    private final Meter meter;
    private volatile Map<NodeId, String> evicted = Map.of();
    private volatile LinkSettings settings = LinkSettings.NONE;
    private volatile SchemaLevels schemaLevels = new SchemaLevels(1, 1);
    private long lastTick;

    /** Links that are not started; no socket is open yet. */
    public GrpcLinks(LinkConfig config) {
        this(config, Protocols.SPOKEN);
    }

    GrpcLinks(LinkConfig config, Protocols spoken) {
        Network.quiet();
        this.config = config;
        this.group = new MultiThreadIoEventLoopGroup(THREADS, config.threads(), NioIoHandler.newFactory());
        this.loop = group.next();
        this.lastComplaint = new AtomicLong(config.nanos().getAsLong() - COMPLAIN_NANOS);
        this.dialBudget = new TokenBucket(config.nanos(), DIALS_PER_SECOND, DIALS_AT_ONCE);
        this.directory = new Directory(this);
        this.relays = new Relays(this);
        this.port = new SwarmPort(this, config, group, loop);
        this.greetings = new Greetings(this, config, spoken);
        this.meter = new Meter(config.wall().millis());
        for (Channel channel : Channel.values()) {
            channels.put(channel.number(), channel);
        }
    }

    /**
     * Opens the swarm port and begins to dial. Call it once, after the handlers are named.
     *
     * @throws UncheckedIOException when the port can't be opened
     */
    public void start() {
        port.open();
        lastTick = config.nanos().getAsLong();
        LocalNetworks now = LocalNetworks.read();
        onLoop(() -> {
            networks(now);
            directory.candidates(
                    id(),
                    AddressSource.CONFIGURED,
                    config.advertised().stream().map(HostPort::parse).toList());
        });
        after(TICK_MILLIS, this::tick);
        after(NETWORKS_MILLIS, this::lookAtNetworks);
    }

    private void lookAtNetworks() {
        if (!closed.get()) {
            after(NETWORKS_MILLIS, this::lookAtNetworks);
            block(() -> {
                LocalNetworks now = LocalNetworks.read();
                onLoop(() -> networks(now));
            });
        }
    }

    private void networks(LocalNetworks now) {
        boolean first = directory.book().networks().equals(LocalNetworks.NONE);
        if (directory.book().networks(now)) {
            boolean everywhere = config.bindAddress().equals("0.0.0.0")
                    || config.bindAddress().equals("::");
            directory.candidates(id(), AddressSource.LAN, everywhere ? now.reachable(port()) : List.of());
            if (!first) {
                LOG.info("the network has changed interfaces={}", now.members().size());
                peers.values().forEach(peer -> peer.dialler().redial());
            }
        }
    }

    /** The port that is open. */
    public int port() {
        int open = port.number();
        if (open == 0) {
            throw new IllegalStateException("the links are not started");
        }
        return open;
    }

    /** The port that is open, or 0 before the start. */
    int openPort() {
        return port.number();
    }

    /** What was counted since the start. */
    public LinkCounters counters() {
        return counts.snapshot();
    }

    /**
     * Names the members of the swarm but this node, with where each may be dialled; an empty list is a member
     * that dials us. Whoever is no longer named loses its link at once.
     *
     * @throws IllegalArgumentException when an address is none
     */
    public void trust(Map<NodeId, List<String>> members) {
        Map<NodeId, List<HostPort>> parsed = new HashMap<>();
        members.forEach((id, addresses) -> {
            if (!id.equals(id())) {
                parsed.put(id, addresses.stream().map(HostPort::parse).toList());
            }
        });
        onLoop(() -> {
            for (Peer peer : peers.values()) {
                if (peer.isTrusted() && !parsed.containsKey(peer.id())) {
                    peer.distrust();
                    directory.forget(peer.id());
                }
            }
            parsed.forEach((id, addresses) -> {
                boolean changed = directory.book().put(id, AddressSource.CONFIGURED, addresses);
                peer(id).trust(changed);
            });
            directory.publish();
        });
    }

    /** Waits until what {@link #trust} was told before holds: whoever lost it has no link any more. Not from the loop. */
    public void settle() {
        CountDownLatch settled = new CountDownLatch(1);
        onLoop(settled::countDown);
        try {
            while (!closed.get() && !settled.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("the links are busy");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Names nodes that were evicted, with what each of them is told when it dials. Before {@link #trust}. */
    public void evicted(Map<NodeId, String> told) {
        evicted = Map.copyOf(told);
    }

    /** What an evicted node is told; null for any other. */
    @Nullable
    String evicted(NodeId node) {
        return evicted.get(node);
    }

    /**
     * Tells what schema level this node's release has, and which one its swarm has agreed on: a link of which either end
     * is below that goes down, and does not come up again before that end is updated.
     */
    public void schemaLevels(int own, int agreed) {
        schemaLevels = new SchemaLevels(own, agreed);
        onLoop(() -> peers.values().forEach(Peer::checkSchemaLevel));
    }

    SchemaLevels schemaLevels() {
        return schemaLevels;
    }

    /**
     * Tells where a node may be dialled, this one included: what is said of this node is published to the
     * swarm, signed. It takes the place of what the same source said before; at most eight addresses of each
     * source are kept, and what nobody says again is forgotten after a day ({@link AddressSource#CONFIGURED}
     * never). An address is a hint only: whoever answers there has to show the node's key.
     */
    public void candidates(NodeId node, AddressSource source, List<HostPort> addresses) {
        List<HostPort> all = List.copyOf(addresses);
        onLoop(() -> directory.candidates(node, source, all));
    }

    /** Signed address books as they are known, to be kept over a restart. */
    public List<byte[]> books() {
        return directory.all();
    }

    /** Rises when {@link #books} have changed. */
    public int bookRevision() {
        return directory.revision();
    }

    /** Takes books that were kept; each is checked again. Call it after {@link #trust}. */
    public void restoreBooks(List<byte[]> kept) {
        List<byte[]> all = List.copyOf(kept);
        onLoop(() -> directory.restore(all));
    }

    /** What the owner has set; holds at once. */
    public void settings(LinkSettings now) {
        settings = now;
        onLoop(() -> {
            for (Peer peer : peers.values()) {
                Link link = peer.link();
                if (link != null && link.isUp()) {
                    link.classify();
                }
            }
            relays.settingsChanged();
            directory.changed();
        });
    }

    /** What the owner has set. */
    public LinkSettings settings() {
        return settings;
    }

    /** Bytes that metered links have carried today (UTC), by peer: to be kept over a restart. */
    public Usage usage() {
        Map<NodeId, Long> today = new HashMap<>();
        peers.values().forEach(peer -> {
            if (peer.throttle().today() > 0) {
                today.put(peer.id(), peer.throttle().today());
            }
        });
        return new Usage(meter.day(), today);
    }

    /** Takes what was kept, if it is of today. Before the start. */
    public void restoreUsage(Usage kept) {
        if (kept.day() == meter.day()) {
            kept.bytes().forEach((id, bytes) -> {
                peer(id).throttle().restart(bytes);
                meter.add(bytes);
            });
        }
    }

    /**
     * What metered links have carried on one day.
     *
     * @param day days since 1970, UTC
     */
    public record Usage(long day, Map<NodeId, Long> bytes) {
        public Usage {
            bytes = Map.copyOf(bytes);
        }
    }

    /** Dials every peer without a link now: the network has changed, or someone is waiting. */
    public void redial() {
        onLoop(() -> peers.values().forEach(peer -> peer.dialler().redial()));
    }

    // ---- Links ----

    @Override
    public CompletionStage<Void> send(NodeId to, Channel channel, byte[] message, Duration deadline) {
        CompletableFuture<Void> taken = new CompletableFuture<>();
        put(to, Outgoing.message(ids.incrementAndGet(), channel, message.clone(), taken), deadline);
        return taken;
    }

    @Override
    public CompletionStage<byte[]> ask(NodeId to, Channel channel, byte[] request, Duration deadline) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        int millis = (int) Math.min(Integer.MAX_VALUE, Math.max(1, deadline.toMillis()));
        put(to, Outgoing.request(ids.incrementAndGet(), channel, request.clone(), millis, answer), deadline);
        return answer;
    }

    private void put(NodeId to, Outgoing next, Duration deadline) {
        int size = next.body.length;
        if (size > Wire.MAX_MESSAGE) {
            next.failed(
                    Reason.TOO_LARGE,
                    "a message of " + size + " bytes on " + next.channel + ": the limit is " + Wire.MAX_MESSAGE);
            return;
        }
        if (closed.get()) {
            next.failed(Reason.CLOSED, "sending on " + next.channel + ": this node is stopping");
            return;
        }
        if (!peers.containsKey(to) && peers.size() >= MAX_PEERS) {
            next.failed(Reason.UNREACHABLE, "node " + to.shortText() + " is no member of this swarm");
            return;
        }
        Peer peer = peer(to);
        LaneQueue queue = peer.queue(next.channel.lane());
        queue.add(next);
        peer.sent(size);
        if (!next.isDone()) {
            try {
                next.timer(loop.schedule(
                        () -> queue.expire(next, deadline.toMillis(), peer.lastError()),
                        deadline.toNanos(),
                        TimeUnit.NANOSECONDS));
            } catch (RejectedExecutionException e) {
                next.failed(Reason.CLOSED, "sending on " + next.channel + ": this node is stopping");
            }
        }
    }

    @Override
    public void handle(Channel channel, Handler handler) {
        if (port.number() != 0) {
            throw new IllegalStateException("the handler of " + channel + " has to be named before the start");
        }
        if (handlers.putIfAbsent(channel, handler) != null) {
            throw new IllegalStateException(channel + " has a handler already: one room owns a channel");
        }
    }

    @Override
    public void listen(Listener listener) {
        listeners.add(listener);
    }

    @Override
    public void misbehaved(NodeId from, Fault kind, String what) {
        Peer peer = trusted(from);
        if (peer != null) {
            peer.misbehaved(kind, what);
        }
    }

    @Override
    public List<LinkState> states() {
        List<LinkState> states = new ArrayList<>();
        for (Peer peer : peers.values()) {
            if (peer.isTrusted()) {
                states.add(peer.state());
            }
        }
        states.sort(Comparator.comparing(LinkState::peer));
        return List.copyOf(states);
    }

    /** Says goodbye, ends every thread and socket of the links, and fails what waits. Not from a link's thread. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        CountDownLatch parted = new CountDownLatch(1);
        loop.execute(() -> {
            peers.values().forEach(peer -> peer.stop(Wire.STOPPING, "the node is stopping"));
            parted.countDown();
        });
        try {
            parted.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS);
            port.close(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            port.closeNow();
        }
        for (Peer peer : peers.values()) {
            for (Channel.Lane lane : Channel.Lane.values()) {
                if (lane != Channel.Lane.RELAY) {
                    peer.queue(lane).close();
                }
            }
        }
        group.shutdownGracefully(0, CLOSE_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * CLOSE_MILLIS, TimeUnit.MILLISECONDS);
    }

    // ---- for the room ----

    NodeId id() {
        return config.key().id();
    }

    NodeKey key() {
        return config.key();
    }

    Greetings greetings() {
        return greetings;
    }

    Meter meter() {
        return meter;
    }

    Directory directory() {
        return directory;
    }

    Relays relays() {
        return relays;
    }

    TokenBucket dialBudget() {
        return dialBudget;
    }

    Collection<Peer> peers() {
        return peers.values();
    }

    String swarmId() {
        return config.swarmId().get();
    }

    long bootNonce() {
        return config.bootNonce();
    }

    JoinDesk desk() {
        return config.desk();
    }

    Counts counts() {
        return counts;
    }

    EventLoop loop() {
        return loop;
    }

    Executor handlers() {
        return config.handlers();
    }

    @Nullable
    Handler handler(Channel channel) {
        return handlers.get(channel);
    }

    @Nullable
    Channel channel(int number) {
        return channels.get(number);
    }

    long nanos() {
        return config.nanos().getAsLong();
    }

    long wallMillis() {
        return config.wall().millis();
    }

    long chance(long bound) {
        return config.chance().nextLong(bound);
    }

    boolean isClosed() {
        return closed.get();
    }

    /** The member with that id, or null. */
    @Nullable
    Peer trusted(NodeId id) {
        Peer peer = peers.get(id);
        return peer != null && peer.isTrusted() ? peer : null;
    }

    private Peer peer(NodeId id) {
        return peers.computeIfAbsent(id, unknown -> new Peer(this, unknown));
    }

    ManagedChannel connect(SocketAddress to, Peer peer, LinkClass way) throws SSLException {
        if (to instanceof Relayed relay) {
            return Network.connect(relay, config.key(), peer.id(), loop, relays, config.mayBlock());
        }
        int window = peer.isMetered() ? LinkClass.METERED.window() : way.window();
        return Network.connect((InetSocketAddress) to, config.key(), peer.id(), group, config.mayBlock(), window);
    }

    /** As {@link #later}, for what is never called off. */
    void after(long millis, Runnable task) {
        ScheduledFuture<?> unused = later(millis, task);
    }

    ScheduledFuture<?> later(long millis, Runnable task) {
        return loop.schedule(task, millis, TimeUnit.MILLISECONDS);
    }

    void afterNanos(long nanos, Runnable task) {
        if (!closed.get()) {
            ScheduledFuture<?> unused = loop.schedule(task, nanos, TimeUnit.NANOSECONDS);
        }
    }

    private void onLoop(Runnable task) {
        if (!closed.get()) {
            loop.execute(task);
        }
    }

    /** Completes futures, which may run their owners' code: not on a network thread while there is another. */
    void finish(Runnable completion) {
        try {
            config.handlers().execute(completion);
        } catch (RejectedExecutionException full) {
            if (closed.get()) {
                completion.run();
            } else {
                after(RETRY_MILLIS, () -> finish(completion));
            }
        }
    }

    void block(Runnable task) {
        try {
            config.mayBlock().execute(task);
        } catch (RejectedExecutionException e) {
            // No thread has room to look a name up: the dial runs into its deadline and is tried again.
            counts.dropped.increment();
        }
    }

    void reportCopy(String text) {
        finish(() -> config.onCopy().accept(text));
    }

    /** A handler threw: its room's fault, and a peer may be able to repeat it. */
    void handlerFailed(Channel channel, RuntimeException error) {
        long last = lastComplaint.get();
        long now = nanos();
        if (now - last >= COMPLAIN_NANOS && lastComplaint.compareAndSet(last, now)) {
            LOG.warn("a message was lost: its handler failed channel={}", channel, error);
        }
    }

    /** Tells the listeners, one thing after the other. */
    void tell(Consumer<Listener> what) {
        news.tell(what);
    }

    private void tick() {
        if (closed.get()) {
            return;
        }
        after(TICK_MILLIS, this::tick);
        long now = nanos();
        long late = now - lastTick - TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
        lastTick = now;
        if (meter.turned(wallMillis())) {
            peers.values().forEach(peer -> peer.throttle().restart(0));
        }
        for (Peer peer : peers.values()) {
            peer.tick(late > LATE_NANOS ? late : 0);
        }
    }
}
