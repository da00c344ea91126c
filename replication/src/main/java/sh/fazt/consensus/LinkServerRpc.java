package sh.fazt.consensus;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionReplyProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;
import org.apache.ratis.thirdparty.com.google.protobuf.MessageLite;
import org.apache.ratis.util.LifeCycle;
import sh.fazt.identity.NodeId;

/**
 * Raft's messages over the links: one octet that names the operation and Ratis' own protobuf; in the answer one
 * octet that says whether it is the reply or a text. Nothing of Java's serialisation is ever read from a peer.
 * Thread-safe.
 */
final class LinkServerRpc implements RaftServerRpc {
    static final int VOTE = 1;
    static final int APPEND = 2;
    static final int SNAPSHOT = 3;
    static final int START_ELECTION = 4;
    private static final byte OK = 0;
    private static final byte FAILED = 1;

    private final RaftServer server;
    private final LinkTransport transport;
    private final RpcType type;
    private final LifeCycle lifeCycle = new LifeCycle("links");
    private final Duration quick;
    private final Duration patient;
    private final Duration pause;

    LinkServerRpc(RaftServer server, LinkTransport transport, RpcType type) {
        this.server = server;
        this.transport = transport;
        this.type = type;
        RaftProperties properties = server.getProperties();
        quick = Duration.ofMillis(
                RaftServerConfigKeys.Rpc.timeoutMin(properties).toLong(TimeUnit.MILLISECONDS));
        patient = Duration.ofMillis(
                RaftServerConfigKeys.Rpc.requestTimeout(properties).toLong(TimeUnit.MILLISECONDS));
        pause = Duration.ofMillis(RaftServerConfigKeys.Rpc.sleepTime(properties).toLong(TimeUnit.MILLISECONDS));
    }

    @Override
    public RequestVoteReplyProto requestVote(RequestVoteRequestProto request) throws IOException {
        return RequestVoteReplyProto.parseFrom(ask(VOTE, request.getServerRequest(), request, quick));
    }

    @Override
    public AppendEntriesReplyProto appendEntries(AppendEntriesRequestProto request) throws IOException {
        // How far everybody is, in full and with addresses, is most of a heartbeat, and nothing here reads it.
        AppendEntriesRequestProto brief = request.toBuilder().clearCommitInfos().build();
        return AppendEntriesReplyProto.parseFrom(ask(APPEND, brief.getServerRequest(), brief, quick));
    }

    @Override
    public InstallSnapshotReplyProto installSnapshot(InstallSnapshotRequestProto request) throws IOException {
        long begin = System.nanoTime();
        try {
            return InstallSnapshotReplyProto.parseFrom(ask(SNAPSHOT, request.getServerRequest(), request, patient));
        } catch (IOException e) {
            // After this Ratis sends the snapshot again at once, without end; it pauses only for what it appends.
            throw notBefore(begin, e);
        }
    }

    @Override
    public StartLeaderElectionReplyProto startLeaderElection(StartLeaderElectionRequestProto request)
            throws IOException {
        long begin = System.nanoTime();
        try {
            return StartLeaderElectionReplyProto.parseFrom(
                    ask(START_ELECTION, request.getServerRequest(), request, quick));
        } catch (IOException e) {
            // Of one that fails at once Ratis forgets to take note, and goes on refusing what it is asked as it hands
            // over.
            throw notBefore(begin, e);
        }
    }

    private IOException notBefore(long begin, IOException failed) {
        LockSupport.parkNanos(begin + pause.toNanos() - System.nanoTime());
        return failed;
    }

    private ByteString ask(int operation, RaftRpcRequestProto header, MessageLite request, Duration deadline)
            throws IOException {
        byte[] body = request.toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = (byte) operation;
        System.arraycopy(body, 0, message, 1, body.length);
        byte[] answer = transport.ask(RaftPeerId.valueOf(header.getReplyId()), message, deadline);
        if (answer.length == 0) {
            throw new IOException("an empty answer");
        }
        ByteString rest = ByteString.copyFrom(answer, 1, answer.length - 1);
        if (answer[0] != OK) {
            throw new IOException("refused: " + rest.toStringUtf8());
        }
        return rest;
    }

    /**
     * Answers a peer; runs where it may block.
     *
     * @param garbled    run when the message can't be read, or is told in another's name
     * @param pretenders refuse who can't be the leader
     */
    static byte[] serve(RaftServer server, NodeId from, byte[] message, Runnable garbled, Pretenders pretenders) {
        try {
            ByteString body = ByteString.copyFrom(message, 1, message.length - 1);
            MessageLite reply = switch (message[0]) {
                case VOTE -> {
                    RequestVoteRequestProto request = RequestVoteRequestProto.parseFrom(body);
                    check(server, from, request.getServerRequest(), garbled);
                    yield server.requestVote(request);
                }
                case APPEND -> {
                    AppendEntriesRequestProto request = AppendEntriesRequestProto.parseFrom(body);
                    check(server, from, request.getServerRequest(), garbled);
                    pretenders.check(from, request.getLeaderTerm());
                    yield server.appendEntries(request);
                }
                case SNAPSHOT -> {
                    InstallSnapshotRequestProto request = InstallSnapshotRequestProto.parseFrom(body);
                    check(server, from, request.getServerRequest(), garbled);
                    pretenders.check(from, request.getLeaderTerm());
                    yield server.installSnapshot(request);
                }
                case START_ELECTION -> {
                    StartLeaderElectionRequestProto request = StartLeaderElectionRequestProto.parseFrom(body);
                    check(server, from, request.getServerRequest(), garbled);
                    pretenders.check(from, request.getLeaderLastEntry().getTerm());
                    yield server.startLeaderElection(request);
                }
                default -> throw new IOException("unknown operation " + message[0]);
            };
            return answer(OK, reply.toByteArray());
        } catch (IOException | RuntimeException e) {
            if (e instanceof InvalidProtocolBufferException) {
                garbled.run();
            }
            return answer(FAILED, String.valueOf(e.getMessage()).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    /** Who speaks is who the link says, and it is this incarnation that is spoken to. */
    private static void check(RaftServer server, NodeId from, RaftRpcRequestProto header, Runnable garbled)
            throws IOException {
        String requestor = header.getRequestorId().toStringUtf8();
        if (!requestor.startsWith(LinkTransport.PeerNames.peer(from, ""))) {
            garbled.run();
            throw new IOException(from.shortText() + " speaks as " + requestor);
        }
        // No offence: a leader goes on until it hears that this node is another now.
        if (!header.getReplyId().toStringUtf8().equals(server.getId().toString())) {
            throw new IOException("this is " + server.getId() + ", a later incarnation");
        }
    }

    private static byte[] answer(byte status, byte[] body) {
        byte[] answer = new byte[body.length + 1];
        answer[0] = status;
        System.arraycopy(body, 0, answer, 1, body.length);
        return answer;
    }

    @Override
    public void start() throws IOException {
        lifeCycle.startAndTransition(() -> {}, IOException.class);
    }

    @Override
    public void close() {
        lifeCycle.checkStateAndClose(() -> {});
    }

    @Override
    @SuppressWarnings("NullAway") // Ratis asks for an address and takes null: the links have them.
    public InetSocketAddress getInetSocketAddress() {
        return null;
    }

    @Override
    public RpcType getRpcType() {
        return type;
    }

    @Override
    public void addRaftPeers(Collection<RaftPeer> peers) {
        // The links know everybody by their node ids.
    }

    @Override
    public void handleException(RaftPeerId serverId, Exception e, boolean reconnect) {
        // The links come up again by themselves.
    }
}
