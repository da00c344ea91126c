package sh.fazt.node;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.error.Refusal;

/** A swarm that agrees at once, or refuses everything as it is told. */
final class FakeSwarm implements SwarmControl {
    final List<String> calls = new ArrayList<>();
    final Map<String, String> names = new TreeMap<>();

    @Nullable
    Refusal refusal;

    Runnable listener = () -> {};

    private <T> CompletionStage<Outcome<T>> answer(String call, T value) {
        calls.add(call);
        return CompletableFuture.completedFuture(
                refusal == null ? new Outcome.Done<>(value) : new Outcome.Refused<>(refusal, "no: phone is missing"));
    }

    @Override
    public Status status() {
        Named self = new Named("node-a", "home");
        return new Status(
                new Named("swarm-1", "family"),
                self,
                refusal == Refusal.NO_QUORUM ? null : self,
                refusal != Refusal.NO_QUORUM,
                List.of(
                        new Member(self, "voter", "alive", "127.0.0.1:5698", null, null, null, "", 3, null),
                        new Member(
                                new Named("node-b", "phone"),
                                "voter",
                                "suspect",
                                "",
                                Duration.ofNanos(1_234_567),
                                Duration.ofMillis(2345),
                                new Lag(3, 4096),
                                "it speaks peer protocol 2 to 2, this node 1 to 1: update fazt on this node",
                                2,
                                new Figures("", -7, 3, 4096, Duration.ofSeconds(2), 1, 11, 12, 13, 14, 15, 16))),
                42,
                2,
                "2 voters need each other");
    }

    @Override
    public CompletionStage<Outcome<Status>> init(Optional<String> name) {
        return answer("init " + name.orElse("-"), status());
    }

    @Override
    public CompletionStage<Outcome<Token>> token(Duration timeToLive) {
        return answer(
                "token " + timeToLive, new Token("fazt1-text", "some words", Instant.ofEpochSecond(1_700_000_000)));
    }

    @Override
    public CompletionStage<Outcome<Status>> join(String token, boolean observer) {
        return answer("join " + token + (observer ? " as observer" : ""), status());
    }

    @Override
    public CompletionStage<Outcome<Status>> promote(String node) {
        return answer("promote " + node, status());
    }

    @Override
    public CompletionStage<Outcome<Status>> demote(String node) {
        return answer("demote " + node, status());
    }

    @Override
    public CompletionStage<Outcome<Status>> leave(boolean force) {
        return answer("leave" + (force ? " by force" : ""), status());
    }

    @Override
    public CompletionStage<Outcome<Status>> evict(String node, boolean force) {
        return answer("evict " + node + (force ? " by force" : ""), status());
    }

    @Override
    public CompletionStage<Outcome<NewKey>> rotateKey() {
        return answer("rotate key", new NewKey(new Named("node-a", "home"), new Named("node-c", "home")));
    }

    @Override
    public String evicted() {
        return "";
    }

    @Override
    public List<Parked> parked() {
        return List.of(new Parked("drawings: unknown table", 12));
    }

    @Override
    public HeldBack heldBack() {
        return new HeldBack(3, 300_000);
    }

    @Override
    public CompletionStage<Outcome<Status>> recover() {
        return answer("recover", status());
    }

    @Override
    public Time time() {
        Instant now = Instant.ofEpochSecond(1_700_000_000);
        return new Time(
                now,
                now.minusSeconds(7),
                -7000,
                true,
                List.of(new PeerClock(new Named("node-b", "phone"), -7000, Duration.ofNanos(1_234_567))));
    }

    @Override
    public CompletionStage<Outcome<Around>> discover() {
        return answer(
                "discover",
                new Around(
                        List.of(new Neighbour(new Named("node-b", "phone"), "abcd", "10.0.0.2:5698", true)),
                        new PortMapping("PCP", "203.0.113.1:5698", "")));
    }

    @Override
    public CompletionStage<Outcome<Boolean>> online(boolean online) {
        return answer("online " + online, online);
    }

    @Override
    public List<Alias> aliases() {
        return names.entrySet().stream()
                .map(name -> new Alias(name.getKey(), name.getValue()))
                .toList();
    }

    @Override
    public CompletionStage<Outcome<Alias>> setAlias(String name, String app) {
        if (refusal == null) {
            names.put(name, app);
        }
        return answer("set " + name, new Alias(name, app));
    }

    @Override
    public CompletionStage<Outcome<Alias>> removeAlias(String name) {
        if (refusal == null) {
            names.put(name, "");
        }
        return answer("remove " + name, new Alias(name, ""));
    }

    @Override
    public void listen(Runnable heard) {
        listener = heard;
    }
}
