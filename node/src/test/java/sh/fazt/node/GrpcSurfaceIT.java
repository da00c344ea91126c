package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.auth.Auth;
import sh.fazt.node.error.Refusal;
import sh.fazt.node.grpc.GrpcSurface;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import sh.fazt.protocol.admin.v1.App;
import sh.fazt.protocol.admin.v1.CreateTokenRequest;
import sh.fazt.protocol.admin.v1.CreateTokenResponse;
import sh.fazt.protocol.admin.v1.DemoteMemberRequest;
import sh.fazt.protocol.admin.v1.Discovered;
import sh.fazt.protocol.admin.v1.DismissConflictRequest;
import sh.fazt.protocol.admin.v1.Event;
import sh.fazt.protocol.admin.v1.EvictMemberRequest;
import sh.fazt.protocol.admin.v1.EvictMemberResponse;
import sh.fazt.protocol.admin.v1.GetConflictRequest;
import sh.fazt.protocol.admin.v1.GetConflictResponse;
import sh.fazt.protocol.admin.v1.GetStatusRequest;
import sh.fazt.protocol.admin.v1.GetStatusResponse;
import sh.fazt.protocol.admin.v1.GetSyncRequest;
import sh.fazt.protocol.admin.v1.GetTimeRequest;
import sh.fazt.protocol.admin.v1.GetTimeResponse;
import sh.fazt.protocol.admin.v1.InitSwarmRequest;
import sh.fazt.protocol.admin.v1.JoinSwarmRequest;
import sh.fazt.protocol.admin.v1.LabelMemberRequest;
import sh.fazt.protocol.admin.v1.Lease;
import sh.fazt.protocol.admin.v1.LeaveSwarmRequest;
import sh.fazt.protocol.admin.v1.ListAppsRequest;
import sh.fazt.protocol.admin.v1.ListConflictsRequest;
import sh.fazt.protocol.admin.v1.ListConflictsResponse;
import sh.fazt.protocol.admin.v1.ListDiscoveredRequest;
import sh.fazt.protocol.admin.v1.ListEventsRequest;
import sh.fazt.protocol.admin.v1.ListLeasesRequest;
import sh.fazt.protocol.admin.v1.ListLinksRequest;
import sh.fazt.protocol.admin.v1.ListLinksResponse;
import sh.fazt.protocol.admin.v1.ListMembersRequest;
import sh.fazt.protocol.admin.v1.ListPlacementsRequest;
import sh.fazt.protocol.admin.v1.ListPlacementsResponse;
import sh.fazt.protocol.admin.v1.Member;
import sh.fazt.protocol.admin.v1.MemberNames;
import sh.fazt.protocol.admin.v1.PlaceAppRequest;
import sh.fazt.protocol.admin.v1.PromoteMemberRequest;
import sh.fazt.protocol.admin.v1.RecoverSwarmRequest;
import sh.fazt.protocol.admin.v1.ReleaseLeaseRequest;
import sh.fazt.protocol.admin.v1.RenewLeaseRequest;
import sh.fazt.protocol.admin.v1.RestoreConflictRequest;
import sh.fazt.protocol.admin.v1.RestoreConflictResponse;
import sh.fazt.protocol.admin.v1.RotateKeyRequest;
import sh.fazt.protocol.admin.v1.RotateKeyResponse;
import sh.fazt.protocol.admin.v1.SetLinkRequest;
import sh.fazt.protocol.admin.v1.SyncRequest;
import sh.fazt.protocol.admin.v1.SyncResponse;
import sh.fazt.protocol.admin.v1.TakeLeaseRequest;
import sh.fazt.protocol.admin.v1.VerifyRequest;
import sh.fazt.protocol.admin.v1.VerifyResponse;
import sh.fazt.testkit.Await;

class GrpcSurfaceIT {
    @TempDir
    Path folder;

    private Surface surface;
    private Server server;
    private ManagedChannel channel;
    private Supplier<SwarmControl> swarm = () -> surface.swarm;

    @BeforeEach
    void start() throws Exception {
        surface = new Surface(folder, Map.of());
        GrpcSurface grpc = new GrpcSurface(
                () -> swarm.get(),
                () -> surface.links,
                () -> surface.watch,
                () -> surface.placement,
                () -> surface.leases,
                surface.conflicts,
                surface.apps,
                new Auth(surface.accounts, Surface.TOKEN),
                "1.2.3");
        NettyServerBuilder builder =
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        grpc.services()
                .forEach(service -> builder.addService(ServerInterceptors.intercept(service, grpc.interceptors())));
        server = builder.build().start();
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .build();
    }

    @AfterEach
    void stop() throws InterruptedException {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        surface.close();
    }

    private AdminServiceBlockingStub admin(String token) {
        return AdminServiceGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers(token)))
                .withDeadlineAfter(10, TimeUnit.SECONDS);
    }

    private static Metadata headers(String token) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        return headers;
    }

    @Test
    void leasesAreTakenRenewedAndReleased() {
        AdminServiceBlockingStub admin = admin(Surface.TOKEN);
        Lease taken =
                admin.takeLease(TakeLeaseRequest.newBuilder().setName("nightly").build());
        assertThat(taken.getToken()).isEqualTo(281_474_976_710_657L);
        assertThat(taken.getNode().getName()).isEqualTo("home");
        assertThat(taken.getLeftMs()).isEqualTo(12_345);
        admin.renewLease(RenewLeaseRequest.newBuilder()
                .setName("nightly")
                .setToken(7)
                .setTtlMs(60_000)
                .build());
        assertThat(admin.releaseLease(ReleaseLeaseRequest.newBuilder()
                                .setName("nightly")
                                .setToken(7)
                                .build())
                        .getReleased())
                .isFalse();
        assertThat(admin.releaseLease(ReleaseLeaseRequest.newBuilder()
                                .setName("nightly")
                                .setForce(true)
                                .build())
                        .getMessage())
                .isEqualTo("it is free");
        assertThat(admin.listLeases(ListLeasesRequest.getDefaultInstance())
                        .getLeases(0)
                        .getHolder())
                .isEqualTo("job-1");
        assertThat(surface.leases.calls)
                .containsExactly(
                        "take nightly PT30S null",
                        "renew nightly 7 PT1M",
                        "release nightly 7",
                        "revoke nightly",
                        "list");
        assertThatThrownBy(() -> admin.releaseLease(
                        ReleaseLeaseRequest.newBuilder().setName("nightly").build()))
                .hasMessageContaining("INVALID_ARGUMENT")
                .hasMessageContaining("with the token");
        surface.leases.refusal = Refusal.CONFLICT;
        assertThatThrownBy(() -> admin.takeLease(
                        TakeLeaseRequest.newBuilder().setName("nightly").build()))
                .hasMessageContaining("FAILED_PRECONDITION")
                .hasMessageContaining("held by job-1");
    }

    @Test
    void eventsFollowEachOtherAndEndWithTheirCaller() {
        surface.watch.happen("link-up");
        int before = surface.watch.listening();
        Context.CancellableContext call = Context.current().withCancellation();
        Iterator<Event> events = follow(call);
        assertThat(events.next().getKind()).isEqualTo("link-up");
        surface.watch.happen("alarm");
        Event alarm = events.next();
        assertThat(alarm.getKind()).isEqualTo("alarm");
        assertThat(alarm.getNode().getName()).isEqualTo("phone");
        call.cancel(null);
        Await.until("nobody listens any more", Duration.ofSeconds(10), () -> surface.watch.listening() == before);
        assertThat(admin(Surface.TOKEN)
                        .listEvents(ListEventsRequest.newBuilder().setSince(1).build())
                        .getEventsList())
                .hasSize(1);
    }

    private Iterator<Event> follow(Context.CancellableContext call) {
        Context before = call.attach();
        try {
            return admin(Surface.TOKEN).watchEvents(ListEventsRequest.getDefaultInstance());
        } finally {
            call.detach(before);
        }
    }

    @Test
    void verifyNamesTheRows() {
        VerifyResponse response = admin(Surface.TOKEN)
                .verify(VerifyRequest.newBuilder().setApp("shop").build());
        assertThat(response.getDifferent()).isTrue();
        assertThat(response.getScopes(0).getRows(0).getWhat()).isEqualTo("is missing there");
    }

    @Test
    void tellsProgramsWhatTheRestSurfaceTells() throws Exception {
        surface.deploy("blog", "index.html", "hello");

        GetStatusResponse status = admin(Surface.TOKEN).getStatus(GetStatusRequest.getDefaultInstance());
        assertThat(status.getSwarm().getName()).isEqualTo("family");
        assertThat(status.getLeader().getId()).isEqualTo("node-a");
        assertThat(status.getQuorum()).isTrue();
        assertThat(status.getVersion()).isEqualTo("1.2.3");
        assertThat(status.getConfigVersion()).isEqualTo(42);
        assertThat(status.getSchemaLevel()).isEqualTo(2);
        assertThat(status.getWarning()).startsWith("2 voters");
        assertThat(status.getHeldBack().getBlobs()).isEqualTo(3);
        assertThat(status.getParked(0).getRows()).isEqualTo(12);
        SyncResponse sync = admin(Surface.TOKEN)
                .sync(SyncRequest.newBuilder().setApp("shop").build());
        assertThat(sync.getGot().getBytes()).isEqualTo(100_000);
        assertThat(sync.getMissing(0).getFiles(0)).isEqualTo("shop/film.mp4");
        assertThat(admin(Surface.TOKEN).getSync(GetSyncRequest.getDefaultInstance()))
                .isEqualTo(sync);
        Member phone = admin(Surface.TOKEN)
                .listMembers(ListMembersRequest.getDefaultInstance())
                .getMembers(1);
        assertThat(phone.getState()).isEqualTo("suspect");
        assertThat(phone.getRoundTripNanos()).isEqualTo(1_234_567);
        assertThat(phone.getSinceHeardMillis()).isEqualTo(2345);
        assertThat(phone.getBehind().getChanges()).isEqualTo(3);
        assertThat(phone.getProblem()).endsWith("update fazt on this node");
        assertThat(phone.getOffences()).isEqualTo(15);
        assertThat(phone.getFloods()).isEqualTo(16);
        App app = admin(Surface.TOKEN)
                .listApps(ListAppsRequest.getDefaultInstance())
                .getApps(0);
        assertThat(app.getName()).isEqualTo("blog");
        assertThat(app.getFiles()).isEqualTo(1);
        GetTimeResponse time = admin(Surface.TOKEN).getTime(GetTimeRequest.getDefaultInstance());
        assertThat(time.getOffsetMillis()).isEqualTo(-7000);
        assertThat(time.getNowMillis() - time.getCorrectedMillis()).isEqualTo(7000);
        assertThat(time.getCorrecting()).isTrue();
        assertThat(time.getPeers(0).getNode().getName()).isEqualTo("phone");
        assertThat(time.getPeers(0).getRoundTripNanos()).isEqualTo(1_234_567);
        Discovered neighbour = admin(Surface.TOKEN)
                .listDiscovered(ListDiscoveredRequest.getDefaultInstance())
                .getNodes(0);
        assertThat(neighbour.getAddress()).isEqualTo("10.0.0.2:5698");
        assertThat(neighbour.getMember()).isTrue();

        assertThat(admin(Surface.TOKEN)
                        .promoteMember(PromoteMemberRequest.newBuilder()
                                .setNode("phone")
                                .build())
                        .getMembersCount())
                .isEqualTo(2);
        assertThat(admin(Surface.TOKEN)
                        .demoteMember(
                                DemoteMemberRequest.newBuilder().setNode("home").build())
                        .getWarning())
                .startsWith("2 voters");
        assertThat(surface.swarm.calls).containsSubsequence("promote phone", "demote home");

        ListPlacementsResponse placed = admin(Surface.TOKEN)
                .placeApp(PlaceAppRequest.newBuilder()
                        .setApp("shop")
                        .setOn(MemberNames.newBuilder().addNodes("home"))
                        .addLazy("phone")
                        .build());
        assertThat(placed.getApps(0).getRule()).isEqualTo("label disk=big");
        assertThat(placed.getApps(0).getHolders(1).hasBehind()).isFalse();
        assertThat(placed.getApps(0).getHolders(1).getLazy()).isTrue();
        assertThat(admin(Surface.TOKEN)
                        .listPlacements(ListPlacementsRequest.getDefaultInstance())
                        .getMembers(0)
                        .getLabelsMap())
                .containsEntry("disk", "big");
        admin(Surface.TOKEN)
                .labelMember(LabelMemberRequest.newBuilder()
                        .setNode("home")
                        .addLabels("disk-")
                        .build());
        assertThat(surface.placement.calls)
                .containsExactly("sync shop", "on shop [home] lazy [phone]", "list", "label member home [disk-]");
        assertThatThrownBy(() -> admin(Surface.TOKEN)
                        .placeApp(PlaceAppRequest.newBuilder().setApp("shop").build()))
                .hasMessageContaining("INVALID_ARGUMENT");

        EvictMemberRequest evict =
                EvictMemberRequest.newBuilder().setNode("phone").build();
        EvictMemberResponse evicted = admin(Surface.TOKEN).evictMember(evict);
        assertThat(evicted.getMembersCount()).isEqualTo(2);
        assertThat(evicted.getWarning()).isEqualTo(surface.swarm.status().warning());
        assertThat(surface.swarm.calls).contains("evict phone");
        RotateKeyResponse key = admin(Surface.TOKEN).rotateKey(RotateKeyRequest.getDefaultInstance());
        assertThat(key.getBefore().getId()).isEqualTo("node-a");
        assertThat(key.getAfter().getId()).isEqualTo("node-c");
        assertThat(surface.swarm.calls).contains("rotate key");

        surface.swarm.refusal = Refusal.NO_QUORUM;
        assertThatThrownBy(() -> admin(Surface.TOKEN).evictMember(evict))
                .hasMessageContaining("UNAVAILABLE")
                .hasMessageContaining("phone is missing");
        assertThatThrownBy(() -> admin(Surface.TOKEN)
                        .promoteMember(PromoteMemberRequest.newBuilder()
                                .setNode("phone")
                                .build()))
                .hasMessageContaining("UNAVAILABLE");
        assertThat(admin(Surface.TOKEN)
                        .getStatus(GetStatusRequest.getDefaultInstance())
                        .hasLeader())
                .isFalse();
    }

    @Test
    void makesJoinsAndLeavesSwarmsAsTheRestSurfaceDoes() {
        AdminServiceBlockingStub admin = admin(Surface.TOKEN);
        GetStatusResponse named =
                admin.initSwarm(InitSwarmRequest.newBuilder().setName("family").build());
        assertThat(named.getSwarm().getName()).isEqualTo("family");
        assertThat(named.getVersion()).isEqualTo("1.2.3");
        admin.initSwarm(InitSwarmRequest.getDefaultInstance());
        CreateTokenResponse token = admin.createToken(CreateTokenRequest.getDefaultInstance());
        assertThat(token.getToken()).isEqualTo("fazt1-text");
        assertThat(token.getWords()).isEqualTo("some words");
        assertThat(token.getExpiresAtSeconds()).isEqualTo(1_700_000_000);
        admin.createToken(CreateTokenRequest.newBuilder().setTtlSeconds(60).build());
        admin.joinSwarm(JoinSwarmRequest.newBuilder().setToken(" fazt1-a ").build());
        admin.joinSwarm(JoinSwarmRequest.newBuilder()
                .setToken("some words")
                .setObserver(true)
                .build());
        admin.leaveSwarm(LeaveSwarmRequest.getDefaultInstance());
        admin.leaveSwarm(LeaveSwarmRequest.newBuilder().setForce(true).build());
        assertThat(admin.recoverSwarm(
                                RecoverSwarmRequest.newBuilder().setForce(true).build())
                        .getConfigVersion())
                .isEqualTo(42);
        assertThat(surface.swarm.calls)
                .containsExactly(
                        "init family",
                        "init -",
                        "token PT15M",
                        "token PT1M",
                        "join fazt1-a",
                        "join some words as observer",
                        "leave",
                        "leave by force",
                        "recover");

        assertThatThrownBy(() -> admin.recoverSwarm(RecoverSwarmRequest.getDefaultInstance()))
                .hasMessageContaining("INVALID_ARGUMENT")
                .hasMessageContaining("set force");
        assertThatThrownBy(() -> admin.joinSwarm(JoinSwarmRequest.getDefaultInstance()))
                .hasMessageContaining("INVALID_ARGUMENT")
                .hasMessageContaining("set token");
        assertThat(surface.swarm.calls).hasSize(9);
        surface.swarm.refusal = Refusal.BAD_TOKEN;
        assertThatThrownBy(() -> admin.joinSwarm(
                        JoinSwarmRequest.newBuilder().setToken("fazt1-b").build()))
                .hasMessageContaining("no: phone is missing");
        assertThatThrownBy(() -> admin("wrong").leaveSwarm(LeaveSwarmRequest.getDefaultInstance()))
                .hasMessageContaining("UNAUTHENTICATED");
    }

    @Test
    void restoresAndDismissesConflictsAsTheRestSurfaceDoes() throws Exception {
        surface.deploy("blog", "index.html", "hello");
        LostWrite.happen(surface, folder, new Scope(surface.apps.require("blog").id()));
        AdminServiceBlockingStub admin = admin(Surface.TOKEN);
        ListConflictsResponse page = admin.listConflicts(
                ListConflictsRequest.newBuilder().setApp("blog").build());
        assertThat(page.getTotal()).isEqualTo(1);
        String id = page.getConflicts(0).getId();
        GetConflictResponse shown =
                admin.getConflict(GetConflictRequest.newBuilder().setId(id).build());
        assertThat(shown.getConflict().getLost().getValuesJson()).contains("mine");
        assertThat(shown.getPresent().getValuesJson()).contains("yours");
        assertThat(shown.getSettled()).isFalse();
        RestoreConflictResponse restored = admin.restoreConflict(
                RestoreConflictRequest.newBuilder().setId(id).build());
        assertThat(restored.getWritten()).isTrue();
        DismissConflictRequest kept = DismissConflictRequest.newBuilder()
                .setId(restored.getOverwritten().getId())
                .build();
        assertThat(admin.dismissConflict(kept).getDismissed()).isTrue();
        assertThat(admin.dismissConflict(kept).getDismissed()).isFalse();
        assertThatThrownBy(() -> admin.getConflict(
                        GetConflictRequest.newBuilder().setId("none").build()))
                .hasMessageContaining("NOT_FOUND")
                .hasMessageContaining("there is no conflict");
    }

    @Test
    void showsAndSetsLinksAsTheRestSurfaceDoes() {
        ListLinksResponse links = admin(Surface.TOKEN).listLinks(ListLinksRequest.getDefaultInstance());
        assertThat(links.getLinks(0).getLinkClass()).isEqualTo("relayed");
        assertThat(links.getLinks(0).getVia().getName()).isEqualTo("home");
        assertThat(links.getLinks(1).hasVia()).isFalse();
        assertThat(links.getLinks(1).getBudgetLeft()).isEqualTo(500);
        SetLinkRequest request = SetLinkRequest.newBuilder()
                .setPeer("default")
                .setKey("rate")
                .setValue("10mbit")
                .build();
        assertThat(admin(Surface.TOKEN).setLink(request).getSettings(0).getValue())
                .isEqualTo("1250000");
        assertThatThrownBy(() -> admin(Surface.TOKEN)
                        .setLink(request.toBuilder().setValue("0").build()))
                .hasMessageContaining("INVALID_ARGUMENT")
                .hasMessageContaining("rate of zero");
    }

    @Test
    void answersNobodyWithoutTheToken() {
        assertThatThrownBy(() -> admin("wrong").getStatus(GetStatusRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED));
        assertThatThrownBy(() -> HealthGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(10, TimeUnit.SECONDS)
                        .check(HealthCheckRequest.getDefaultInstance()))
                .hasMessageContaining("UNAUTHENTICATED");
    }

    @Test
    void saysThatItServes() {
        HealthCheckResponse health = HealthGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers(Surface.TOKEN)))
                .withDeadlineAfter(10, TimeUnit.SECONDS)
                .check(HealthCheckRequest.getDefaultInstance());

        assertThat(health.getStatus()).isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    }

    @Test
    void givesTheReasonOfAFailureItsCode() {
        swarm = () -> {
            throw new CartridgeException(CartridgeException.Reason.CLOSED, "stopping");
        };

        assertThatThrownBy(() -> admin(Surface.TOKEN).getStatus(GetStatusRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
    }
}
