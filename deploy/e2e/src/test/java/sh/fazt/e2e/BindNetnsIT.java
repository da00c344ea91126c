package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.RunFile;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import sh.fazt.protocol.admin.v1.Event;
import sh.fazt.protocol.admin.v1.GetStatusRequest;
import sh.fazt.protocol.admin.v1.GetStatusResponse;
import sh.fazt.protocol.admin.v1.GetSyncRequest;
import sh.fazt.protocol.admin.v1.ListConflictsRequest;
import sh.fazt.protocol.admin.v1.ListEventsRequest;
import sh.fazt.protocol.admin.v1.ListMembersRequest;
import sh.fazt.protocol.admin.v1.MemberNames;
import sh.fazt.protocol.admin.v1.PlaceAppRequest;
import sh.fazt.protocol.admin.v1.SyncRequest;
import sh.fazt.protocol.admin.v1.VerifyRequest;
import sh.fazt.protocol.admin.v1.VerifyResponse;
import sh.fazt.testkit.Await;

/** A node that listens on one address that is not loopback: its own machine steers it, another does not. */
class BindNetnsIT {
    @TempDir
    Path folder;

    private Namespaces network;
    private NodeUnderTest node;

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        node = new NodeUnderTest(
                        folder, "one", List.of(), List.of("--bind", network.own(), "--port", "0", "--swarm-port", "0"))
                .start();
    }

    @AfterEach
    void stop() throws Exception {
        node.close();
        network.close();
    }

    @Test
    void isSteeredFromItsOwnMachine() throws Exception {
        RunFile file = RunFile.read(node.cartridge).orElseThrow();
        assertThat(file.http()).startsWith(network.own() + ":");
        assertThat(file.swarm()).startsWith(network.own() + ":");

        Path app = Files.createDirectories(folder.resolve("hello"));
        Files.writeString(app.resolve("index.html"), "<h1>hello</h1>");
        assertThat(node.ok("server", "status").get("http").asText()).isEqualTo(file.http());
        node.ok("swarm", "init", "--name", "home");
        assertThat(node.ok("swarm", "status").get("members")).hasSize(1);
        node.ok("app", "deploy", app.toString());
        assertThat(node.get("hello", "/")).contains("hello");
        assertThat(node.ok("app", "list").get("apps")).hasSize(1);
        node.ok("alias", "set", "hi", "hello");
        node.ok("config", "set", "name", "uno");
        node.ok("swarm", "events");
        node.ok("swarm", "lease", "list");
        node.ok("server", "backup", folder.resolve("copy.db").toString());
        assertThat(node.api("/api/auth/status").get("authenticated").asBoolean())
                .as("the owner, logged in on the admin host")
                .isTrue();

        assertThat(Files.readString(Path.of("/proc/" + node.pid() + "/cmdline")).split("\0"))
                .as("nobody makes it read Java objects")
                .contains("-Djdk.serialFilter=!*");
    }

    @Test
    void answersAProgramOnItsOwnMachineThatHasTheToken() throws Exception {
        Path app = Files.createDirectories(folder.resolve("hello"));
        Files.writeString(app.resolve("index.html"), "<h1>hello</h1>");
        node.ok("app", "deploy", app.toString());
        String token = RunFile.read(node.cartridge).orElseThrow().token();

        GetStatusResponse status = ask(token, admin -> admin.getStatus(GetStatusRequest.getDefaultInstance()));
        assertThat(status.getSelf().getName()).isEqualTo("one");
        assertThat(status.getQuorum()).isTrue();
        assertThat(ask(token, admin -> admin.listMembers(ListMembersRequest.getDefaultInstance()))
                        .getMembersList())
                .singleElement()
                .satisfies(member -> assertThat(member.getState()).isEqualTo("alive"));
        assertThat(ask(token, admin -> admin.listConflicts(ListConflictsRequest.getDefaultInstance()))
                        .getTotal())
                .isZero();
        VerifyResponse verified = ask(
                token,
                admin -> admin.verify(VerifyRequest.newBuilder().setApp("hello").build()));
        assertThat(verified.getDifferent() || verified.getIncomplete()).isFalse();
        assertThat(verified.getScopesList())
                .singleElement()
                .satisfies(scope -> assertThat(scope.getState()).isEqualTo("equal"));
        SyncRequest sync = SyncRequest.newBuilder().setApp("hello").build();
        assertThat(ask(token, admin -> admin.sync(sync)).getAll().getBlobs()).isZero();
        assertThat(ask(token, admin -> admin.getSync(GetSyncRequest.getDefaultInstance()))
                        .getRunning())
                .isFalse();
        PlaceAppRequest place = PlaceAppRequest.newBuilder()
                .setApp("hello")
                .setOn(MemberNames.newBuilder().addNodes("one"))
                .build();
        assertThat(ask(token, admin -> admin.placeApp(place)).getAppsList())
                .singleElement()
                .satisfies(placed -> assertThat(placed.getRule()).isEqualTo("on one"));
        Await.until(
                "it is among the events",
                Duration.ofSeconds(20),
                () ->
                        ask(token, admin -> admin.listEvents(ListEventsRequest.getDefaultInstance()))
                                .getEventsList()
                                .stream()
                                .anyMatch(event -> event.getKind().equals("placement")));
        Event first = ask(
                token,
                admin -> admin.watchEvents(ListEventsRequest.getDefaultInstance())
                        .next());
        assertThat(first.getNumber()).isEqualTo(1);

        List<Function<AdminServiceBlockingStub, Object>> calls = List.of(
                admin -> admin.getStatus(GetStatusRequest.getDefaultInstance()),
                admin -> admin.listMembers(ListMembersRequest.getDefaultInstance()),
                admin -> admin.listConflicts(ListConflictsRequest.getDefaultInstance()),
                admin -> admin.verify(VerifyRequest.getDefaultInstance()),
                admin -> admin.sync(sync),
                admin -> admin.placeApp(place),
                admin -> admin.listEvents(ListEventsRequest.getDefaultInstance()),
                admin -> admin.watchEvents(ListEventsRequest.getDefaultInstance())
                        .next());
        for (String none : new String[] {"guessed", ""}) {
            for (Function<AdminServiceBlockingStub, Object> call : calls) {
                assertThatThrownBy(() -> ask(none, call))
                        .isInstanceOfSatisfying(
                                StatusRuntimeException.class,
                                refused -> assertThat(refused.getStatus().getCode())
                                        .isEqualTo(Status.Code.UNAUTHENTICATED));
            }
        }
    }

    /** What AdminService answers a program on this machine. @param token none if empty */
    private <T> T ask(String token, Function<AdminServiceBlockingStub, T> call) throws Exception {
        String address = node.swarmAddress();
        int colon = address.lastIndexOf(':');
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)))
                .overrideAuthority("node.fazt")
                .sslContext(GrpcSslContexts.forClient()
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .build())
                .build();
        try {
            Metadata headers = new Metadata();
            if (!token.isEmpty()) {
                headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
            }
            AdminServiceBlockingStub admin = AdminServiceGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .withDeadlineAfter(30, TimeUnit.SECONDS);
            return call.apply(admin);
        } finally {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    @Test
    void isNotSteeredFromAnotherEvenWithTheToken() throws Exception {
        String stranger = network.add("stranger");
        NodeUnderTest elsewhere = new NodeUnderTest(folder, "one", network.enter("stranger"), List.of());
        NodeUnderTest.Run run = elsewhere.fazt("swarm", "status");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("on the machine of its node only").contains(stranger);
        assertThat(elsewhere
                        .fazt("app", "deploy", folder.toString(), "--name", "x")
                        .code())
                .isEqualTo(1);
        assertThat(node.ok("app", "list").get("apps")).isEmpty();
    }
}
