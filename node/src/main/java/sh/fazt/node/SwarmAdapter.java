package sh.fazt.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkClass;
import sh.fazt.node.api.SwarmControl;
import sh.fazt.node.error.Refusal;
import sh.fazt.swarm.IssuedToken;
import sh.fazt.swarm.PeerFigures;
import sh.fazt.swarm.SurroundingsView;
import sh.fazt.swarm.Swarm;
import sh.fazt.swarm.SwarmException;
import sh.fazt.swarm.SwarmView;
import sh.fazt.swarm.TimeView;

/** The control plane's port to the swarm: what blocks there runs on {@code io} threads. Thread-safe. */
final class SwarmAdapter implements SwarmControl {
    private final Swarm swarm;
    private final Apps apps;
    private final Executor io;

    SwarmAdapter(Swarm swarm, Apps apps, Executor io) {
        this.swarm = swarm;
        this.apps = apps;
        this.io = io;
    }

    @Override
    public Status status() {
        return status(swarm.view());
    }

    private Status status(SwarmView view) {
        List<Member> members = new ArrayList<>();
        Map<NodeId, PeerFigures> peers = swarm.watch().peers();
        for (SwarmView.Member member : view.members()) {
            Long behind = member.behind();
            members.add(new Member(
                    named(member.node()),
                    member.role(),
                    member.state(),
                    member.address(),
                    member.roundTrip(),
                    member.sinceHeard(),
                    behind == null ? null : new Lag(behind, member.behindBytes()),
                    member.problem(),
                    member.schemaLevel(),
                    figures(peers.get(NodeId.parse(member.node().id())))));
        }
        SwarmView.Named leader = view.leader();
        return new Status(
                named(view.swarm()),
                named(view.self()),
                leader == null ? null : named(leader),
                view.quorum(),
                members,
                view.configVersion(),
                view.schemaLevel(),
                view.warning());
    }

    private static @Nullable Figures figures(@Nullable PeerFigures peer) {
        if (peer == null) {
            return null;
        }
        LinkClass linkClass = peer.link().linkClass();
        return new Figures(
                linkClass == null ? "" : linkClass.text(),
                peer.link().clockOffsetMillis(),
                peer.lag().behindRows(),
                peer.lag().behindBytes(),
                peer.lag().oldest(),
                peer.lag().ahead(),
                peer.counters().pushed(),
                peer.counters().received(),
                peer.counters().pulls(),
                peer.counters().failedPulls(),
                peer.link().faults() + peer.counters().offences(),
                peer.link().floods());
    }

    private static Named named(SwarmView.Named named) {
        return new Named(named.id(), named.name());
    }

    @Override
    public CompletionStage<Outcome<Status>> init(Optional<String> name) {
        return run(() -> status(swarm.init(name.orElse(null))));
    }

    @Override
    public CompletionStage<Outcome<Token>> token(Duration timeToLive) {
        return run(() -> {
            IssuedToken issued = swarm.token(timeToLive);
            return new Token(
                    issued.token().text(), String.join(" ", issued.token().words()), issued.expiresAt());
        });
    }

    @Override
    public CompletionStage<Outcome<Status>> join(String token, boolean observer) {
        return run(() -> status(swarm.join(token, observer)));
    }

    @Override
    public CompletionStage<Outcome<Status>> promote(String node) {
        return run(() -> status(swarm.promote(node)));
    }

    @Override
    public CompletionStage<Outcome<Status>> demote(String node) {
        return run(() -> status(swarm.demote(node)));
    }

    @Override
    public CompletionStage<Outcome<Status>> leave(boolean force) {
        return run(() -> status(swarm.leave(force, this::called)));
    }

    @Override
    public CompletionStage<Outcome<Status>> evict(String node, boolean force) {
        return run(() -> {
            Swarm.Evicted evicted = swarm.evict(node, force, this::called);
            Status status = status(evicted.view());
            return evicted.warning().isEmpty() ? status : status.warnedOf(evicted.warning());
        });
    }

    /** An app may be known by its placement only, where it is not kept. */
    private String called(Scope scope) {
        SwarmView.Named placed = swarm.placed(scope.id());
        return placed != null
                ? placed.name()
                : apps.find(scope.id()).map(App::name).orElse(scope.id());
    }

    @Override
    public CompletionStage<Outcome<NewKey>> rotateKey() {
        return run(() -> {
            Named before = named(swarm.view().self());
            return new NewKey(before, new Named(swarm.rotateKey().toString(), before.name()));
        });
    }

    @Override
    public String evicted() {
        return swarm.evicted();
    }

    @Override
    public List<Parked> parked() {
        return swarm.watch().parked().entrySet().stream()
                .map(parked -> new Parked(parked.getKey(), parked.getValue()))
                .toList();
    }

    @Override
    public HeldBack heldBack() {
        return heldBack(swarm);
    }

    static HeldBack heldBack(Swarm swarm) {
        return amount(swarm.heldBack().amount());
    }

    static HeldBack amount(Blobs.Amount amount) {
        return new HeldBack(amount.blobs(), amount.bytes());
    }

    @Override
    public CompletionStage<Outcome<Status>> recover() {
        return run(() -> status(swarm.recover()));
    }

    @Override
    public Time time() {
        TimeView time = swarm.time();
        List<PeerClock> peers = new ArrayList<>();
        time.peers()
                .forEach(peer -> peers.add(new PeerClock(named(peer.node()), peer.offsetMillis(), peer.roundTrip())));
        return new Time(time.now(), time.corrected(), time.offsetMillis(), time.correcting(), peers);
    }

    /** What of the swarm is not as it should be, for the owner. */
    static List<String> complaints(Swarm swarm, TimeView time) {
        List<String> complaints = new ArrayList<>();
        if (time.correcting()) {
            complaints.add(clockComplaint(time.offsetMillis()));
        }
        if (!swarm.evicted().isEmpty()) {
            complaints.add(swarm.evicted());
        }
        if (!swarm.tooOld().isEmpty()) {
            complaints.add(swarm.tooOld());
        }
        swarm.linkStates().forEach((member, link) -> {
            String other = link.otherProtocol();
            if (other != null) {
                complaints.add("member " + member.name() + " can't be linked: " + other);
            }
        });
        return complaints;
    }

    /** A clock that is off, for its owner. */
    private static String clockComplaint(long offsetMillis) {
        Duration off = Duration.ofMillis(Math.abs(offsetMillis));
        String much = off.toDays() > 1
                ? off.toDays() + " days"
                : off.toHours() > 1
                        ? off.toHours() + " hours"
                        : off.toMinutes() > 1 ? off.toMinutes() + " minutes" : off.toSeconds() + " seconds";
        return "clock off by " + much + ": this machine is " + (offsetMillis > 0 ? "behind" : "ahead of")
                + " its swarm; writes are stamped with the swarm's time meanwhile. Set its clock, see \"fazt time"
                + " status\"";
    }

    @Override
    public CompletionStage<Outcome<Around>> discover() {
        return run(() -> {
            SurroundingsView view = swarm.surroundings();
            List<Neighbour> nodes = new ArrayList<>();
            view.nodes()
                    .forEach(node ->
                            nodes.add(new Neighbour(named(node.node()), node.swarm(), node.address(), node.member())));
            return new Around(
                    nodes,
                    new PortMapping(
                            view.mapping().protocol(),
                            view.mapping().address(),
                            view.mapping().why()));
        });
    }

    @Override
    public CompletionStage<Outcome<Boolean>> online(boolean online) {
        return run(() -> {
            swarm.online(online);
            return online;
        });
    }

    @Override
    public List<Alias> aliases() {
        List<Alias> aliases = new ArrayList<>();
        swarm.aliases().forEach((name, app) -> aliases.add(new Alias(name, app)));
        return aliases;
    }

    @Override
    public CompletionStage<Outcome<Alias>> setAlias(String name, String app) {
        return run(() -> {
            swarm.alias(Apps.checkName(name), app);
            return new Alias(name, app);
        });
    }

    @Override
    public CompletionStage<Outcome<Alias>> removeAlias(String name) {
        return run(() -> {
            swarm.alias(Apps.checkName(name), "");
            return new Alias(name, "");
        });
    }

    @Override
    public void listen(Runnable listener) {
        swarm.listen(listener);
    }

    private <T> CompletionStage<Outcome<T>> run(Supplier<T> action) {
        return run(io, action);
    }

    /** Runs what may block, and names what is refused. */
    static <T> CompletionStage<Outcome<T>> run(Executor io, Supplier<T> action) {
        CompletableFuture<Outcome<T>> outcome = new CompletableFuture<>();
        try {
            io.execute(() -> {
                try {
                    outcome.complete(new Outcome.Done<>(action.get()));
                } catch (SwarmException e) {
                    outcome.complete(new Outcome.Refused<>(refusal(e.reason()), message(e)));
                } catch (RuntimeException e) {
                    outcome.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            outcome.complete(
                    new Outcome.Refused<>(Refusal.UNREACHABLE, "this node is too busy: try again in a moment"));
        }
        return outcome;
    }

    private static String message(SwarmException e) {
        @Nullable String message = e.getMessage();
        return message == null ? e.reason().name() : message;
    }

    private static Refusal refusal(SwarmException.Reason reason) {
        return switch (reason) {
            case NO_QUORUM -> Refusal.NO_QUORUM;
            case UNREACHABLE -> Refusal.UNREACHABLE;
            case TIMEOUT -> Refusal.TIMEOUT;
            case BAD_TOKEN -> Refusal.BAD_TOKEN;
            case IN_SWARM -> Refusal.IN_SWARM;
            case ALONE -> Refusal.ALONE;
            case NOT_FOUND -> Refusal.NOT_FOUND;
            case INVALID -> Refusal.INVALID;
            case CONFLICT -> Refusal.CONFLICT;
        };
    }
}
