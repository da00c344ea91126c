package sh.fazt.consensus;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.AtomicFileOutputStream;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;

/**
 * The Ratis server of this node in one incarnation, and the one group that it serves. Knows nothing of what should be:
 * {@link SwarmRaft} decides. Starting and stopping is serialised by its caller; all else is thread-safe.
 */
final class RaftHost {
    private static final Logger LOG = LoggerFactory.getLogger(RaftHost.class);
    /** How long {@link #transfer} takes at most. */
    static final Duration TRANSFER = Duration.ofSeconds(4);

    private static final String INCARNATION = "incarnation";

    private final NodeId self;
    private final Cartridge cartridge;
    private final ConfigStore store;
    private final Path directory;
    private final Links links;
    private final Timings timings;
    private final ScheduledExecutorService timer;
    private final Consumer<List<String>> changed;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();

    private volatile @Nullable RaftServer server;
    private volatile @Nullable RaftGroupId group;

    /** @param changed told of the kinds that an applied command touched */
    RaftHost(
            NodeId self,
            Cartridge cartridge,
            ConfigStore store,
            Path directory,
            Links links,
            Timings timings,
            ScheduledExecutorService timer,
            Consumer<List<String>> changed) {
        this.self = self;
        this.cartridge = cartridge;
        this.store = store;
        this.directory = directory;
        this.links = links;
        this.timings = timings;
        this.timer = timer;
        this.changed = changed;
    }

    NodeId self() {
        return self;
    }

    Path directory() {
        return directory;
    }

    ClientId client() {
        return client;
    }

    long nextCall() {
        return calls.incrementAndGet();
    }

    /** Opens what lies in the directory, under an incarnation that is written beside it. */
    void start(RaftGroupId id, String incarnation) {
        try {
            Files.createDirectories(directory);
            if (!incarnation.equals(markedIncarnation())) {
                // Whole or not at all: half a name would cost this node its vote.
                try (OutputStream out = new AtomicFileOutputStream(
                        directory.resolve(INCARNATION).toFile())) {
                    out.write(incarnation.getBytes(StandardCharsets.UTF_8));
                }
            }
            cleanTemporary(id);
            RaftServer made = RaftServer.newBuilder()
                    .setServerId(RaftPeerId.valueOf(LinkTransport.PeerNames.peer(self, incarnation)))
                    .setOption(RaftStorage.StartupOption.RECOVER)
                    .setProperties(Properties.make(directory, timings))
                    .setParameters(LinkRpcType.parameters(new LinkTransport(links)))
                    .setStateMachineRegistry(any -> new SwarmStateMachine(cartridge, store, timer, changed))
                    .build();
            made.start();
            server = made;
            group = id;
        } catch (IOException | RuntimeException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.STORAGE, "can't open the swarm's log in " + directory + ": " + e, e);
        }
    }

    /** Makes the group's files: of this node alone, or of nobody until a leader adds it. Blocking. */
    void make(boolean alone) {
        RaftServer now = running();
        RaftGroupId id = groupId();
        RaftPeer me = RaftPeer.newBuilder().setId(now.getId()).build();
        RaftGroup first = alone ? RaftGroup.valueOf(id, me) : RaftGroup.valueOf(id);
        try {
            RaftClientReply done = now.groupManagementAsync(
                            GroupManagementRequest.newAdd(client, now.getId(), nextCall(), first, true))
                    .get(20, TimeUnit.SECONDS);
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

    /** An aborted transfer of a snapshot leaves its parts behind. */
    private void cleanTemporary(RaftGroupId id) {
        Path temporary = directory.resolve(id.getUuid().toString()).resolve("tmp");
        if (Files.isDirectory(temporary)) {
            delete(temporary);
        }
    }

    /** The incarnation that what lies in the directory belongs to. */
    @Nullable
    String markedIncarnation() {
        try {
            return Files.readString(directory.resolve(INCARNATION)).strip();
        } catch (IOException absent) {
            return null;
        }
    }

    RaftServer running() {
        RaftServer now = server;
        if (now == null) {
            throw new ConsensusException(
                    ConsensusException.Reason.NOT_MEMBER, "this node is in no group: start it, or join a swarm");
        }
        return now;
    }

    RaftGroupId groupId() {
        RaftGroupId now = group;
        if (now == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        return now;
    }

    /** The group as Ratis runs it; null while it does not. */
    RaftServer.@Nullable Division division() {
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

    /** Whether Ratis has given up on the group, or on itself: it tells nobody. */
    boolean dead() {
        RaftServer now = server;
        if (now == null) {
            return true;
        }
        RaftServer.Division division = division();
        return over(now.getLifeCycleState())
                || division != null && over(division.getInfo().getLifeCycleState());
    }

    private static boolean over(LifeCycle.State state) {
        return state.isClosingOrClosed() || state == LifeCycle.State.EXCEPTION;
    }

    /** The config's version at an index of the log. */
    long version(long index) {
        return store.base() + index;
    }

    boolean leads() {
        RaftServer.Division division = division();
        return division != null
                && division.getInfo().isLeader()
                && division.getInfo().isLeaderReady();
    }

    /** Waits until this node leads. */
    void awaitLeader(Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (!leads()) {
            if (System.nanoTime() > end) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED, "this node does not lead its group after " + patience);
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    /**
     * Whether the log that was opened ends before what the cartridge has applied of it. Ratis only warns, and then takes
     * no entry any more, neither its own nor a leader's.
     */
    boolean lostItsEnd() {
        RaftServer.Division division = division();
        TermIndex last = division == null ? null : division.getRaftLog().getLastEntryTermIndex();
        return last != null && last.getIndex() < store.applied().index();
    }

    /** Whether this node is one of two voters. */
    boolean oneOfTwo() {
        RaftServer.Division division = division();
        return division != null && division.getGroup().getPeers().size() == 2;
    }

    /** Lets a group that is not open begin behind its snapshot, which is of all that the cartridge has applied. */
    void dropLog(RaftGroupId id) {
        Path current = directory.resolve(id.getUuid().toString()).resolve("current");
        try (Stream<Path> files = Files.list(current)) {
            for (Path file : files.toList()) {
                if (String.valueOf(file.getFileName()).startsWith("log_")) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.STORAGE, "can't drop the damaged log in " + current + ": " + e, e);
        }
    }

    /** Waits until an entry of the log is applied here; answers false when it is not in time. */
    boolean awaitApplied(long index, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            RaftServer.Division division = division();
            if (division != null && applied(division.getInfo()) >= index) {
                return true;
            }
            if (System.nanoTime() > end || Thread.interrupted()) {
                return false;
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** The last entry that is applied; -1 while the group starts, when Ratis throws at the question. */
    private static long applied(DivisionInfo info) {
        try {
            return info.getLastAppliedIndex();
        } catch (IllegalStateException notStarted) {
            return -1;
        }
    }

    /** How the group looks from here. */
    RaftStatus status() {
        RaftServer.Division division = division();
        RaftServer now = server;
        if (division == null || now == null) {
            return RaftStatus.NONE;
        }
        DivisionInfo info = division.getInfo();
        if (info.getCurrentRole() == null) {
            // Made, but not started yet.
            return RaftStatus.NONE;
        }
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
                applied(info));
    }

    /** Hands the lead to somebody who is reachable, before a planned stop; does nothing when there is nobody. */
    void transfer() {
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
        long end = System.nanoTime() + TRANSFER.toNanos();
        for (RaftPeer peer : division.getGroup().getPeers()) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left > 0 && up.contains(LinkTransport.PeerNames.node(peer.getId()))) {
                try {
                    RaftClientReply reply = now.transferLeadershipAsync(new TransferLeadershipRequest(
                                    client, now.getId(), id, nextCall(), peer.getId(), Math.min(left, 3000)))
                            .get(left, TimeUnit.MILLISECONDS);
                    if (reply.isSuccess()) {
                        return;
                    }
                    LOG.debug("could not hand over to {}", peer.getId(), reply.getException());
                } catch (IOException | ExecutionException | TimeoutException e) {
                    LOG.debug("could not hand over to {}", peer.getId(), e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    /** Rewrites the list of voters to this node alone, and stops. */
    void keepOnlySelf() {
        RaftServer.Division division = division();
        RaftServer now = running();
        RaftGroupId id = groupId();
        if (division == null) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
        }
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        long index =
                Math.max(last == null ? 0 : last.getIndex(), division.getInfo().getLastAppliedIndex()) + 1;
        long term = division.getInfo().getCurrentTerm();
        RaftPeerId me = now.getId();
        Path conf =
                directory.resolve(id.getUuid().toString()).resolve("current").resolve("raft-meta.conf");
        close();
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
    }

    void close() {
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

    /** Forgets what lies in the directory. */
    void clear() {
        delete(directory);
    }

    /** Ratis goes on renaming and deleting there for a moment after it is closed: what is gone is as good as deleted. */
    static void delete(Path directory) {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException why) throws IOException {
                    return gone(why);
                }

                @Override
                public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException why) throws IOException {
                    if (why != null) {
                        return gone(why);
                    }
                    Files.deleteIfExists(folder);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new ConsensusException(
                    ConsensusException.Reason.STORAGE, "can't clear " + directory + ": delete it by hand", e);
        }
    }

    private static FileVisitResult gone(IOException why) throws IOException {
        if (why instanceof NoSuchFileException) {
            return FileVisitResult.CONTINUE;
        }
        throw why;
    }
}
