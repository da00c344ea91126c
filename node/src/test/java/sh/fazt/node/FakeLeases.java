package sh.fazt.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.LeaseControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.node.error.Refusal;

/** One lease that is had by whoever asks, or by nobody, as it is told. */
final class FakeLeases implements LeaseControl {
    final List<String> calls = new ArrayList<>();

    @Nullable
    Refusal refusal;

    private <T> CompletionStage<Outcome<T>> answer(String call, T done) {
        calls.add(call);
        return CompletableFuture.completedFuture(
                refusal == null
                        ? new Outcome.Done<>(done)
                        : new Outcome.Refused<>(refusal, "no: held by job-1 through home"));
    }

    private static Lease lease(String name) {
        return new Lease(
                name,
                "job-1",
                new Named("node-a", "home"),
                281_474_976_710_657L,
                Duration.ofSeconds(30),
                Duration.ofMillis(12_345));
    }

    @Override
    public CompletionStage<Outcome<List<Lease>>> leases() {
        return answer("list", List.of(lease("nightly")));
    }

    @Override
    public CompletionStage<Outcome<Lease>> take(String name, Duration ttl, @Nullable String holder) {
        return answer("take " + name + " " + ttl + " " + holder, lease(name));
    }

    @Override
    public CompletionStage<Outcome<Lease>> renew(String name, long token, Duration ttl) {
        return answer("renew " + name + " " + token + " " + ttl, lease(name));
    }

    @Override
    public CompletionStage<Outcome<Release>> release(String name, long token) {
        return answer("release " + name + " " + token, new Release(false, "nothing was released"));
    }

    @Override
    public CompletionStage<Outcome<Release>> revoke(String name) {
        return answer("revoke " + name, new Release(true, "it is free"));
    }
}
