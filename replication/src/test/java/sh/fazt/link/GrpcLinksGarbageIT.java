package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.JoinReply;
import sh.fazt.protocol.peer.v1.JoinRequest;
import sh.fazt.protocol.peer.v1.PeerServiceGrpc;
import sh.fazt.testkit.Await;

/** Strangers and broken peers on the swarm port: counted, dropped, nothing in the log, and the good link stays. */
final class GrpcLinksGarbageIT {
    private final List<LogRecord> logged = new CopyOnWriteArrayList<>();
    private final Handler recorder = new Handler() {
        @Override
        public void publish(LogRecord record) {
            logged.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };
    private final NodeKey rawKey = NodeKey.generate();
    private final TestNode good = new TestNode();
    private TestNode server;
    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeEach
    void begin() {
        Logger.getLogger("").addHandler(recorder);
        server = new TestNode(
                NodeKey.generate(),
                TestNode.SWARM,
                config -> config.withServices(List.of(EchoService::define), List.of()));
        server.links.handle(Channel.SWARM, new RecordingHandler());
        server.start();
        good.start();
        good.trust(server, server.address());
        server.links.trust(Map.of(good.id(), List.of(), rawKey.id(), List.of()));
        until("the good link", good::isUp);
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
        good.close();
        server.close();
        Logger.getLogger("").removeHandler(recorder);
    }

    private static void until(String what, BooleanSupplier condition) {
        Await.until(what, Duration.ofSeconds(10), condition::getAsBoolean);
    }

    private RawPeer raw(NodeKey key) {
        RawPeer peer = new RawPeer(key, server.address(), server.id());
        open.add(peer);
        return peer;
    }

    private void stillServes() {
        assertThat(good.ask(server, Channel.SWARM, new byte[] {42}).toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(5))
                .isEqualTo(new byte[] {42});
        assertThat(good.links.counters().linksDown()).isZero();
        assertThat(logged)
                .filteredOn(line -> line.getThrown() != null || line.getLevel().intValue() >= Level.WARNING.intValue())
                .isEmpty();
    }

    private void send(byte[] bytes) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.links.port())) {
            socket.setSoTimeout(5000);
            OutputStream out = socket.getOutputStream();
            out.write(bytes);
            out.flush();
            socket.shutdownOutput();
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[1024];
            while (in.read(buffer) >= 0) {
                // Whatever it says, it has to end.
            }
        } catch (SocketException reset) {
            // An end as good as another.
            assertThat(reset).isNotInstanceOf(ConnectException.class);
        }
    }

    @Test
    void bytesThatAreNoTlsAreDropped() throws IOException {
        Random random = new Random(11);
        long before = server.links.counters().accepted();
        long authenticated = server.links.counters().authenticated();
        for (int i = 0; i < 20; i++) {
            byte[] noise = new byte[1 + random.nextInt(5000)];
            random.nextBytes(noise);
            send(noise);
        }
        send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(new byte[] {22, 3, 1, 0, 5, 1, 0, 0, 1, 0});
        until("all counted", () -> server.links.counters().accepted() >= before + 23);
        assertThat(server.links.counters().authenticated()).isEqualTo(authenticated);
        stillServes();
    }

    @Test
    void tlsWithoutHttp2OrOfOldKindIsDropped() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
            try (SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", server.links.port())) {
                socket.setSoTimeout(5000);
                socket.setEnabledProtocols(new String[] {protocol});
                socket.startHandshake();
                socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(socket.getInputStream().read()).isNegative();
            } catch (IOException refused) {
                assertThat(refused).isNotInstanceOf(SocketTimeoutException.class);
            }
        }
        stillServes();
    }

    @Test
    void aStrangersKeyOpensNoLink() {
        RawPeer.Stream stream = raw(NodeKey.generate()).open();
        until("a refusal", () -> stream.ended);
        assertThat(stream.status.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(stream.status.getDescription()).contains("no member").contains("token");
        assertThat(server.links.counters().refused()).isPositive();
        stillServes();
    }

    @Test
    void withoutAKeyThereIsNoLinkButTheExtraServices() throws Exception {
        ManagedChannel anonymous = NettyChannelBuilder.forAddress("127.0.0.1", server.links.port())
                .overrideAuthority("node.fazt")
                .sslContext(GrpcSslContexts.forClient()
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .build())
                .build();
        open.add(anonymous::shutdownNow);
        JoinReply echo = ClientCalls.blockingUnaryCall(
                anonymous,
                EchoService.METHOD,
                CallOptions.DEFAULT,
                JoinRequest.newBuilder().setName("anyone").build());
        assertThat(echo.getAdmission().toStringUtf8()).isEqualTo("anyone on link-blocking");
        RawPeer.Stream stream = new RawPeer.Stream();
        ClientCalls.asyncBidiStreamingCall(
                anonymous.newCall(PeerServiceGrpc.getOpenMethod(), CallOptions.DEFAULT), stream);
        until("a refusal", () -> stream.ended);
        assertThat(stream.status.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        stillServes();
    }

    @Test
    void aNewerProtocolIsToldWhoHasToUpdate() {
        RawPeer peer = raw(rawKey);
        RawPeer.Stream stream = peer.open();
        stream.hello(peer.hello(0).setOldestProtocol(7).setNewestProtocol(9));
        until("a goodbye", () -> stream.kinds().contains(Wire.GOODBYE));
        assertThat(stream.goodbye().getCode()).isEqualTo(Wire.PROTOCOL);
        assertThat(stream.goodbye().getMessage())
                .contains("7 to 9")
                .endsWith("update fazt on node " + server.id().shortText());
        stillServes();
    }

    @Test
    void aNewerNodeThatStillSpeaksOursIsLinked() {
        RawPeer peer = raw(rawKey);
        RawPeer.Stream stream = peer.open();
        stream.hello(peer.hello(0).setNewestProtocol(9).setCapabilityLevel(50));
        until("a hello", () -> stream.kinds().contains(Wire.HELLO));
    }

    @Test
    void anotherSwarmIsToldSo() {
        RawPeer peer = raw(rawKey);
        RawPeer.Stream stream = peer.open();
        stream.hello(peer.hello(0).setSwarmId("elsewhere"));
        until("a goodbye", () -> stream.kinds().contains(Wire.GOODBYE));
        assertThat(stream.goodbye().getCode()).isEqualTo(Wire.OTHER_SWARM);
        assertThat(stream.goodbye().getMessage()).contains("elsewhere");
        stillServes();
    }

    @Test
    void aHelloOfAnotherNodeIsRefused() {
        RawPeer peer = raw(rawKey);
        RawPeer.Stream stream = peer.open();
        stream.hello(peer.hello(0).setNodeId(ByteString.copyFrom(good.id().bytes())));
        until("a goodbye", () -> stream.kinds().contains(Wire.GOODBYE));
        assertThat(stream.goodbye().getMessage()).contains("another node than the key");
        stillServes();
    }

    @Test
    void aStreamWithoutAHelloEnds() {
        RawPeer.Stream stream = raw(rawKey).open();
        until("the end", () -> stream.ended);
        assertThat(stream.status.getDescription()).contains("no hello within");
        stillServes();
    }

    @Test
    void aLaneOfNoLinkIsRefused() {
        RawPeer peer = raw(rawKey);
        RawPeer.Stream stream = peer.open();
        stream.hello(peer.hello(2));
        until("a goodbye", () -> stream.kinds().contains(Wire.GOODBYE));
        assertThat(stream.goodbye().getCode()).isEqualTo(Wire.OUT_OF_PLACE);
        stillServes();
    }

    @Test
    void unknownKindsAndChannelsAreCountedAndTheLinkStays() {
        RawPeer.Stream[] lanes = raw(rawKey).link();
        long before = server.links.counters().unknownFrames();
        for (int i = 0; i < 100; i++) {
            lanes[0].out.onNext(Wire.frame(77, i, ByteString.copyFromUtf8("future")));
            lanes[0].out.onNext(message(Wire.MESSAGE, 99, 10));
        }
        lanes[0].out.onNext(Wire.frame(Wire.PING, 5, ByteString.EMPTY));
        until("the ping's answer", () -> lanes[0].kinds().contains(Wire.PONG));
        assertThat(server.links.counters().unknownFrames()).isEqualTo(before + 200);
        assertThat(lanes[0].ended).isFalse();
        stillServes();
    }

    private static Frame message(int kind, int channel, int size) {
        return Frame.newBuilder()
                .setKind(kind)
                .setId(1)
                .setChannel(channel)
                .setBody(ByteString.copyFrom(new byte[size]))
                .build();
    }

    private void breaks(Fault named, int lane, Frame... frames) {
        RawPeer.Stream[] lanes = raw(rawKey).link();
        long before = server.links.counters().badFrames();
        for (Frame frame : frames) {
            lanes[lane].out.onNext(frame);
        }
        until("all lanes end", () -> Arrays.stream(lanes).allMatch(each -> each.ended));
        assertThat(server.links.counters().badFrames()).isGreaterThan(before);
        awaitNamed(named);
        stillServes();
    }

    private void awaitNamed(Fault fault) {
        until("it is named", () -> server.named(rawKey.id(), fault) == 1);
        assertThat(server.links.states())
                .filteredOn(state -> state.faults() > 0)
                .extracting(LinkState::peer)
                .containsExactly(rawKey.id());
        assertThat(server.named(good.id(), fault)).isZero();
    }

    private long faults() {
        return server.links.states().stream().mapToLong(LinkState::faults).sum();
    }

    @Test
    void whoeverGoesOnIsCountedEachTimeAndNamedOnceAMinute() {
        for (int i = 1; i <= 4; i++) {
            int times = i;
            breaks(Fault.OVERSIZED, 0, message(Wire.MESSAGE, Channel.SWARM.number(), Wire.MAX_BODY + 1));
            until("it is counted", () -> faults() == times);
        }
        breaks(Fault.MALFORMED, 0, message(Wire.MESSAGE, Channel.BLOBS.number(), 10));
        awaitNamed(Fault.OVERSIZED);
    }

    @Test
    void bytesThatAreNoFrameEndTheirLinkOnly() {
        RawPeer peer = raw(rawKey);
        MethodDescriptor<String, Frame> anything = PeerServiceGrpc.getOpenMethod().toBuilder(
                        new TextMarshaller(), PeerServiceGrpc.getOpenMethod().getResponseMarshaller())
                .build();
        RawPeer.Stream answers = new RawPeer.Stream();
        ClientCalls.asyncBidiStreamingCall(peer.connection.newCall(anything, CallOptions.DEFAULT), answers)
                .onNext("this is no frame");
        until("the stream ends", () -> answers.ended);
        awaitNamed(Fault.MALFORMED);
        stillServes();
    }

    @Test
    void aStrangersGarbageLeavesNothingInTheLog() {
        RawPeer stranger = raw(NodeKey.generate());
        MethodDescriptor<String, JoinReply> anything = PeerServiceGrpc.getJoinMethod().toBuilder(
                        new TextMarshaller(), PeerServiceGrpc.getJoinMethod().getResponseMarshaller())
                .build();
        long before = server.links.counters().badFrames();
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                        stranger.connection, anything, CallOptions.DEFAULT, "this is no application"))
                .isInstanceOf(StatusRuntimeException.class);
        until("it is counted", () -> server.links.counters().badFrames() == before + 1);
        assertThat(faults()).isZero();
        stillServes();
    }

    /** Sends text as it is. */
    private static final class TextMarshaller implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            throw new UnsupportedOperationException("nobody answers in text");
        }
    }

    @Test
    void anOversizedFrameEndsItsLinkOnly() {
        breaks(Fault.OVERSIZED, 0, message(Wire.MESSAGE, Channel.SWARM.number(), Wire.MAX_BODY + 1));
    }

    @Test
    void aFrameOverTheLimitOfGrpcEndsItsLinkOnly() {
        RawPeer.Stream[] lanes = raw(rawKey).link();
        lanes[3].out.onNext(message(Wire.MESSAGE, Channel.BLOBS.number(), 5 << 20));
        until("all lanes end", () -> Arrays.stream(lanes).allMatch(each -> each.ended));
        awaitNamed(Fault.OVERSIZED);
        stillServes();
    }

    @Test
    void aMessageOnTheWrongLaneEndsItsLinkOnly() {
        breaks(Fault.MALFORMED, 0, message(Wire.MESSAGE, Channel.BLOBS.number(), 10));
    }

    @Test
    void aMessageWithoutAnEndIsNotKept() {
        Frame[] parts = new Frame[70];
        Arrays.fill(
                parts,
                message(Wire.MESSAGE, Channel.BLOBS.number(), Wire.MAX_BODY).toBuilder()
                        .setMore(true)
                        .build());
        breaks(Fault.OVERSIZED, 3, parts);
    }

    @Test
    void aMessageInCountlessPartsIsNotKept() {
        Frame[] parts = new Frame[4097];
        Arrays.fill(
                parts,
                message(Wire.MESSAGE, Channel.BLOBS.number(), 0).toBuilder()
                        .setMore(true)
                        .build());
        breaks(Fault.OVERSIZED, 3, parts);
    }

    @Test
    void aSecondMessageInsideTheFirstEndsItsLinkOnly() {
        Frame begun = message(Wire.MESSAGE, Channel.BLOBS.number(), 10).toBuilder()
                .setMore(true)
                .build();
        breaks(Fault.MALFORMED, 3, begun, begun.toBuilder().setId(2).build());
    }

    @Test
    void aDamagedGoodbyeEndsItsLinkOnly() {
        breaks(Fault.MALFORMED, 1, Wire.frame(Wire.GOODBYE, 0, ByteString.copyFrom(new byte[] {(byte) 0xff, 1, 2})));
    }

    /** Some other service on the port. */
    private static final class EchoService {
        static final MethodDescriptor<JoinRequest, JoinReply> METHOD =
                MethodDescriptor.<JoinRequest, JoinReply>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName("test.Echo/Say")
                        .setRequestMarshaller(ProtoUtils.marshaller(JoinRequest.getDefaultInstance()))
                        .setResponseMarshaller(ProtoUtils.marshaller(JoinReply.getDefaultInstance()))
                        .build();

        static ServerServiceDefinition define() {
            return ServerServiceDefinition.builder("test.Echo")
                    .addMethod(METHOD, ServerCalls.asyncUnaryCall(EchoService::say))
                    .build();
        }

        private static void say(JoinRequest request, StreamObserver<JoinReply> responses) {
            String thread = Thread.currentThread().getName().replaceAll("-[0-9]+$", "");
            responses.onNext(JoinReply.newBuilder()
                    .setAdmission(ByteString.copyFromUtf8(request.getName() + " on " + thread))
                    .build());
            responses.onCompleted();
        }
    }
}
