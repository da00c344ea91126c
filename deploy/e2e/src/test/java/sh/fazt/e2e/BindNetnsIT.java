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
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.RunFile;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import sh.fazt.protocol.admin.v1.ListMembersRequest;

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

        assertThat(members(file.token())).isEqualTo(1);
        assertThatThrownBy(() -> members("guessed"))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        refused -> assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED));
    }

    /** How many members AdminService tells a program on this machine. */
    private int members(String token) throws Exception {
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
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
            AdminServiceBlockingStub admin = AdminServiceGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .withDeadlineAfter(30, TimeUnit.SECONDS);
            return admin.listMembers(ListMembersRequest.getDefaultInstance()).getMembersCount();
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
