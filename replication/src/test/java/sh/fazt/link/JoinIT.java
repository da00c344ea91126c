package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** A joiner and an issuer over real sockets; the desk is the test's. */
final class JoinIT {
    private static final Applicant LAPTOP = new Applicant("laptop", List.of("192.168.1.7:5698"), false, 7);

    private final ExecutorService mayBlock = Executors.newFixedThreadPool(2);
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<JoinApplication> seen = new CopyOnWriteArrayList<>();
    private final NodeKey joiner = NodeKey.generate();
    private volatile JoinDesk desk = application ->
            CompletableFuture.completedStage(new JoinAnswer.Admitted("welcome".getBytes(StandardCharsets.UTF_8)));
    private final TestNode issuer = new TestNode(
                    NodeKey.generate(),
                    TestNode.SWARM,
                    config -> config.withDesk(a -> {
                        seen.add(a);
                        return desk.admit(a);
                    }))
            .start();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
        issuer.close();
        mayBlock.shutdownNow();
    }

    private JoinToken token(NodeId issuerId, String... addresses) {
        return JoinToken.mint(issuerId, List.of(addresses), new SecureRandom());
    }

    private JoinToken token() {
        return token(issuer.id(), issuer.address());
    }

    private JoinAnswer join(JoinToken token) throws Exception {
        return join(token, Duration.ofSeconds(10));
    }

    private JoinAnswer join(JoinToken token, Duration deadline) throws Exception {
        return JoinCall.join(token, joiner, LAPTOP, deadline, mayBlock)
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
    }

    private static JoinAnswer.Refused refused(JoinAnswer answer) {
        assertThat(answer).isInstanceOf(JoinAnswer.Refused.class);
        return (JoinAnswer.Refused) answer;
    }

    @Test
    void whoHoldsTheSecretIsLetInAndItsApplicationIsWhole() throws Exception {
        JoinToken token = token();
        JoinAnswer answer = join(JoinToken.parse(token.text()));
        assertThat(answer).isInstanceOf(JoinAnswer.Admitted.class);
        assertThat(((JoinAnswer.Admitted) answer).admission()).isEqualTo("welcome".getBytes(StandardCharsets.UTF_8));
        assertThat(seen).hasSize(1);
        JoinApplication application = seen.get(0);
        assertThat(application.node()).isEqualTo(joiner.id());
        assertThat(application.name()).isEqualTo("laptop");
        assertThat(application.addresses()).containsExactly("192.168.1.7:5698");
        assertThat(application.schemaLevel()).isEqualTo(7);
        assertThat(application.observedAddress()).isEqualTo("127.0.0.1");
        assertThat(application.tokenId()).isEqualTo(token.tokenId());
        assertThat(application.provenBy(token.secret())).isTrue();
    }

    @Test
    void aWrongSecretProvesNothing() throws Exception {
        JoinToken token = token();
        join(token);
        byte[] other = token.secret();
        other[3] ^= 1;
        assertThat(seen.get(0).provenBy(other)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(
            value = JoinRefusal.class,
            names = {"EXPIRED", "USED", "UNKNOWN_TOKEN", "BAD_PROOF", "NO_QUORUM", "EVICTED"})
    void theDesksReasonReachesThePerson(JoinRefusal reason) throws Exception {
        desk = application -> CompletableFuture.completedStage(new JoinAnswer.Refused(reason, "because of " + reason));
        JoinAnswer.Refused answer = refused(join(token()));
        assertThat(answer.reason()).isEqualTo(reason);
        assertThat(answer.message()).isEqualTo("because of " + reason);
    }

    @Test
    void aDeskThatFailsAsksToTryAgain() throws Exception {
        desk = application -> CompletableFuture.failedStage(new IllegalStateException("no writer yet"));
        JoinAnswer.Refused answer = refused(join(token()));
        assertThat(answer.reason()).isEqualTo(JoinRefusal.BUSY);
        assertThat(answer.message()).isEqualTo("no writer yet");
    }

    @Test
    void anotherKeyAtTheAddressNeverSeesTheProof() throws Exception {
        JoinAnswer.Refused answer = refused(join(token(NodeKey.generate().id(), issuer.address())));
        assertThat(answer.reason()).isEqualTo(JoinRefusal.WRONG_KEY);
        assertThat(answer.message()).contains(issuer.address()).contains("new token");
        assertThat(seen).isEmpty();
    }

    @Test
    void everyAddressIsTriedAndEachFailureIsNamed() throws Exception {
        JoinAnswer answer = join(token(issuer.id(), "127.0.0.1:1", issuer.address()));
        assertThat(answer).isInstanceOf(JoinAnswer.Admitted.class);
        JoinAnswer.Refused failed = refused(join(token(issuer.id(), "127.0.0.1:1", "127.0.0.1:2")));
        assertThat(failed.reason()).isEqualTo(JoinRefusal.UNREACHABLE);
        assertThat(failed.message()).contains("127.0.0.1:1: ").contains("127.0.0.1:2: ");
    }

    @Test
    void aDeskThatNeverDecidesEndsWithTheDeadline() throws Exception {
        desk = application -> new CompletableFuture<>();
        JoinAnswer.Refused answer = refused(join(token(), Duration.ofSeconds(1)));
        assertThat(answer.reason()).isEqualTo(JoinRefusal.UNREACHABLE);
        assertThat(answer.message()).contains("no answer in time");
    }

    @Test
    void aDamagedApplicationIsExplained() throws Exception {
        JoinAnswer answer = JoinCall.join(
                        token(),
                        joiner,
                        new Applicant("x", List.of("nowhere"), false, 1),
                        Duration.ofSeconds(5),
                        mayBlock)
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
        assertThat(refused(answer).reason()).isEqualTo(JoinRefusal.NOT_UNDERSTOOD);
        assertThat(refused(answer).message()).contains("nowhere").contains("host:port");
    }
}
