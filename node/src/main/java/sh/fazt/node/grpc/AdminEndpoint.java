package sh.fazt.node.grpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.protocol.admin.v1.AdminServiceGrpc;
import sh.fazt.protocol.admin.v1.GetStatusRequest;
import sh.fazt.protocol.admin.v1.GetStatusResponse;
import sh.fazt.protocol.admin.v1.Lag;
import sh.fazt.protocol.admin.v1.ListAppsRequest;
import sh.fazt.protocol.admin.v1.ListAppsResponse;
import sh.fazt.protocol.admin.v1.ListMembersRequest;
import sh.fazt.protocol.admin.v1.ListMembersResponse;
import sh.fazt.protocol.admin.v1.Member;
import sh.fazt.protocol.admin.v1.Named;

/** The same facts as the REST surface, for programs. Thread-safe; calls block. */
final class AdminEndpoint extends AdminServiceGrpc.AdminServiceImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(AdminEndpoint.class);

    private final Supplier<SwarmControl> swarm;
    private final Apps apps;
    private final String version;

    AdminEndpoint(Supplier<SwarmControl> swarm, Apps apps, String version) {
        this.swarm = swarm;
        this.apps = apps;
        this.version = version;
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> answer) {
        answer(answer, () -> {
            SwarmControl.Status status = swarm.get().status();
            GetStatusResponse.Builder response = GetStatusResponse.newBuilder()
                    .setSwarm(named(status.swarm()))
                    .setSelf(named(status.self()))
                    .setQuorum(status.quorum())
                    .setVersion(version);
            SwarmControl.Named leader = status.leader();
            if (leader != null) {
                response.setLeader(named(leader));
            }
            return response.build();
        });
    }

    @Override
    public void listMembers(ListMembersRequest request, StreamObserver<ListMembersResponse> answer) {
        answer(answer, () -> {
            ListMembersResponse.Builder response = ListMembersResponse.newBuilder();
            swarm.get().status().members().forEach(member -> response.addMembers(member(member)));
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

    private static Named named(SwarmControl.Named named) {
        return Named.newBuilder().setId(named.id()).setName(named.name()).build();
    }

    private static Member member(SwarmControl.Member member) {
        Member.Builder one = Member.newBuilder()
                .setNode(named(member.node()))
                .setRole(member.role())
                .setState(member.state())
                .setAddress(member.address());
        Duration roundTrip = member.roundTrip();
        if (roundTrip != null) {
            one.setRoundTripNanos(roundTrip.toNanos());
        }
        SwarmControl.Lag behind = member.behind();
        if (behind != null) {
            one.setBehind(Lag.newBuilder().setChanges(behind.changes()).setBytes(behind.bytes()));
        }
        return one.build();
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
