package sh.fazt.consensus;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientAsynchronousProtocol;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.Command;
import sh.fazt.protocol.consensus.v1.LeaderReply;
import sh.fazt.protocol.consensus.v1.LeaderRequest;
import sh.fazt.protocol.consensus.v1.LeaseReply;
import sh.fazt.protocol.consensus.v1.LeaseRequest;
import sh.fazt.protocol.consensus.v1.Outcome;

/**
 * What is asked of the leader, on both sides: taken to it from here and, where this node leads, done. Of Ratis' own
 * replies nothing travels: those carry Java's serialisation. Thread-safe: changes of the voters one at a time.
 */
final class LeaderRequests {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderRequests.class);
    /** First octet of what one member asks of the leader; those of Raft itself are smaller. */
    static final byte MARK = 100;

    static final Duration CHANGE_DEADLINE = Duration.ofSeconds(30);

    /** How long a leader that is to be taken out tries to have another lead. */
    private static final Duration HAND_OVER = Duration.ofSeconds(14);

    private static final Duration NOOP = Duration.ofSeconds(5);

    /** A change of the voters takes longer only when something stands in its way. */
    private static final Duration SLOW = Duration.ofSeconds(2);

    /** How long one that is asked may take before another is, and how long it looks for the leader. */
    private static final Duration PASSED_ON = Duration.ofMillis(2500);

    private final RaftHost host;
    private final BooleanSupplier inGroup;
    private final Links links;
    private final Supplier<@Nullable ConfigFeed> observing;
    private final Supplier<RaftStatus> status;
    private final Consumer<NodeId> asksToVote;
    private final LeaseDesk leases;
    private final Object voters = new Object();
    /** One lease at a time: each is agreed on top of the last, and two at once would only stand in each other's way. */
    private final ReentrantLock leasing = new ReentrantLock();

    /**
     * @param inGroup    whether there is a leader to look for, even while this node changes its part in the group
     * @param observing  what this node follows while it is an observer; null while it votes
     * @param asksToVote told of a member that is to be added, while this node does not lead
     */
    LeaderRequests(
            RaftHost host,
            BooleanSupplier inGroup,
            Links links,
            Supplier<@Nullable ConfigFeed> observing,
            Supplier<RaftStatus> status,
            Consumer<NodeId> asksToVote,
            LeaseDesk leases) {
        this.host = host;
        this.inGroup = inGroup;
        this.links = links;
        this.observing = observing;
        this.status = status;
        this.asksToVote = asksToVote;
        this.leases = leases;
    }

    /** A command that changes nothing: the log goes on, and with it whoever just joined. */
    static Command noop() {
        return Command.newBuilder()
                .setFormat(2)
                .setRequest(UUID.randomUUID().toString())
                .build();
    }

    /**
     * Takes a command to the leader and waits for what came of it. Tried again until the deadline under one request
     * id, so it happens once at most. Blocking.
     *
     * <p>What was agreed is applied here too when this returns, unless this node is late.
     *
     * @throws ConsensusException {@code NO_QUORUM} naming who is missing, {@code NOT_MEMBER}
     */
    Outcome propose(Command command, Duration patience) {
        LeaderReply reply = ask(LeaderRequest.newBuilder().setCommand(command).build(), patience);
        if (!reply.getError().isEmpty()) {
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, reply.getError());
        }
        awaitApplied(reply, patience);
        return reply.getOutcome();
    }

    /**
     * Has the leader do something of a lease. Tried again until the deadline: the same holder that takes again, or renews
     * again, has what it had.
     *
     * @throws ConsensusException {@code NO_QUORUM} naming who is missing, {@code NOT_MEMBER, CHANGE_FAILED}
     */
    LeaseReply lease(LeaseRequest request, Duration patience) {
        LeaderReply reply = ask(LeaderRequest.newBuilder().setLease(request).build(), patience);
        if (!reply.getError().isEmpty()) {
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, reply.getError());
        }
        awaitApplied(reply, patience);
        return reply.getLease();
    }

    /** Waits until everything that was agreed before this call is applied here. Blocking. */
    void barrier(Duration patience) {
        LeaderReply reply = ask(LeaderRequest.newBuilder().setCommand(noop()).build(), patience);
        if (!reply.getError().isEmpty() || !awaitApplied(reply, patience)) {
            throw new ConsensusException(
                    ConsensusException.Reason.CHANGE_FAILED,
                    "this node has not heard yet of all that is agreed: try again in a moment" + reply.getError());
        }
    }

    private boolean awaitApplied(LeaderReply reply, Duration patience) {
        ConfigFeed feed = observing.get();
        return feed == null
                ? host.awaitApplied(reply.getIndex(), patience)
                : feed.awaitVersion(reply.getVersion(), patience);
    }

    /** Tries until the deadline; answers what a leader said. Blocking. */
    LeaderReply ask(LeaderRequest request, Duration patience) {
        if (!inGroup.getAsBoolean()) {
            throw new ConsensusException(
                    ConsensusException.Reason.NOT_MEMBER, "this node is in no group: start it, or join a swarm");
        }
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
            try {
                LeaderReply reply = take(request, left);
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
            LockSupport.parkNanos(50_000_000);
        }
    }

    private @Nullable LeaderReply take(LeaderRequest request, Duration left)
            throws InterruptedException, ExecutionException, TimeoutException {
        // Whom this node asks may be cut off, and would let it wait for all of that: another may have a quorum.
        Duration each = isQuick(request) && left.compareTo(PASSED_ON) > 0 ? PASSED_ON : left;
        ConfigFeed feed = observing.get();
        if (feed != null) {
            return feed.forward(mark(request), each);
        }
        if (!host.leads() && request.hasAddVoter()) {
            asksToVote.accept(NodeId.parse(request.getAddVoter().getNode()));
        }
        return host.leads() ? lead(request, left) : forward(request, each);
    }

    /** Whether it is done at once where there is a quorum; a change of the voters takes its time. */
    private static boolean isQuick(LeaderRequest request) {
        return request.hasCommand() || request.hasLease();
    }

    /** Answers a member: a voter looks for the leader itself, an observer has the one that it asks do so. */
    LeaderReply serve(NodeId from, LeaderRequest request)
            throws InterruptedException, ExecutionException, TimeoutException {
        boolean voter = host.status().voters().contains(from);
        if (voter || host.leads()) {
            return lead(request, CHANGE_DEADLINE);
        }
        if (observing.get() != null) {
            return LeaderReply.newBuilder().setNotLeader(true).build();
        }
        try {
            return ask(request, isQuick(request) ? PASSED_ON : CHANGE_DEADLINE);
        } catch (ConsensusException e) {
            LOG.debug("could not pass on what an observer asked", e);
            return LeaderReply.newBuilder().setNotLeader(true).build();
        }
    }

    private ConsensusException noQuorum() {
        RaftStatus status = this.status.get();
        List<NodeId> missing = new ArrayList<>(status.unreachable());
        if (missing.isEmpty()) {
            missing.addAll(status.voters());
            missing.remove(host.self());
        }
        return new NoQuorumException(missing, status.voters().size());
    }

    private @Nullable LeaderReply forward(LeaderRequest request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        RaftServer.Division division = host.division();
        RaftPeerId leader = division == null ? null : division.getInfo().getLeaderId();
        if (leader == null || LinkTransport.PeerNames.node(leader).equals(host.self())) {
            return null;
        }
        byte[] answer = links.ask(LinkTransport.PeerNames.node(leader), Channel.RAFT, mark(request), patience)
                .toCompletableFuture()
                .get(patience.toMillis() + 200, TimeUnit.MILLISECONDS);
        try {
            return LeaderReply.parseFrom(answer);
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new ExecutionException(e);
        }
    }

    private static byte[] mark(LeaderRequest request) {
        byte[] body = request.toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = MARK;
        System.arraycopy(body, 0, message, 1, body.length);
        return message;
    }

    /** Does what was asked of the leader; says so when this is not the leader. */
    LeaderReply lead(LeaderRequest request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        LeaderReply notLeader = LeaderReply.newBuilder().setNotLeader(true).build();
        if (!host.leads()) {
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
                                    .setIndex(reply.getLogIndex())
                                    .setVersion(host.version(reply.getLogIndex()))
                                    .build();
                }
                case ADD_VOTER -> {
                    boolean led = changeVoters(
                            NodeId.parse(request.getAddVoter().getNode()),
                            request.getAddVoter().getPeer());
                    return led ? LeaderReply.getDefaultInstance() : notLeader;
                }
                case REMOVE_VOTER -> {
                    NodeId out = NodeId.parse(request.getRemoveVoter());
                    if (out.equals(host.self())) {
                        handOver(patience);
                        return notLeader;
                    }
                    return changeVoters(out, null) ? LeaderReply.getDefaultInstance() : notLeader;
                }
                case LEASE -> {
                    LeaderReply done = lead(request.getLease(), patience);
                    return done == null ? notLeader : done;
                }
                case WHAT_NOT_SET -> {
                    return LeaderReply.newBuilder().setError("an empty request").build();
                }
            }
            return LeaderReply.newBuilder().setError("an unknown request").build();
        } catch (ConsensusException e) {
            if (e.reason() == ConsensusException.Reason.NOT_MEMBER) {
                // It led a moment ago, and its part in the group changes now.
                return notLeader;
            }
            return LeaderReply.newBuilder()
                    .setError(String.valueOf(e.getMessage()))
                    .build();
        } catch (com.google.protobuf.InvalidProtocolBufferException | IllegalArgumentException e) {
            return LeaderReply.newBuilder()
                    .setError(String.valueOf(e.getMessage()))
                    .build();
        }
    }

    /**
     * Has somebody else lead, who then takes this node out. A leader that took itself out would be closed by Ratis at once,
     * with whatever it is asked meanwhile.
     */
    private void handOver(Duration patience) {
        Duration each = patience.compareTo(HAND_OVER) > 0 ? HAND_OVER : patience;
        long end = System.nanoTime() + each.minus(RaftHost.TRANSFER).toNanos();
        while (true) {
            host.transfer();
            if (!host.leads()) {
                return;
            }
            if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED,
                        "it leads the group, and no other voter could take over from it: see \"fazt swarm status\"");
            }
            LockSupport.parkNanos(50_000_000);
        }
    }

    /** Decides of a lease and has that agreed; null when this node did not lead to the end of it. */
    private @Nullable LeaderReply lead(LeaseRequest request, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException,
                    com.google.protobuf.InvalidProtocolBufferException {
        Duration each = patience.compareTo(PASSED_ON) > 0 ? PASSED_ON : patience;
        if (!leasing.tryLock(each.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new TimeoutException("other leases are before this one");
        }
        try {
            boolean leads = false;
            while (!leases.paused()) {
                LeaseDesk.Decision decision = leases.decide(request);
                LeaderReply.Builder answer = LeaderReply.newBuilder().setLease(decision.reply());
                if (decision.ops().isEmpty() && (leads || decision.sure())) {
                    return answer.build();
                }
                // A refusal that ends a holder's work is told only by who leads indeed: a write shows that.
                RaftClientReply written =
                        write(decision.ops().isEmpty() ? noop() : SwarmConfig.command(decision.ops()), each);
                if (written == null) {
                    return null;
                }
                leads = true;
                boolean applied = Outcome.parseFrom(
                                written.getMessage().getContent().toByteArray())
                        .getApplied();
                if (applied && !decision.ops().isEmpty()) {
                    long version = host.version(written.getLogIndex());
                    leases.agreed(decision, version);
                    return answer.setIndex(written.getLogIndex())
                            .setVersion(version)
                            .build();
                }
            }
            return null;
        } finally {
            leasing.unlock();
        }
    }

    private @Nullable RaftClientReply write(Command command, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        RaftClientReply reply;
        try {
            reply = submit(command).get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException e) {
            throw new ExecutionException(e);
        }
        if (reply.isSuccess()) {
            return reply;
        }
        if (isNotLeader(reply)) {
            return null;
        }
        throw new ExecutionException(reply.getException());
    }

    private CompletableFuture<RaftClientReply> submit(Command command) throws IOException {
        RaftServer now = host.running();
        if (!(host.division() instanceof RaftClientAsynchronousProtocol group)) {
            throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node's group is not open");
        }
        // Not through the server, which has other threads do it: a leader that its group takes out is closed under the
        // lock that those wait for, and waits for them.
        return group.submitClientRequestAsync(RaftClientRequest.newBuilder()
                .setClientId(host.client())
                .setServerId(now.getId())
                .setGroupId(host.groupId())
                .setCallId(host.nextCall())
                .setMessage(Message.valueOf(ByteString.copyFrom(command.toByteArray())))
                .setType(RaftClientRequest.writeRequestType())
                .build());
    }

    private static boolean isNotLeader(RaftClientReply reply) {
        return reply.getException() instanceof NotLeaderException
                || reply.getException() instanceof LeaderNotReadyException;
    }

    /**
     * Adds a node in a new incarnation, or takes it out; one change at a time. Answers false when this node did not
     * lead to the end of it.
     */
    private boolean changeVoters(NodeId node, @Nullable String peer)
            throws InterruptedException, ExecutionException, TimeoutException {
        synchronized (voters) {
            RaftServer now = host.running();
            RaftServer.Division division = host.division();
            if (division == null) {
                throw new ConsensusException(ConsensusException.Reason.NOT_MEMBER, "this node is in no group");
            }
            if (peer != null
                    && !LinkTransport.PeerNames.node(RaftPeerId.valueOf(peer)).equals(node)) {
                throw new IllegalArgumentException(peer + " is no incarnation of " + node.shortText());
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
                // Who asks again has not heard: the log may have gone no further since it was added.
                return peer == null || write(noop(), NOOP) != null;
            }
            SetConfigurationRequest request = new SetConfigurationRequest(
                    host.client(),
                    now.getId(),
                    host.groupId(),
                    host.nextCall(),
                    SetConfigurationRequest.Arguments.newBuilder()
                            .setServersInNewConf(next)
                            .setServersInCurrentConf(current)
                            .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                            .build());
            RaftClientReply reply = changed(now, request);
            if (isNotLeader(reply)) {
                return false;
            }
            if (!reply.isSuccess()) {
                throw new ConsensusException(
                        ConsensusException.Reason.CHANGE_FAILED,
                        "the voters could not be changed: " + reply.getException());
            }
            // An idle group would not catch up whoever joined it.
            return write(noop(), NOOP) != null;
        }
    }

    /**
     * Waits for a change of the voters, and keeps the log going meanwhile. When an answer of a newcomer is lost, Ratis
     * finds that it has that part of the log, but not that it has caught up: that takes a further entry, and in an idle
     * group there is none.
     */
    private RaftClientReply changed(RaftServer server, SetConfigurationRequest request)
            throws InterruptedException, ExecutionException, TimeoutException {
        long end = System.nanoTime() + CHANGE_DEADLINE.toNanos();
        try {
            CompletableFuture<RaftClientReply> change = server.setConfigurationAsync(request);
            while (true) {
                try {
                    RaftClientReply reply = change.get(SLOW.toMillis(), TimeUnit.MILLISECONDS);
                    if (reply.getException() instanceof ReconfigurationInProgressException) {
                        // One that was waited for long enough.
                        submit(noop());
                    }
                    return reply;
                } catch (TimeoutException e) {
                    if (System.nanoTime() > end) {
                        throw e;
                    }
                    submit(noop());
                }
            }
        } catch (IOException e) {
            throw new ExecutionException(e);
        }
    }

    private static List<RaftPeerId> ids(Collection<RaftPeer> peers) {
        return peers.stream().map(RaftPeer::getId).toList();
    }

    /** Asks for a change of the voters; what stands in the way is an exception. Blocking. */
    void change(LeaderRequest request) {
        LeaderReply reply = ask(request, CHANGE_DEADLINE);
        if (!reply.getError().isEmpty()) {
            throw new ConsensusException(ConsensusException.Reason.CHANGE_FAILED, reply.getError());
        }
    }
}
