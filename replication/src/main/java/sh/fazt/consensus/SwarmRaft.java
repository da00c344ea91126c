package sh.fazt.consensus;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.apache.ratis.protocol.RaftGroupId;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Fault;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.LeaderRequest;

/**
 * Supervises the Raft group: opens it, watches it, changes its voters, repairs it. A Raft peer is this node in one
 * incarnation, which is written both into the cartridge and beside the log: where the two differ, one of them was
 * put back from a copy, and the group is not opened, since a voter that forgot what it promised loses what was
 * agreed. Thread-safe: changes of the group are serialised by this object's monitor; nothing is called back
 * under it.
 */
public final class SwarmRaft implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SwarmRaft.class);
    private static final String GROUP = "group";
    private static final String INCARNATION = "incarnation";
    /** The longest pause between two tries to open a group that does not open. */
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final NodeId self;
    private final Cartridge cartridge;
    private final ConfigStore store;
    private final RaftHost host;
    private final LeaderRequests leader;
    private final Pair pair;
    private final Pretenders pretenders;
    private final LeaseDesk leases;
    private final ExecutorService io;
    private final RandomGenerator random;
    private final List<Consumer<List<String>>> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledFuture<?> watchdog;

    /** Whether the group should be open; what the watchdog goes by. */
    private volatile boolean wanted;

    /** Whether this member is outside the group and follows the voters' feed. */
    private volatile boolean observing;

    private volatile @Nullable ConfigFeed feed;
    private volatile boolean closed;
    /** Told, on {@code io}, when the group can't be opened again while the node runs: its log has lost its end. */
    private volatile Runnable lost = () -> {};

    private boolean lostItsEnd;
    private int reopened;
    private Duration pause = Duration.ZERO;
    private long notBefore;

    /**
     * @param directory where Ratis keeps its log; its content can be deleted and is rebuilt
     * @param io        may block; Ratis is never called on any other thread
     */
    public SwarmRaft(
            NodeId self,
            Cartridge cartridge,
            Path directory,
            Links links,
            Timings timings,
            ExecutorService io,
            ScheduledExecutorService timer,
            RandomGenerator random) {
        this.self = self;
        this.cartridge = cartridge;
        this.store = new ConfigStore(cartridge);
        leases = new LeaseDesk(store, System::nanoTime);
        this.io = io;
        this.random = random;
        host = new RaftHost(self, cartridge, store, directory, links, timings, timer, this::changed);
        pair = new Pair(host, links);
        pretenders = new Pretenders(
                host,
                () -> feed,
                node -> links.misbehaved(node, Fault.PRETENDS, "what only the group's leader says, of its own term"));
        leader = new LeaderRequests(
                host,
                () -> groupId() != null,
                links,
                () -> observing ? feed : null,
                this::status,
                this::goOnWithout,
                leases);
        observing = ConfigStore.OBSERVER.equals(store.state(ConfigStore.ROLE));
        links.handle(Channel.RAFT, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                // Raft only asks.
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return answer(from, request, () -> links.malformed(from, Channel.RAFT));
            }
        });
        watchdog = timer.scheduleWithFixedDelay(() -> submit(this::watch), 1, 1, TimeUnit.SECONDS);
    }

    /** What this room keeps in the cartridge. */
    public static SchemaPart schema() {
        return ConfigStore.SCHEMA;
    }

    /** Told, on any thread, of the kinds that an applied change touched; must hand over and return. */
    public void listen(Consumer<List<String>> listener) {
        listeners.add(listener);
    }

    /** Names who decides, by {@link #rejoin}, what to do when the log loses its end while the node runs. */
    public void whenLost(Runnable decides) {
        lost = decides;
    }

    /** Names who tells observers, and follows what is told where this node is one. */
    void feed(ConfigFeed made) {
        feed = made;
    }

    Cartridge cartridge() {
        return cartridge;
    }

    RaftHost host() {
        return host;
    }

    ConfigStore store() {
        return store;
    }

    LeaderRequests leader() {
        return leader;
    }

    LeaseDesk leases() {
        return leases;
    }

    /** What is agreed is agreed: a listener that fails can't stop it from being applied. */
    void changed(List<String> kinds) {
        if (kinds.contains(LeaseDesk.CLOCK)) {
            leases.look();
        }
        for (Consumer<List<String>> listener : listeners) {
            try {
                listener.accept(kinds);
            } catch (RuntimeException e) {
                LOG.error("could not tell of an agreed change kinds={}", kinds, e);
            }
        }
    }

    private void submit(Runnable task) {
        try {
            io.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("too busy for a turn of the watchdog", e);
        }
    }

    /** The group that this cartridge belongs to; null when it is in none. */
    public @Nullable String groupId() {
        return store.state(GROUP);
    }

    /** This node as a Raft peer, in its present incarnation. */
    public String peerId() {
        String incarnation = store.state(INCARNATION);
        if (incarnation == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        return LinkTransport.PeerNames.peer(self, incarnation);
    }

    /** Makes a group of this node alone, and waits until it leads it. Blocking. */
    public synchronized void initialise() {
        begin(RaftGroupId.valueOf(UUID.randomUUID()), true);
    }

    /** Makes ready to be added to a group by its leader: forgets what was agreed elsewhere. Blocking. */
    public synchronized void prepareJoin(String groupId) {
        begin(RaftGroupId.valueOf(UUID.fromString(groupId)), false);
    }

    /** Makes ready to follow a group as an observer: forgets what was agreed elsewhere. Blocking. */
    public synchronized void prepareObserve(String groupId) {
        observe(groupId, true);
    }

    /**
     * Makes an observer of a voter that is in the group no more: its log goes, what it knew to be agreed stays until
     * it is told better. Blocking.
     */
    public synchronized void becomeObserver() {
        String group = store.state(GROUP);
        if (group == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        observe(group, false);
    }

    private void observe(String group, boolean afresh) {
        stop();
        host.clear();
        local(tx -> {
            if (afresh) {
                ConfigStore.clear(tx);
            }
            ConfigStore.restart(tx);
            ConfigStore.state(tx, GROUP, group);
            ConfigStore.state(tx, INCARNATION, null);
            ConfigStore.state(tx, ConfigStore.ROLE, ConfigStore.OBSERVER);
            return true;
        });
        leases.forget();
        observing = true;
    }

    /** Whether this member is outside the group and follows the voters' feed. */
    public boolean observing() {
        return observing;
    }

    /** The version of all that is agreed, as known here: grows with each change. */
    public long configVersion() {
        return store.version();
    }

    private void begin(RaftGroupId id, boolean alone) {
        stop();
        host.clear();
        String incarnation = Long.toUnsignedString(random.nextLong(), 36);
        boolean keeps = alone && store.state(GROUP) != null;
        local(tx -> {
            if (keeps) {
                ConfigStore.reopen(tx);
            } else {
                ConfigStore.clear(tx);
            }
            ConfigStore.state(tx, GROUP, id.getUuid().toString());
            ConfigStore.state(tx, INCARNATION, incarnation);
            ConfigStore.state(tx, ConfigStore.ROLE, null);
            return true;
        });
        leases.forget();
        observing = false;
        host.start(id, incarnation);
        host.make(alone);
        if (alone) {
            host.awaitLeader(Duration.ofSeconds(15));
            // The first entry persists the group's list of peers.
            leader.propose(LeaderRequests.noop(), Duration.ofSeconds(10));
        }
        wanted = true;
    }

    /**
     * Opens the group that the cartridge names. Answers false when there is none, or when what lies in the
     * directory is damaged or not of this cartridge's incarnation: then this node has to be added anew, see {@link #rejoin}.
     * Blocking.
     */
    public synchronized boolean open() {
        lostItsEnd = false;
        leases.look();
        String id = store.state(GROUP);
        String incarnation = store.state(INCARNATION);
        if (observing) {
            return true;
        }
        if (id == null || incarnation == null) {
            return false;
        }
        if (!incarnation.equals(host.markedIncarnation())) {
            LOG.warn(
                    "the log beside the cartridge is not of its incarnation: it is not opened directory={}",
                    host.directory());
            return false;
        }
        RaftGroupId group = RaftGroupId.valueOf(UUID.fromString(id));
        // An earlier try may have come so far, and failed after it.
        host.close();
        try {
            host.start(group, incarnation);
            if (host.lostItsEnd() && host.oneOfTwo()) {
                // The other has all that was agreed, and without it nobody is elected; nor could it add this one anew.
                LOG.warn("the log beside the cartridge has lost its end, and is heard again");
                host.close();
                host.dropLog(group);
                host.start(group, incarnation);
            }
        } catch (ConsensusException e) {
            LOG.warn("the log beside the cartridge can't be opened why={}", e.getMessage());
            host.close();
            return false;
        }
        if (host.division() == null) {
            LOG.warn("the log beside the cartridge was never finished directory={}", host.directory());
            host.close();
            return false;
        }
        lostItsEnd = host.lostItsEnd();
        if (lostItsEnd) {
            // What it had promised to keep is unknown: alone it does not matter, of three it may be missed.
            LOG.warn("the log beside the cartridge has lost its end directory={}", host.directory());
            host.close();
            return false;
        }
        wanted = true;
        return true;
    }

    /**
     * After {@link #open()} refused: a new incarnation of this node. A node that was alone goes on alone, with all
     * that was agreed; another waits to be added by the leader, and until it hears the log goes by what it knew.
     * Blocking.
     */
    public synchronized void rejoin(boolean alone) {
        String group = store.state(GROUP);
        if (group == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        RaftGroupId id = RaftGroupId.valueOf(UUID.fromString(group));
        if (alone) {
            begin(id, true);
            return;
        }
        stop();
        host.clear();
        String incarnation = Long.toUnsignedString(random.nextLong(), 36);
        local(tx -> {
            ConfigStore.state(tx, "applied", null);
            ConfigStore.state(tx, INCARNATION, incarnation);
            ConfigStore.state(tx, ConfigStore.ROLE, null);
            return true;
        });
        leases.forget();
        observing = false;
        host.start(id, incarnation);
        host.make(false);
        wanted = true;
    }

    /** An observer asks a voter what is new; a voter hears it anyhow. Blocking. */
    void refresh() {
        ConfigFeed from = feed;
        if (observing && from != null) {
            from.fetch();
        }
    }

    /** How the group looks from here. */
    public RaftStatus status() {
        ConfigFeed from = feed;
        return observing && from != null ? from.status() : host.status();
    }

    /** Lets the leader add a voter that has called {@link #prepareJoin}. Blocking. */
    public void addVoter(NodeId node, String peerId) {
        leader.change(LeaderRequest.newBuilder()
                .setAddVoter(LeaderRequest.AddVoter.newBuilder()
                        .setNode(node.toString())
                        .setPeer(peerId))
                .build());
    }

    /** Lets the leader take a voter out. Blocking. */
    public void removeVoter(NodeId node) {
        leader.change(LeaderRequest.newBuilder().setRemoveVoter(node.toString()).build());
    }

    /** Hands the lead to somebody who is reachable, before a planned stop; does nothing when there is nobody. */
    public void transfer() {
        host.transfer();
    }

    /**
     * After the majority is lost for good: rewrites the list of voters to this node alone. What the lost ones
     * agreed on without this node is gone; the caller fences them. Blocking.
     */
    public synchronized void recoverForce() {
        if (observing) {
            rejoin(true);
            return;
        }
        decideAlone();
    }

    /** The other of two voters asks to be added: where it can't vote any more, this node goes on alone and adds it. */
    private void goOnWithout(NodeId other) {
        if (!pair.brokenBy(other)) {
            return;
        }
        synchronized (this) {
            if (wanted && host.oneOfTwo() && !host.status().quorum()) {
                LOG.warn(
                        "the other of two voters can't vote any more: this one decides alone other={}",
                        other.shortText());
                decideAlone();
            }
        }
    }

    private void decideAlone() {
        RaftGroupId id = host.groupId();
        String incarnation = store.state(INCARNATION);
        host.keepOnlySelf();
        host.start(id, String.valueOf(incarnation));
        host.awaitLeader(Duration.ofSeconds(20));
        leader.propose(LeaderRequests.noop(), Duration.ofSeconds(10));
    }

    /** Leaves the group behind: its log and all that was agreed in it are forgotten here. Blocking. */
    public synchronized void forget() {
        stop();
        host.clear();
        local(tx -> {
            ConfigStore.clear(tx);
            ConfigStore.state(tx, GROUP, null);
            ConfigStore.state(tx, INCARNATION, null);
            ConfigStore.state(tx, ConfigStore.ROLE, null);
            return true;
        });
        leases.forget();
        observing = false;
    }

    /**
     * Takes a cartridge that no node runs out of its group. Of what was agreed some kinds of records stay, for the group
     * that the cartridge founds next. Blocking.
     */
    public static void detach(Cartridge cartridge, Path directory, Set<String> kept) {
        cartridge
                .writeLocal(tx -> {
                    ConfigStore.keepOnly(tx, kept);
                    return true;
                })
                .toCompletableFuture()
                .join();
        RaftHost.delete(directory);
    }

    /**
     * Has the next start take what lies in the directory for another node's: it is let in to the group anew.
     *
     * @param agreed by the others, and not heard here; it holds until the log or the feed tells
     */
    public static void disown(LocalTx tx, List<SwarmConfig.Op> agreed) {
        ConfigStore.presume(tx, agreed);
        ConfigStore.state(tx, INCARNATION, null);
    }

    private void stop() {
        wanted = false;
        host.close();
    }

    /** Ratis closes a division, or itself, without telling anybody: then it is opened again, ever more patiently. */
    private void watch() {
        if (closed || !wanted || !host.dead()) {
            return;
        }
        boolean tell;
        synchronized (this) {
            if (closed || !wanted || !host.dead() || System.nanoTime() - notBefore < 0) {
                return;
            }
            reopened++;
            LOG.warn("the Raft group had closed and is opened again times={}", reopened);
            host.close();
            boolean opened = open();
            tell = !opened && lostItsEnd;
            pause = opened || pause.isZero() ? Duration.ofSeconds(1) : pause.multipliedBy(2);
            if (pause.compareTo(LONGEST_PAUSE) > 0) {
                pause = LONGEST_PAUSE;
            }
            notBefore = System.nanoTime() + pause.toNanos();
        }
        if (tell) {
            lost.run();
        }
    }

    /** @param garbled run when the request can't be read */
    private CompletionStage<byte[]> answer(NodeId from, byte[] request, Runnable garbled) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        try {
            io.execute(() -> {
                try {
                    answer.complete(serve(from, request, garbled));
                } catch (InvalidProtocolBufferException e) {
                    garbled.run();
                    answer.completeExceptionally(e);
                } catch (Exception e) {
                    answer.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new IllegalStateException("busy", e));
        }
        return answer;
    }

    private byte[] serve(NodeId from, byte[] request, Runnable garbled) throws Exception {
        if (request.length > 0 && request[0] == LeaderRequests.MARK) {
            LeaderRequest asked = LeaderRequest.parseFrom(ByteBuffer.wrap(request, 1, request.length - 1));
            return leader.serve(from, asked).toByteArray();
        }
        if (request.length == 0) {
            garbled.run();
            throw new IllegalArgumentException("an empty message");
        }
        if (request[0] == Pair.ASK) {
            return pair.state().toByteArray();
        }
        ConfigFeed tells = feed;
        if (request[0] == ConfigFeed.ASK || request[0] == ConfigFeed.NEWS) {
            if (tells == null) {
                throw new IllegalStateException("this node is starting");
            }
            return tells.serve(request);
        }
        return LinkServerRpc.serve(host.running(), from, request, garbled, pretenders);
    }

    private void local(Cartridge.LocalBody<Boolean> body) {
        cartridge.writeLocal(body).toCompletableFuture().join();
    }

    @Override
    public void close() {
        closed = true;
        watchdog.cancel(false);
        host.transfer();
        synchronized (this) {
            stop();
        }
    }
}
