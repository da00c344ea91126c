package sh.fazt.node.grpc;

import java.time.Duration;
import java.util.function.Supplier;
import sh.fazt.node.api.LeaseControl;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;
import sh.fazt.protocol.admin.v1.Lease;
import sh.fazt.protocol.admin.v1.ListLeasesResponse;
import sh.fazt.protocol.admin.v1.ReleaseLeaseRequest;
import sh.fazt.protocol.admin.v1.ReleaseLeaseResponse;
import sh.fazt.protocol.admin.v1.RenewLeaseRequest;
import sh.fazt.protocol.admin.v1.TakeLeaseRequest;

/** The part of {@link AdminEndpoint} that is about leases. Thread-safe; calls block. */
final class LeaseEndpoint {
    private final Supplier<? extends LeaseControl> leases;

    LeaseEndpoint(Supplier<? extends LeaseControl> leases) {
        this.leases = leases;
    }

    ListLeasesResponse list() {
        ListLeasesResponse.Builder response = ListLeasesResponse.newBuilder();
        AdminEndpoint.done(leases.get().leases()).forEach(lease -> response.addLeases(lease(lease)));
        return response.build();
    }

    Lease take(TakeLeaseRequest request) {
        String holder = request.getHolder().isEmpty() ? null : request.getHolder();
        return lease(AdminEndpoint.done(
                leases.get().take(request.getName(), ttl(request.hasTtlMs(), request.getTtlMs()), holder)));
    }

    Lease renew(RenewLeaseRequest request) {
        return lease(AdminEndpoint.done(leases.get()
                .renew(request.getName(), request.getToken(), ttl(request.hasTtlMs(), request.getTtlMs()))));
    }

    ReleaseLeaseResponse release(ReleaseLeaseRequest request) {
        LeaseControl control = leases.get();
        if (!request.hasToken() && !request.getForce()) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "MISSING_FIELD",
                    "a lease is released by its holder with the token, or taken from whoever holds it with force: say"
                            + " one of them");
        }
        LeaseControl.Release done = AdminEndpoint.done(
                request.hasToken()
                        ? control.release(request.getName(), request.getToken())
                        : control.revoke(request.getName()));
        return ReleaseLeaseResponse.newBuilder()
                .setReleased(done.released())
                .setMessage(done.text())
                .build();
    }

    private static Duration ttl(boolean given, long millis) {
        return given ? Duration.ofMillis(millis) : LeaseControl.USUAL;
    }

    private static Lease lease(LeaseControl.Lease lease) {
        return Lease.newBuilder()
                .setName(lease.name())
                .setHolder(lease.holder())
                .setNode(AdminEndpoint.named(lease.node()))
                .setToken(lease.token())
                .setTtlMs(lease.ttl().toMillis())
                .setLeftMs(lease.left().toMillis())
                .build();
    }
}
