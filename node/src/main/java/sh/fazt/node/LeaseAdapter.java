package sh.fazt.node;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.LeaseControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.swarm.Leases;
import sh.fazt.swarm.Swarm;

/** The control plane's port to leases: what blocks runs on {@code io} threads. Thread-safe. */
final class LeaseAdapter implements LeaseControl {
    private final Swarm swarm;
    private final Executor io;

    LeaseAdapter(Swarm swarm, Executor io) {
        this.swarm = swarm;
        this.io = io;
    }

    @Override
    public CompletionStage<Outcome<List<Lease>>> leases() {
        return SwarmAdapter.run(
                io, () -> swarm.leases().list().stream().map(LeaseAdapter::form).toList());
    }

    @Override
    public CompletionStage<Outcome<Lease>> take(String name, Duration ttl, @Nullable String holder) {
        return SwarmAdapter.run(io, () -> form(swarm.leases().take(name, ttl, holder)));
    }

    @Override
    public CompletionStage<Outcome<Lease>> renew(String name, long token, Duration ttl) {
        return SwarmAdapter.run(io, () -> form(swarm.leases().renew(name, token, ttl)));
    }

    @Override
    public CompletionStage<Outcome<Release>> release(String name, long token) {
        return SwarmAdapter.run(io, () -> form(swarm.leases().release(name, token)));
    }

    @Override
    public CompletionStage<Outcome<Release>> revoke(String name) {
        return SwarmAdapter.run(io, () -> form(swarm.leases().revoke(name)));
    }

    private static Lease form(Leases.Lease lease) {
        return new Lease(
                lease.name(),
                lease.holder(),
                new Named(lease.node().id(), lease.node().name()),
                lease.token(),
                lease.ttl(),
                lease.left());
    }

    private static Release form(Leases.Release release) {
        return new Release(release.released(), release.text());
    }
}
