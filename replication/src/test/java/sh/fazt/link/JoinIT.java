package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** A joiner and an issuer over real sockets; the desk is the test's. */
final class JoinIT {
    private static final Applicant LAPTOP = new Applicant("laptop", List.of("192.168.1.7:5698"), false, 7);

    @TempDir
    Path folder;

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

    /** Answers each caller's first bytes with these, and hangs up. */
    private ServerSocket answering(ServerSocket server, byte[] answer) {
        open.add(server);
        Thread thread = new Thread(() -> {
            while (!server.isClosed()) {
                try (Socket caller = server.accept()) {
                    caller.getInputStream().read(new byte[4096]);
                    caller.getOutputStream().write(answer);
                } catch (IOException closedOrGone) {
                    // The next one, or the end.
                }
            }
        });
        thread.start();
        return server;
    }

    private static ServerSocket socket() throws IOException {
        return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    private JoinAnswer.Refused refusedAt(ServerSocket server) throws Exception {
        return refused(join(token(issuer.id(), "127.0.0.1:" + server.getLocalPort(), "127.0.0.1:1")));
    }

    private static Stream<Arguments> strangers() {
        byte[] garbage = new byte[4096];
        new Random(7).nextBytes(garbage);
        byte[] recordOfGarbage = garbage.clone();
        System.arraycopy(new byte[] {22, 3, 3, 0, 100}, 0, recordOfGarbage, 0, 5);
        return Stream.of(
                Arguments.of(
                        "an HTTP server",
                        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)),
                Arguments.of("an SSH server", "SSH-2.0-other\r\n".getBytes(StandardCharsets.US_ASCII)),
                Arguments.of("does not speak TLS", garbage),
                Arguments.of("whose TLS is not that of a fazt node", recordOfGarbage));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("strangers")
    void whatAnswersAndIsNoNodeIsNamed(String name, byte[] answer) throws Exception {
        JoinAnswer.Refused refused = refusedAt(answering(socket(), answer));
        assertThat(refused.reason()).isEqualTo(JoinRefusal.STRANGER);
        assertThat(refused.message())
                .contains(name, "no", "fazt node", "127.0.0.1:1: Connection refused", "fazt swarm token")
                .hasSizeLessThan(700);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void aTlsServerOfAnotherKindIsNoNodeThatWasSetUpAnew(String algorithm) throws Exception {
        ServerSocket https = Certified.contextOf(folder, algorithm)
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        JoinAnswer.Refused refused = refusedAt(answering(https, new byte[0]));
        assertThat(refused.reason()).isEqualTo(JoinRefusal.STRANGER);
        assertThat(refused.message())
                .contains("the TLS server that answers there")
                .contains("it is no fazt node");
    }

    @Test
    void aPortThatHangsUpMayBeAnybodys() throws Exception {
        JoinAnswer.Refused refused = refusedAt(answering(socket(), new byte[0]));
        assertThat(refused.reason()).isEqualTo(JoinRefusal.UNREACHABLE);
        assertThat(refused.message()).contains("takes the connection there and ends it without an answer");
    }

    @Test
    void whoSpeaksNoPeerProtocolOfTheIssuersIsToldWhoHasToBeUpdated() throws Exception {
        try (TestNode updated = new TestNode(
                        NodeKey.generate(),
                        TestNode.SWARM,
                        config -> config.withDesk(a -> {
                            seen.add(a);
                            return desk.admit(a);
                        }),
                        new Protocols(3, 4))
                .start()) {
            JoinAnswer.Refused refused = refused(join(token(updated.id(), updated.address())));
            assertThat(refused.reason()).isEqualTo(JoinRefusal.TOO_OLD);
            assertThat(refused.message())
                    .contains("speaks peer protocol 3 to 4", "the node that wants to join " + Protocols.SPOKEN)
                    .contains("update fazt on the node that wants to join");
            assertThat(seen).as("nobody was admitted").isEmpty();
        }
    }

    @Test
    void anIssuerThatKnowsNoSuchCallIsOfAnotherRelease() throws Exception {
        NodeKey key = NodeKey.generate();
        Server other = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sslContext(Tls.server(key))
                .build()
                .start();
        open.add(other::shutdownNow);
        JoinAnswer.Refused refused = refused(join(token(key.id(), "127.0.0.1:" + other.getPort())));
        assertThat(refused.reason()).isEqualTo(JoinRefusal.TOO_OLD);
        assertThat(refused.message()).contains("by another protocol", "update fazt");
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
