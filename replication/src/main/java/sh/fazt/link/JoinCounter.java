package sh.fazt.link;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodePin;
import sh.fazt.protocol.peer.v1.JoinRefused;
import sh.fazt.protocol.peer.v1.JoinReply;
import sh.fazt.protocol.peer.v1.JoinRequest;

/**
 * Takes applications in before the {@link JoinDesk} sees them. Thread-safe: it keeps a counter only. A
 * challenge is not remembered but recognised, so that strangers can't fill or flush anything here.
 */
final class JoinCounter {
    private static final long CHALLENGE_SECONDS = 60;
    private static final int MAX_UNDER_WAY = 16;
    private static final int MAX_NAME = 200;
    private static final int MAX_ID = 200;
    private static final int MAX_ADDRESSES = 16;
    private static final int MIN_NONCE = 16;
    private static final int MAX_NONCE = 64;

    private final GrpcLinks links;
    private final byte[] challengeKey;
    private final AtomicInteger underWay = new AtomicInteger();

    JoinCounter(GrpcLinks links, byte[] challengeKey) {
        this.links = links;
        this.challengeKey = challengeKey.clone();
    }

    void join(JoinRequest request, NodeId caller, String host, Consumer<JoinReply> reply) {
        String problem = problemWith(request);
        String otherProtocol = links.greetings().otherProtocol(request);
        if (problem != null) {
            reply.accept(refused(JoinRefusal.NOT_UNDERSTOOD, "the application to join is damaged: " + problem));
        } else if (otherProtocol != null) {
            reply.accept(refused(JoinRefusal.TOO_OLD, otherProtocol));
        } else if (!isFresh(request, caller)) {
            ByteString challenge = ByteString.copyFrom(
                    challenge(request.getTokenId(), caller, links.wallMillis() / 1000 + CHALLENGE_SECONDS));
            reply.accept(JoinReply.newBuilder().setChallenge(challenge).build());
        } else if (underWay.incrementAndGet() > MAX_UNDER_WAY) {
            underWay.decrementAndGet();
            reply.accept(refused(
                    JoinRefusal.BUSY, MAX_UNDER_WAY + " nodes are joining through this one: try again in a minute"));
        } else {
            decide(request, caller, host, reply);
        }
    }

    private void decide(JoinRequest request, NodeId caller, String host, Consumer<JoinReply> reply) {
        JoinApplication application = new JoinApplication(
                request.getTokenId(),
                caller,
                NodePin.of(links.id()),
                new Applicant(
                        request.getName(),
                        request.getAddressesList(),
                        request.getObserver(),
                        Math.max(1, request.getSchemaLevel())),
                host,
                request.getChallenge().toByteArray(),
                request.getNonce().toByteArray(),
                request.getProof().toByteArray());
        CompletionStage<JoinAnswer> decision;
        try {
            decision = links.desk().admit(application);
        } catch (RuntimeException e) {
            decision = CompletableFuture.failedStage(e);
        }
        decision.whenComplete((answer, error) -> {
            underWay.decrementAndGet();
            if (error != null) {
                reply.accept(refused(JoinRefusal.BUSY, Reasons.ofHandler(error)));
            } else if (answer instanceof JoinAnswer.Admitted admitted) {
                reply.accept(JoinReply.newBuilder()
                        .setAdmission(ByteString.copyFrom(admitted.admission()))
                        .build());
            } else if (answer instanceof JoinAnswer.Refused refusal) {
                reply.accept(refused(refusal.reason(), refusal.message()));
            }
        });
    }

    private static @Nullable String problemWith(JoinRequest request) {
        if (request.getTokenId().isEmpty() || request.getTokenId().length() > MAX_ID) {
            return "it names no token";
        }
        if (request.getName().length() > MAX_NAME) {
            return "the node's name has more than " + MAX_NAME + " characters";
        }
        if (request.getAddressesCount() > MAX_ADDRESSES) {
            return "it has more than " + MAX_ADDRESSES + " addresses";
        }
        for (String address : request.getAddressesList()) {
            try {
                HostPort.parse(address);
            } catch (IllegalArgumentException e) {
                return e.getMessage();
            }
        }
        int nonce = request.getNonce().size();
        return nonce < MIN_NONCE || nonce > MAX_NONCE
                ? "its nonce has " + nonce + " bytes, expected " + MIN_NONCE + " to " + MAX_NONCE
                : null;
    }

    /** The time until when it is good, and what shows that we gave it to this caller for this token. */
    private byte[] challenge(String token, NodeId caller, long untilSeconds) {
        byte[] until = ByteBuffer.allocate(Long.BYTES).putLong(untilSeconds).array();
        byte[] seal = JoinToken.proof(challengeKey, until, caller.bytes(), token.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.allocate(until.length + seal.length)
                .put(until)
                .put(seal)
                .array();
    }

    private boolean isFresh(JoinRequest request, NodeId caller) {
        byte[] given = request.getChallenge().toByteArray();
        if (given.length < Long.BYTES) {
            return false;
        }
        long until = ByteBuffer.wrap(Arrays.copyOf(given, Long.BYTES)).getLong();
        long now = links.wallMillis() / 1000;
        return until >= now
                && until <= now + CHALLENGE_SECONDS
                && MessageDigest.isEqual(given, challenge(request.getTokenId(), caller, until));
    }

    private JoinReply refused(JoinRefusal reason, String message) {
        links.counts().refused.increment();
        return JoinReply.newBuilder()
                .setRefused(JoinRefused.newBuilder()
                        .setReason(reason.number())
                        .setMessage(message == null ? reason.name() : message))
                .build();
    }
}
