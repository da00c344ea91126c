package sh.fazt.consensus;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.AtomicFileOutputStream;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.Command;
import sh.fazt.protocol.consensus.v1.LeaderReply;
import sh.fazt.protocol.consensus.v1.LeaderRequest;
import sh.fazt.protocol.consensus.v1.Outcome;

/**
 * Supervises the Raft group: opens it, watches it, changes its voters, repairs it. A Raft peer is this node in one
 * incarnation, which is written both into the cartridge and beside the log: where the two differ, one of them was
 * put back from a copy, and the group is not opened, since a voter that forgot what it promised loses what was
 * agreed. Thread-safe: changes of the group are serialised by this object's monitor; nothing is called back
 * under it.
 */
public final class SwarmRaft implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SwarmRaft.class);
    /** First octet of what one member asks of the leader; those of Raft itself are smaller. */
    private static final byte LEADER_REQUEST = 100;

    private static final Duration CHANGE_DEADLINE = Duration.ofSeconds(30);
    private static final String GROUP = "group";
    private static final String INCARNATION = "incarnation";

    private final NodeId self;
    private final Cartridge cartridge;
    private final ConfigStore store;
    private final Path directory;
    private final Links links;
    private final Timings timings;
    private final ExecutorService io;
    private final ScheduledExecutorService timer;
    private final RandomGenerator random;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();
    private final List<Consumer<List<String>>> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledFuture<?> watchdog;

    private volatile @Nullable RaftServer server;
    private volatile @Nullable RaftGroupId group;
    private volatile boolean closed;
    private int reopened;

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
        this.directory = directory;
        this.links = links;
        this.timings = timings;
        this.io = io;
        this.timer = timer;
        this.random = random;
        links.handle(Channel.RAFT, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                // Raft only asks.
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return answer(from, request);
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

    ConfigStore store() {
        return store;
    }

    private void changed(List<String> kinds) {
        listeners.forEach(listener -> listener.accept(kinds));
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

    private void begin(RaftGroupId id, boolean alone) {
        closeServer();
        delete(directory);
        String incarnation = Long.toUnsignedString(random.nextLong(), 36);
        local(tx -> {
            if (!alone || store.state(GROUP) == null) {
                ConfigStore.clear(tx);
            }
            ConfigStore.state(tx, "applied", null);
            ConfigStore.state(tx, GROUP, id.getUuid().toString());
            ConfigStore.state(tx, INCARNATION, incarnation);
            return true;
        });
        startServer(id, incarnation);
        RaftServer started = running();
        RaftPeer me = RaftPeer.newBuilder().setId(started.getId()).build();
        RaftGroup first = alone ? RaftGroup.valueOf(id, me) : RaftGroup.valueOf(id);
        await(started.groupManagementAsync(
                GroupManagementRequest.newAdd(client, started.getId(), calls.incrementAndGet(), first, true)));
        if (alone) {
            awaitLeader(Duration.ofSeconds(15));
            // The first entry persists the group's list of peers.
            propose(noop(), Duration.ofSeconds(10));
        }
    }

    /**
     * Opens the group that the cartridge names. Answers false when there is none, or when what lies in the
     * directory is not of this cartridge's incarnation: then this node has to be added anew, see {@link #rejoin}.
     * Blocking.
     */
    public synchronized boolean open() {
        String id = store.state(GROUP);
        String incarnation = store.state(INCARNATION);
        if (id == null || incarnation == null) {
            return false;
        }
        if (!incarnation.equals(markedIncarnation())) {
            LOG.warn(
                    "the log beside the cartridge is not of its incarnation: it is not opened directory={}", directory);
            return false;
        }
        try {
            startServer(RaftGroupId.valueOf(UUID.fromString(id)), incarnation);
            return true;
        } catch (ConsensusException e) {
            LOG.warn("the log beside the cartridge can't be opened why={}", e.getMessage());
            closeServer();
            return false;
        }
    }

    /**
     * After {@link #open()} refused: a new incarnation of this node. A node that was alone goes on alone, with all
     * that was agreed; another waits to be added by the leader. Blocking.
     */
    public synchronized void rejoin(boolean alone) {
        String id = store.state(GROUP);
        if (id == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        if (alone) {
            begin(RaftGroupId.valueOf(UUID.fromString(id)), true);
            return;
        }
        closeServer();
        delete(directory);
        String incarnation = Long.toUnsignedString(random.nextLong(), 36);
        local(tx -> {
            ConfigStore.state(tx, "applied", null);
            ConfigStore.state(tx, INCARNATION, incarnation);
            return true;
        });
        RaftGroupId groupId = RaftGroupId.valueOf(UUID.fromString(id));
        startServer(groupId, incarnation);
        await(running()
                .groupManagementAsync(GroupManagementRequest.newAdd(
                        client, running().getId(), calls.incrementAndGet(), RaftGroup.valueOf(groupId), true)));
    }

    private void startServer(RaftGroupId id, String incarnation) {
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve(INCARNATION), incarnation);
            cleanTemporary(id);
            RaftServer made = RaftServer.newBuilder()
                    .setServerId(RaftPeerId.valueOf(LinkTransport.PeerNames.peer(self, incarnation)))
                    .setOption(RaftStorage.StartupOption.RECOVER)
                    .setProperties(Properties.make(directory, timings))
                    .setParameters(LinkRpcType.parameters(new LinkTransport(links)))
                    .setStateMachineRegistry(any -> new SwarmStateMachine(cartridge, store, timer, this::changed))
                    .build();
            made.start();
            server = made;
            group = id;
        } catch (IOException | RuntimeException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.STORAGE, "can't open the swarm's log in " + directory + ": " + e, e);
        }
    }

    /** An aborted transfer of a snapshot leaves its parts behind. */
    private void cleanTemporary(RaftGroupId id) {
        Path temporary = directory.resolve(id.getUuid().toString()).resolve("tmp");
        if (Files.isDirectory(temporary)) {
            delete(temporary);
        }
    }

    private @Nullable String markedIncarnation() {
        try {
            return Files.readString(directory.resolve(INCARNATION)).strip();
        } catch (IOException absent) {
            return null;
        }
    }

    private RaftServer running() {
        RaftServer now = server;
        if (now == null) {
            throw new ConsensusException(
                    ConsensusException.Reason.NOT_MEMBER, "this node is in no group: start it, or join a swarm");
        }
        return now;
    }

    private RaftServer.@Nullable Division division() {
        RaftServer now = server;
        RaftGroupId id = group;
        if (now == null || id == null) {
            return null;
        }
        try {
            return now.getDivision(id);
        } catch (IOException closing) {
            return null;
        }
    }

    private boolean leads() {
        RaftServer.Division division = division();
        return division != null
                && division.getInfo().isLeader()
                && division.getInfo().isLeaderReady();
    }

    private void awaitLeader(Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (!leads()) {
            if (System.nanoTime() > end) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED, "this node does not lead its group after " + patience);
            }
            java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
        }
    }

    /** How the group looks from here. */
    public RaftStatus status() {
        RaftServer.Division division = division();
        RaftServer now = server;
        if (division == null || now == null) {
            return RaftStatus.NONE;
        }
        DivisionInfo info = division.getInfo();
        List<NodeId> voters = new ArrayList<>();
        for (RaftPeer peer : division.getGroup().getPeers()) {
            voters.add(LinkTransport.PeerNames.node(peer.getId()));
        }
        long fresh = 2 * timings.electionMax().toMillis();
        RoleInfoProto role = info.getRoleInfoProto();
        Set<NodeId> silent = new HashSet<>();
        boolean quorum;
        if (info.isLeader()) {
            int heard = 1;
            for (ServerRpcProto follower : role.getLeaderInfo().getFollowerInfoList()) {
                NodeId node = LinkTransport.PeerNames.node(
                        RaftPeerId.valueOf(follower.getId().getId()));
                if (follower.getLastRpcElapsedTimeMs() < fresh) {
                    heard++;
                } else {
                    silent.add(node);
                }
            }
            quorum = heard > voters.size() / 2 && info.isLeaderReady();
        } else {
            quorum = info.getLeaderId() != null
                    && role.hasFollowerInfo()
                    && role.getFollowerInfo().getLeaderInfo().getLastRpcElapsedTimeMs() < fresh;
            links.states().stream()
                    .filter(state -> !state.up() && voters.contains(state.peer()))
                    .forEach(state -> silent.add(state.peer()));
        }
        RaftPeerId leader = info.isLeader() ? now.getId() : info.getLeaderId();
        return new RaftStatus(
                voters.contains(self),
                info.isLeader() && quorum,
                leader == null || !quorum ? null : LinkTransport.PeerNames.node(leader),
                info.getCurrentTerm(),
                quorum,
                voters,
                silent.stream().sorted().toList(),
                info.getLastAppliedIndex());
    }

    /** A command that changes nothing: the log goes on, and with it whoever just joined. */
    static Command noop() {
        return Command.newBuilder()
                .setFormat(1)
                .setRequest(UUID.randomUUID().toString())
                .build();
    }

    /**
     * Takes a command to the leader and waits for what came of it. Tried again until the deadline under one request
     * id, so it happens once at most. Blocking.
     *
     * @throws ConsensusException {@code NO_QUORUM} naming who is missing, {@code NOT_MEMBER}
     */
    Outcome propose(Command command, Duration patience) {
        LeaderReply reply = ask(LeaderRequest.newBuilder().setCommand(command).build(), patience);
        if (!reply.getError().isEmpty()) {
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, reply.getError());
        }
        return reply.getOutcome();
    }

    private LeaderReply ask(LeaderRequest request, Duration patience) {
        running();
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
            try {
                LeaderReply reply = leads() ? lead(request, left) : forward(request, left);
                if (reply != null && !reply.getNotLeader()) {
                    return reply;
                }
            } catch (TimeoutException | ExecutionException e) {
                LOG.debug("the leader did not answer", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, "interrupted", e);
            }
            if (System.nanoTime() > end) {
                throw noQuorum();
            }
            java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
        }
    }

    private ConsensusException noQuorum() {
        RaftStatus status = status();
        List<NodeId> missing = new ArrayList<>(status.unreachable());
        if (missing.isEmpty()) {
            missing.addAll(status.voters());
            missing.remove(self);
        }
        return new NoQuorumException(missing, status.voters().size());
    }

    private @Nullable LeaderReply forward(LeaderRequest request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        RaftServer.Division division = division();
        RaftPeerId leader = division == null ? null : division.getInfo().getLeaderId();
        if (leader == null || LinkTransport.PeerNames.node(leader).equals(self)) {
            return null;
        }
        byte[] body = request.toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = LEADER_REQUEST;
        System.arraycopy(body, 0, message, 1, body.length);
        byte[] answer = links.ask(LinkTransport.PeerNames.node(leader), Channel.RAFT, message, patience)
                .toCompletableFuture()
                .get(patience.toMillis() + 200, TimeUnit.MILLISECONDS);
        try {
            return LeaderReply.parseFrom(answer);
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new ExecutionException(e);
        }
    }

    /** Does what was asked of the leader; says so when this is not the leader. */
    private LeaderReply lead(LeaderRequest request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        LeaderReply notLeader = LeaderReply.newBuilder().setNotLeader(true).build();
        if (!leads()) {
            return notLeader;
        }
        try {
            switch (request.getWhatCase()) {
                case COMMAND -> {
                    RaftClientReply reply = write(request.getCommand(), patience);
                    return reply == null
                            ? notLeader
                            : LeaderReply.newBuilder()
                                    .setOutcome(Outcome.parseFrom(
                                            reply.getMessage().getContent().toByteArray()))
                                    .build();
                }
                case ADD_VOTER -> {
                    changeVoters(
                            NodeId.parse(request.getAddVoter().getNode()),
                            request.getAddVoter().getPeer());
                    return LeaderReply.getDefaultInstance();
                }
                case REMOVE_VOTER -> {
                    changeVoters(NodeId.parse(request.getRemoveVoter()), null);
                    return LeaderReply.getDefaultInstance();
                }
                case WHAT_NOT_SET -> {
                    return LeaderReply.newBuilder().setError("an empty request").build();
                }
            }
            return LeaderReply.newBuilder().setError("an unknown request").build();
        } catch (com.google.protobuf.InvalidProtocolBufferException | IllegalArgumentException | ConsensusException e) {
            return LeaderReply.newBuilder()
                    .setError(String.valueOf(e.getMessage()))
                    .build();
        }
    }

    private @Nullable RaftClientReply write(Command command, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        RaftServer now = running();
        RaftGroupId id = group;
        if (id == null) {
            return null;
        }
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(now.getId())
                .setGroupId(id)
                .setCallId(calls.incrementAndGet())
                .setMessage(Message.valueOf(ByteString.copyFrom(command.toByteArray())))
                .setType(RaftClientRequest.writeRequestType())
                .build();
        try {
            RaftClientReply reply =
                    now.submitClientRequestAsync(request).get(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (reply.isSuccess()) {
                return reply;
            }
            if (reply.getException() instanceof NotLeaderException
                    || reply.getException() instanceof LeaderNotReadyException) {
                return null;
            }
            throw new ExecutionException(reply.getException());
        } catch (IOException e) {
            throw new ExecutionException(e);
        }
    }

    /** Adds a node in a new incarnation, or takes it out; one change at a time. */
    private void changeVoters(NodeId node, @Nullable String peer)
            throws InterruptedException, ExecutionException, TimeoutException {
        synchronized (calls) {
            RaftServer now = running();
            RaftServer.Division division = division();
            RaftGroupId id = group;
            if (division == null || id == null) {
                throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
            }
            List<RaftPeer> current = new ArrayList<>(division.getGroup().getPeers());
            List<RaftPeer> next = new ArrayList<>();
            for (RaftPeer each : current) {
                if (!LinkTransport.PeerNames.node(each.getId()).equals(node)) {
                    next.add(each);
                }
            }
            if (peer != null) {
                next.add(RaftPeer.newBuilder().setId(peer).build());
            }
            if (new HashSet<>(ids(next)).equals(new HashSet<>(ids(current)))) {
                return;
            }
            SetConfigurationRequest request = new SetConfigurationRequest(
                    client,
                    now.getId(),
                    id,
                    calls.incrementAndGet(),
                    SetConfigurationRequest.Arguments.newBuilder()
                            .setServersInNewConf(next)
                            .setServersInCurrentConf(current)
                            .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                            .build());
            RaftClientReply reply;
            try {
                reply = now.setConfigurationAsync(request).get(CHANGE_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (IOException e) {
                throw new ExecutionException(e);
            }
            if (!reply.isSuccess()) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED,
                        "the voters could not be changed: " + reply.getException());
            }
            // An idle group would not catch up whoever joined it.
            write(noop(), Duration.ofSeconds(5));
        }
    }

    private static List<RaftPeerId> ids(Collection<RaftPeer> peers) {
        return peers.stream().map(RaftPeer::getId).toList();
    }

    /** Lets the leader add a voter that has called {@link #prepareJoin}. Blocking. */
    public void addVoter(NodeId node, String peerId) {
        checked(ask(
                LeaderRequest.newBuilder()
                        .setAddVoter(LeaderRequest.AddVoter.newBuilder()
                                .setNode(node.toString())
                                .setPeer(peerId))
                        .build(),
                CHANGE_DEADLINE));
    }

    /** Lets the leader take a voter out. Blocking. */
    public void removeVoter(NodeId node) {
        if (node.equals(self) && leads()) {
            transfer();
        }
        checked(ask(LeaderRequest.newBuilder().setRemoveVoter(node.toString()).build(), CHANGE_DEADLINE));
    }

    private static void checked(LeaderReply reply) {
        if (!reply.getError().isEmpty()) {
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, reply.getError());
        }
    }

    /** Hands the lead to somebody who is reachable, before a planned stop; does nothing when there is nobody. */
    public void transfer() {
        RaftServer.Division division = division();
        RaftServer now = server;
        RaftGroupId id = group;
        if (division == null || now == null || id == null || !division.getInfo().isLeader()) {
            return;
        }
        Set<NodeId> up = new HashSet<>();
        links.states().forEach(state -> {
            if (state.up()) {
                up.add(state.peer());
            }
        });
        for (RaftPeer peer : division.getGroup().getPeers()) {
            if (up.contains(LinkTransport.PeerNames.node(peer.getId()))) {
                try {
                    now.transferLeadershipAsync(new TransferLeadershipRequest(
                                    client, now.getId(), id, calls.incrementAndGet(), peer.getId(), 3000))
                            .get(4, TimeUnit.SECONDS);
                    return;
                } catch (IOException | ExecutionException | TimeoutException e) {
                    LOG.debug("could not hand over to {}", peer.getId(), e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    /**
     * After the majority is lost for good: rewrites the list of voters to this node alone. What the lost ones
     * agreed on without this node is gone; the caller fences them. Blocking.
     */
    public synchronized void recoverForce() {
        RaftServer.Division division = division();
        RaftServer now = running();
        RaftGroupId id = group;
        if (division == null || id == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        long index =
                Math.max(last == null ? 0 : last.getIndex(), division.getInfo().getLastAppliedIndex()) + 1;
        long term = division.getInfo().getCurrentTerm();
        RaftPeerId me = now.getId();
        Path conf =
                directory.resolve(id.getUuid().toString()).resolve("current").resolve("raft-meta.conf");
        closeServer();
        LogEntryProto entry = LogEntryProto.newBuilder()
                .setTerm(term)
                .setIndex(index)
                .setConfigurationEntry(RaftConfigurationProto.newBuilder()
                        .addPeers(RaftPeer.newBuilder().setId(me).build().getRaftPeerProto()))
                .build();
        try (OutputStream out = new AtomicFileOutputStream(conf.toFile())) {
            entry.writeTo(out);
        } catch (IOException e) {
            throw new ConsensusException(ConsensusException.Reason.STORAGE, "can't rewrite " + conf, e);
        }
        String incarnation = store.state(INCARNATION);
        startServer(id, String.valueOf(incarnation));
        awaitLeader(Duration.ofSeconds(20));
        propose(noop(), Duration.ofSeconds(10));
    }

    /** Leaves the group behind: its log and all that was agreed in it are forgotten here. Blocking. */
    public synchronized void forget() {
        closeServer();
        delete(directory);
        local(tx -> {
            ConfigStore.clear(tx);
            ConfigStore.state(tx, GROUP, null);
            ConfigStore.state(tx, INCARNATION, null);
            return true;
        });
    }

    /** Ratis closes a division, or itself, without telling anybody: then it is opened again. */
    private void watch() {
        if (closed) {
            return;
        }
        RaftServer now = server;
        RaftServer.Division division = division();
        if (now == null) {
            return;
        }
        boolean dead = now.getLifeCycleState().isClosingOrClosed()
                || now.getLifeCycleState() == LifeCycle.State.EXCEPTION
                || division != null
                        && (division.getInfo().getLifeCycleState().isClosingOrClosed()
                                || division.getInfo().getLifeCycleState() == LifeCycle.State.EXCEPTION);
        if (!dead) {
            return;
        }
        synchronized (this) {
            if (closed || server != now) {
                return;
            }
            reopened++;
            LOG.warn("the Raft group had closed and is opened again times={}", reopened);
            closeServer();
            open();
        }
    }

    private CompletionStage<byte[]> answer(NodeId from, byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        try {
            io.execute(() -> {
                try {
                    answer.complete(serve(from, request));
                } catch (Exception e) {
                    answer.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new IllegalStateException("busy", e));
        }
        return answer;
    }

    private byte[] serve(NodeId from, byte[] request) throws Exception {
        if (request.length > 0 && request[0] == LEADER_REQUEST) {
            byte[] body = java.util.Arrays.copyOfRange(request, 1, request.length);
            return lead(LeaderRequest.parseFrom(body), CHANGE_DEADLINE).toByteArray();
        }
        RaftServer now = server;
        if (now == null || request.length == 0) {
            throw new IllegalStateException("this node is in no group at present");
        }
        return LinkServerRpc.serve(now, from, request);
    }

    private void await(CompletableFuture<RaftClientReply> reply) {
        try {
            RaftClientReply done = reply.get(20, TimeUnit.SECONDS);
            if (!done.isSuccess()) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED, "the group could not be made: " + done.getException());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, "interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.CHANGE_FAILED, "the group could not be made: " + e, e);
        }
    }

    private void local(Cartridge.LocalBody<Boolean> body) {
        cartridge.writeLocal(body).toCompletableFuture().join();
    }

    private void closeServer() {
        RaftServer now = server;
        server = null;
        group = null;
        if (now != null) {
            try {
                now.close();
            } catch (IOException e) {
                LOG.warn("the Raft group did not close cleanly", e);
            }
        }
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.STORAGE, "can't clear " + directory + ": delete it by hand", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        watchdog.cancel(false);
        transfer();
        synchronized (this) {
            closeServer();
        }
    }
}
