package sh.fazt.node.grpc;

import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.util.List;
import java.util.function.Supplier;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.api.ConflictDesk;
import sh.fazt.node.api.LeaseControl;
import sh.fazt.node.api.LinkControl;
import sh.fazt.node.api.PlacementControl;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.api.WatchControl;
import sh.fazt.node.auth.Auth;

/** The services of the swarm port and the gate before them. Immutable. */
public final class GrpcSurface {
    private final List<BindableService> services;
    private final List<ServerInterceptor> interceptors;

    /** @param swarm asked at each call, for the swarm is made with these services in it */
    public GrpcSurface(
            Supplier<SwarmControl> swarm,
            Supplier<? extends LinkControl> links,
            Supplier<? extends WatchControl> watch,
            Supplier<? extends PlacementControl> placement,
            Supplier<? extends LeaseControl> leases,
            ConflictDesk conflicts,
            Apps apps,
            Auth auth,
            String version) {
        services = List.of(
                new AdminEndpoint(swarm, links, watch, placement, leases, conflicts, apps, version),
                new HealthStatusManager().getHealthService(),
                ProtoReflectionServiceV1.newInstance());
        interceptors = List.of(new BearerGate(auth));
    }

    public List<BindableService> services() {
        return services;
    }

    /** In the order in which they are to stand around the services. */
    public List<ServerInterceptor> interceptors() {
        return interceptors;
    }
}
