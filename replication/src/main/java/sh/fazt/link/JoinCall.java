package sh.fazt.link;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.JoinReply;
import sh.fazt.protocol.peer.v1.JoinRequest;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;

/** The joiner's side of joining: one application, over a connection of its own. Stateless. */
public final class JoinCall {
    private static final int MAX_CHALLENGES = 2;
    private static final int NONCE_BYTES = 32;

    private JoinCall() {}

    /**
     * Dials the issuer's addresses in turn, accepts only the key that the token names, and proves the token's
     * secret. The stage fails only for programmers' errors: whatever the network does is an answer.
     *
     * @param mayBlock runs it, for as long as the deadline
     */
    public static CompletionStage<JoinAnswer> join(
            JoinToken token, NodeKey key, Applicant applicant, Duration deadline, Executor mayBlock) {
        return CompletableFuture.supplyAsync(() -> joinNow(token, key, applicant, deadline, mayBlock), mayBlock);
    }

    private static JoinAnswer joinNow(
            JoinToken token, NodeKey key, Applicant applicant, Duration deadline, Executor mayBlock) {
        long end = System.nanoTime() + deadline.toNanos();
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(
                1,
                task -> {
                    Thread thread = new Thread(task, "link-join");
                    thread.setDaemon(true);
                    return thread;
                },
                NioIoHandler.newFactory());
        try {
            List<String> failures = new ArrayList<>();
            Set<JoinRefusal> kinds = EnumSet.noneOf(JoinRefusal.class);
            int untried = token.addresses().size();
            for (String address : token.addresses()) {
                // A small machine that has just started takes long for its first handshake: each address its share.
                long patience = (end - System.nanoTime()) / untried--;
                Attempt attempt = attempt(token, key, applicant, address, patience, end, group, mayBlock);
                if (attempt.answer() != null) {
                    return attempt.answer();
                }
                failures.add(address + ": " + attempt.failure());
                kinds.add(attempt.kind());
            }
            return failed(token, failures, kinds);
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        }
    }

    private static JoinAnswer failed(JoinToken token, List<String> failures, Set<JoinRefusal> kinds) {
        String tried = String.join("; ", failures);
        String issuer = "node " + token.issuer().shortText();
        if (kinds.contains(JoinRefusal.WRONG_KEY)) {
            return new JoinAnswer.Refused(
                    JoinRefusal.WRONG_KEY,
                    "the join token's secret was not sent, because who answers is not " + issuer
                            + " that issued it (" + tried + "). Has that node been set up anew, or its address been"
                            + " given to another? Ask for a new token");
        }
        String unreached = issuer + " was not reached at any address of the join token (" + tried + "). ";
        return kinds.contains(JoinRefusal.STRANGER)
                ? new JoinAnswer.Refused(
                        JoinRefusal.STRANGER,
                        unreached + "What was expected there is the swarm port of that node. Does it run, on that port,"
                                + " and does the address still lead to its machine? Look there with \"fazt server"
                                + " status\", then make a new token with \"fazt swarm token\"")
                : new JoinAnswer.Refused(
                        JoinRefusal.UNREACHABLE,
                        unreached + "It has to run and its swarm port has to be open to this machine");
    }

    /** @param kind of the failure, when there is no answer */
    private record Attempt(@Nullable JoinAnswer answer, String failure, JoinRefusal kind) {
        static Attempt answered(JoinAnswer answer) {
            return new Attempt(answer, "", JoinRefusal.UNREACHABLE);
        }

        static Attempt failed(String why) {
            return new Attempt(null, why, JoinRefusal.UNREACHABLE);
        }
    }

    private static Attempt attempt(
            JoinToken token,
            NodeKey key,
            Applicant applicant,
            String address,
            long patience,
            long end,
            EventLoopGroup group,
            Executor mayBlock) {
        ManagedChannel connection = null;
        try {
            HostPort to = HostPort.parse(address);
            InetSocketAddress resolved = new InetSocketAddress(to.host(), to.port());
            if (resolved.isUnresolved()) {
                return Attempt.failed("no such host");
            }
            connection = Network.connect(resolved, Tls.client(key, token.issuer()), group, mayBlock, Network.WINDOW);
            return Attempt.answered(apply(token, key, applicant, connection, patience, end));
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
                return Attempt.failed("no answer in time");
            }
            if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
                // Whoever says this has shown the issuer's key.
                return Attempt.answered(new JoinAnswer.Refused(
                        JoinRefusal.TOO_OLD,
                        "node " + token.issuer().shortText()
                                + " answers, but its fazt lets nodes in by another protocol"
                                + " than this fazt knows: update fazt on the older of the two"));
            }
            JoinRefusal kind = Stranger.of(e) != null
                    ? JoinRefusal.STRANGER
                    : Reasons.wrongKey(e) != null ? JoinRefusal.WRONG_KEY : JoinRefusal.UNREACHABLE;
            return new Attempt(null, Reasons.of(e), kind);
        } catch (IllegalArgumentException | SSLException e) {
            return Attempt.failed(String.valueOf(e.getMessage()));
        } finally {
            if (connection != null) {
                connection.shutdownNow();
            }
        }
    }

    private static JoinAnswer apply(
            JoinToken token, NodeKey key, Applicant applicant, ManagedChannel connection, long firstAnswer, long end) {
        byte[] nonce = new byte[NONCE_BYTES];
        new SecureRandom().nextBytes(nonce);
        JoinRequest.Builder request = JoinRequest.newBuilder()
                .setTokenId(token.tokenId())
                .setName(applicant.name())
                .addAllAddresses(applicant.addresses())
                .setObserver(applicant.observer())
                .setSchemaLevel(applicant.schemaLevel())
                .setOldestProtocol(Protocols.SPOKEN.oldest())
                .setNewestProtocol(Protocols.SPOKEN.newest())
                .setNonce(ByteString.copyFrom(nonce));
        long patience = firstAnswer;
        for (int i = 0; i <= MAX_CHALLENGES; i++) {
            long left = Math.min(patience, end - System.nanoTime());
            JoinReply reply = ClientCalls.blockingUnaryCall(
                    connection,
                    PeerServiceGrpc.getJoinMethod(),
                    CallOptions.DEFAULT.withDeadlineAfter(Math.max(1, left), TimeUnit.NANOSECONDS),
                    request.build());
            switch (reply.getOutcomeCase()) {
                case CHALLENGE -> {
                    byte[] challenge = reply.getChallenge().toByteArray();
                    byte[] proof = JoinApplication.proof(
                            token.secret(), token.tokenId(), key.id(), token.issuer(), challenge, nonce);
                    request.setChallenge(reply.getChallenge()).setProof(ByteString.copyFrom(proof));
                    // The answer to a proof is decided by the swarm, which may take as long as there is.
                    patience = Long.MAX_VALUE;
                }
                case ADMISSION -> {
                    return new JoinAnswer.Admitted(reply.getAdmission().toByteArray());
                }
                case REFUSED -> {
                    return new JoinAnswer.Refused(
                            JoinRefusal.of(reply.getRefused().getReason()),
                            reply.getRefused().getMessage());
                }
                case OUTCOME_NOT_SET -> {
                    return newer();
                }
            }
        }
        return new JoinAnswer.Refused(
                JoinRefusal.NOT_UNDERSTOOD, "the issuer did not accept the answer to its own challenge: try again");
    }

    private static JoinAnswer newer() {
        return new JoinAnswer.Refused(
                JoinRefusal.NOT_UNDERSTOOD,
                "the issuer gave an answer that this fazt does not know: update fazt on this machine");
    }
}
