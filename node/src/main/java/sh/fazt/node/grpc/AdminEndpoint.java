package sh.fazt.node.grpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.api.ConflictDesk;
import sh.fazt.node.api.LeaseControl;
import sh.fazt.node.api.LinkControl;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.api.WatchControl;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc;
import sh.fazt.protocol.admin.v1.ClockOfPeer;
import sh.fazt.protocol.admin.v1.CreateTokenRequest;
import sh.fazt.protocol.admin.v1.CreateTokenResponse;
import sh.fazt.protocol.admin.v1.DemoteMemberRequest;
import sh.fazt.protocol.admin.v1.DemoteMemberResponse;
import sh.fazt.protocol.admin.v1.Discovered;
import sh.fazt.protocol.admin.v1.DismissConflictRequest;
import sh.fazt.protocol.admin.v1.DismissConflictResponse;
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
import sh.fazt.protocol.admin.v1.HeldBack;
import sh.fazt.protocol.admin.v1.InitSwarmRequest;
import sh.fazt.protocol.admin.v1.JoinSwarmRequest;
import sh.fazt.protocol.admin.v1.LabelMemberRequest;
import sh.fazt.protocol.admin.v1.Lease;
import sh.fazt.protocol.admin.v1.LeaveSwarmRequest;
import sh.fazt.protocol.admin.v1.Link;
import sh.fazt.protocol.admin.v1.LinkSetting;
import sh.fazt.protocol.admin.v1.ListAppsRequest;
import sh.fazt.protocol.admin.v1.ListAppsResponse;
import sh.fazt.protocol.admin.v1.ListConflictsRequest;
import sh.fazt.protocol.admin.v1.ListConflictsResponse;
import sh.fazt.protocol.admin.v1.ListDiscoveredRequest;
import sh.fazt.protocol.admin.v1.ListDiscoveredResponse;
import sh.fazt.protocol.admin.v1.ListEventsRequest;
import sh.fazt.protocol.admin.v1.ListEventsResponse;
import sh.fazt.protocol.admin.v1.ListLeasesRequest;
import sh.fazt.protocol.admin.v1.ListLeasesResponse;
import sh.fazt.protocol.admin.v1.ListLinksRequest;
import sh.fazt.protocol.admin.v1.ListLinksResponse;
import sh.fazt.protocol.admin.v1.ListMembersRequest;
import sh.fazt.protocol.admin.v1.ListMembersResponse;
import sh.fazt.protocol.admin.v1.ListPlacementsRequest;
import sh.fazt.protocol.admin.v1.ListPlacementsResponse;
import sh.fazt.protocol.admin.v1.Named;
import sh.fazt.protocol.admin.v1.PlaceAppRequest;
import sh.fazt.protocol.admin.v1.PortMapping;
import sh.fazt.protocol.admin.v1.PromoteMemberRequest;
import sh.fazt.protocol.admin.v1.PromoteMemberResponse;
import sh.fazt.protocol.admin.v1.RecoverSwarmRequest;
import sh.fazt.protocol.admin.v1.ReleaseLeaseRequest;
import sh.fazt.protocol.admin.v1.ReleaseLeaseResponse;
import sh.fazt.protocol.admin.v1.RenewLeaseRequest;
import sh.fazt.protocol.admin.v1.RestoreConflictRequest;
import sh.fazt.protocol.admin.v1.RestoreConflictResponse;
import sh.fazt.protocol.admin.v1.RotateKeyRequest;
import sh.fazt.protocol.admin.v1.RotateKeyResponse;
import sh.fazt.protocol.admin.v1.SetLinkRequest;
import sh.fazt.protocol.admin.v1.SetLinkResponse;
import sh.fazt.protocol.admin.v1.SyncRequest;
import sh.fazt.protocol.admin.v1.SyncResponse;
import sh.fazt.protocol.admin.v1.TakeLeaseRequest;
import sh.fazt.protocol.admin.v1.VerifyRequest;
import sh.fazt.protocol.admin.v1.VerifyResponse;

/** The same facts as the REST surface, for programs. Thread-safe; calls block. */
final class AdminEndpoint extends AdminServiceGrpc.AdminServiceImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(AdminEndpoint.class);

    private final Supplier<SwarmControl> swarm;
    private final Supplier<? extends LinkControl> links;
    private final ConflictDesk conflicts;
    private final Apps apps;
    private final MemberEndpoint members;
    private final WatchEndpoint watch;
    private final PlacementEndpoint placement;
    private final LeaseEndpoint leases;

    AdminEndpoint(
            Supplier<SwarmControl> swarm,
            Supplier<? extends LinkControl> links,
            Supplier<? extends WatchControl> watch,
            Supplier<? extends PlacementControl> placement,
            Supplier<? extends LeaseControl> leases,
            ConflictDesk conflicts,
            Apps apps,
            String version) {
        this.members = new MemberEndpoint(swarm, conflicts, version);
        this.watch = new WatchEndpoint(watch);
        this.placement = new PlacementEndpoint(placement);
        this.leases = new LeaseEndpoint(leases);
        this.swarm = swarm;
        this.links = links;
        this.conflicts = conflicts;
        this.apps = apps;
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> answer) {
        answer(answer, members::status);
    }

    @Override
    public void listMembers(ListMembersRequest request, StreamObserver<ListMembersResponse> answer) {
        answer(answer, members::list);
    }

    @Override
    public void initSwarm(InitSwarmRequest request, StreamObserver<GetStatusResponse> answer) {
        answer(answer, () -> members.init(request));
    }

    @Override
    public void createToken(CreateTokenRequest request, StreamObserver<CreateTokenResponse> answer) {
        answer(answer, () -> members.token(request));
    }

    @Override
    public void joinSwarm(JoinSwarmRequest request, StreamObserver<GetStatusResponse> answer) {
        // It may go on for half an hour: no thread waits for it.
        CompletionStage<GetStatusResponse> stage =
                CompletableFuture.completedStage(request).thenCompose(members::join);
        stage.whenComplete((status, failed) -> answer(answer, () -> joined(stage)));
    }

    @Override
    public void leaveSwarm(LeaveSwarmRequest request, StreamObserver<GetStatusResponse> answer) {
        answer(answer, () -> members.leave(request));
    }

    @Override
    public void recoverSwarm(RecoverSwarmRequest request, StreamObserver<GetStatusResponse> answer) {
        answer(answer, () -> members.recover(request));
    }

    @Override
    public void promoteMember(PromoteMemberRequest request, StreamObserver<PromoteMemberResponse> answer) {
        answer(answer, () -> members.promote(request));
    }

    @Override
    public void demoteMember(DemoteMemberRequest request, StreamObserver<DemoteMemberResponse> answer) {
        answer(answer, () -> members.demote(request));
    }

    @Override
    public void evictMember(EvictMemberRequest request, StreamObserver<EvictMemberResponse> answer) {
        answer(answer, () -> members.evict(request));
    }

    @Override
    public void rotateKey(RotateKeyRequest request, StreamObserver<RotateKeyResponse> answer) {
        answer(answer, members::rotateKey);
    }

    @Override
    public void listPlacements(ListPlacementsRequest request, StreamObserver<ListPlacementsResponse> answer) {
        answer(answer, placement::list);
    }

    @Override
    public void placeApp(PlaceAppRequest request, StreamObserver<ListPlacementsResponse> answer) {
        answer(answer, () -> placement.place(request));
    }

    @Override
    public void labelMember(LabelMemberRequest request, StreamObserver<ListPlacementsResponse> answer) {
        answer(answer, () -> placement.label(request));
    }

    @Override
    public void listLeases(ListLeasesRequest request, StreamObserver<ListLeasesResponse> answer) {
        answer(answer, leases::list);
    }

    @Override
    public void takeLease(TakeLeaseRequest request, StreamObserver<Lease> answer) {
        answer(answer, () -> leases.take(request));
    }

    @Override
    public void renewLease(RenewLeaseRequest request, StreamObserver<Lease> answer) {
        answer(answer, () -> leases.renew(request));
    }

    @Override
    public void releaseLease(ReleaseLeaseRequest request, StreamObserver<ReleaseLeaseResponse> answer) {
        answer(answer, () -> leases.release(request));
    }

    @Override
    public void sync(SyncRequest request, StreamObserver<SyncResponse> answer) {
        answer(answer, () -> placement.sync(request));
    }

    @Override
    public void getSync(GetSyncRequest request, StreamObserver<SyncResponse> answer) {
        answer(answer, placement::syncing);
    }

    @Override
    public void listLinks(ListLinksRequest request, StreamObserver<ListLinksResponse> answer) {
        answer(answer, () -> {
            LinkControl.Links now = links.get().links();
            ListLinksResponse.Builder response = ListLinksResponse.newBuilder();
            now.links().forEach(link -> response.addLinks(link(link)));
            now.settings().forEach(setting -> response.addSettings(setting(setting)));
            return response.setHeldBack(heldBack(now.heldBack())).build();
        });
    }

    static HeldBack heldBack(SwarmControl.HeldBack held) {
        return HeldBack.newBuilder()
                .setBlobs(held.blobs())
                .setBytes(held.bytes())
                .build();
    }

    @Override
    public void setLink(SetLinkRequest request, StreamObserver<SetLinkResponse> answer) {
        answer(answer, () -> {
            SwarmControl.Outcome<LinkControl.Links> outcome = links.get()
                    .set(request.getPeer(), request.getKey(), request.getValue())
                    .toCompletableFuture()
                    .join();
            if (outcome instanceof SwarmControl.Outcome.Refused<LinkControl.Links> refused) {
                Problem problem = Problem.of(refused.reason(), refused.message());
                throw new Problem.Thrown(problem.kind(), problem.code(), problem.message());
            }
            SetLinkResponse.Builder response = SetLinkResponse.newBuilder();
            ((SwarmControl.Outcome.Done<LinkControl.Links>) outcome)
                    .value()
                    .settings()
                    .forEach(setting -> response.addSettings(setting(setting)));
            return response.build();
        });
    }

    @Override
    public void listApps(ListAppsRequest request, StreamObserver<ListAppsResponse> answer) {
        answer(answer, () -> {
            ListAppsResponse.Builder response = ListAppsResponse.newBuilder();
            apps.list().forEach(app -> response.addApps(app(app)));
            return response.build();
        });
    }

    @Override
    public void getTime(GetTimeRequest request, StreamObserver<GetTimeResponse> answer) {
        answer(answer, () -> {
            SwarmControl.Time time = swarm.get().time();
            GetTimeResponse.Builder response = GetTimeResponse.newBuilder()
                    .setNowMillis(time.now().toEpochMilli())
                    .setCorrectedMillis(time.corrected().toEpochMilli())
                    .setOffsetMillis(time.offsetMillis())
                    .setCorrecting(time.correcting());
            time.peers()
                    .forEach(peer -> response.addPeers(ClockOfPeer.newBuilder()
                            .setNode(named(peer.node()))
                            .setOffsetMillis(peer.offsetMillis())
                            .setRoundTripNanos(peer.roundTrip().toNanos())));
            return response.build();
        });
    }

    @Override
    public void listDiscovered(ListDiscoveredRequest request, StreamObserver<ListDiscoveredResponse> answer) {
        answer(answer, () -> {
            SwarmControl.Around around = done(swarm.get().discover());
            ListDiscoveredResponse.Builder response = ListDiscoveredResponse.newBuilder();
            around.nodes()
                    .forEach(node -> response.addNodes(Discovered.newBuilder()
                            .setNode(named(node.node()))
                            .setSwarm(node.swarm())
                            .setAddress(node.address())
                            .setMember(node.member())));
            return response.setPortMapping(PortMapping.newBuilder()
                            .setProtocol(around.mapping().protocol())
                            .setAddress(around.mapping().address())
                            .setWhy(around.mapping().why()))
                    .build();
        });
    }

    @Override
    public void verify(VerifyRequest request, StreamObserver<VerifyResponse> answer) {
        answer(answer, () -> watch.verify(request));
    }

    @Override
    public void listEvents(ListEventsRequest request, StreamObserver<ListEventsResponse> answer) {
        answer(answer, () -> watch.events(request));
    }

    @Override
    public void watchEvents(ListEventsRequest request, StreamObserver<Event> answer) {
        watch.watch(request, answer);
    }

    @Override
    public void listConflicts(ListConflictsRequest request, StreamObserver<ListConflictsResponse> answer) {
        answer(
                answer,
                () -> ConflictForms.page(conflicts.page(
                        request.getApp(), request.getOffset(), request.hasLimit() ? request.getLimit() : 100)));
    }

    @Override
    public void getConflict(GetConflictRequest request, StreamObserver<GetConflictResponse> answer) {
        answer(answer, () -> ConflictForms.shown(conflicts.show(request.getId())));
    }

    @Override
    public void restoreConflict(RestoreConflictRequest request, StreamObserver<RestoreConflictResponse> answer) {
        answer(answer, () -> ConflictForms.restored(joined(conflicts.restore(request.getId()))));
    }

    @Override
    public void dismissConflict(DismissConflictRequest request, StreamObserver<DismissConflictResponse> answer) {
        answer(
                answer,
                () -> DismissConflictResponse.newBuilder()
                        .setDismissed(joined(conflicts.dismiss(request.getId()))
                                .get("dismissed")
                                .asBoolean())
                        .build());
    }

    private static <T> T joined(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    static <T> T done(CompletionStage<Outcome<T>> stage) {
        return done(stage.toCompletableFuture().join());
    }

    static <T> T done(Outcome<T> outcome) {
        if (outcome instanceof Outcome.Refused<T> refused) {
            throw new Problem.Thrown(Problem.of(refused.reason(), refused.message()));
        }
        return ((Outcome.Done<T>) outcome).value();
    }

    private static <T> void answer(StreamObserver<T> answer, Supplier<T> call) {
        T value;
        try {
            value = call.get();
        } catch (RuntimeException e) {
            Problem problem = Problem.of(e);
            if (problem.kind() == Kind.INTERNAL) {
                LOG.error("a call failed", e);
            }
            answer.onError(Status.fromCode(problem.kind().grpc())
                    .withDescription(problem.message())
                    .asRuntimeException());
            return;
        }
        answer.onNext(value);
        answer.onCompleted();
    }

    static Named named(SwarmControl.Named named) {
        return Named.newBuilder().setId(named.id()).setName(named.name()).build();
    }

    private static Link link(LinkControl.Link link) {
        String linkClass = link.linkClass();
        String lastError = link.lastError();
        Link.Builder one = Link.newBuilder()
                .setPeer(named(link.peer()))
                .setUp(link.up())
                .setLinkClass(linkClass == null ? "" : linkClass)
                .setAddress(link.address())
                .setDialled(link.dialled())
                .setClockOffsetMillis(link.clockOffsetMillis())
                .setSentBytes(link.sentBytes())
                .setReceivedBytes(link.receivedBytes())
                .setSentBytesPerSecond(link.sentRate())
                .setReceivedBytesPerSecond(link.receivedRate())
                .setFaults(link.faults())
                .setLastError(lastError == null ? "" : lastError);
        SwarmControl.Named via = link.via();
        if (via != null) {
            one.setVia(named(via));
        }
        Duration roundTrip = link.roundTrip();
        if (roundTrip != null) {
            one.setRoundTripNanos(roundTrip.toNanos());
        }
        Long rate = link.rateLimit();
        if (rate != null) {
            one.setRateLimit(rate);
        }
        Long left = link.budgetLeft();
        if (left != null) {
            one.setBudgetLeft(left);
        }
        return one.build();
    }

    private static LinkSetting setting(LinkControl.Setting setting) {
        return LinkSetting.newBuilder()
                .setPeer(named(setting.of()))
                .setKey(setting.key())
                .setValue(setting.value())
                .build();
    }

    private static sh.fazt.protocol.admin.v1.App app(App app) {
        String release = app.release();
        return sh.fazt.protocol.admin.v1.App.newBuilder()
                .setId(app.id())
                .setName(app.name())
                .setRelease(release == null ? "" : release)
                .setFiles(app.files())
                .setBytes(app.bytes())
                .setUpdatedAtMillis(app.updatedAt().toEpochMilli())
                .build();
    }
}
