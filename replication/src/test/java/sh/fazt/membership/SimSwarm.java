package sh.fazt.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimWorld;

/** Nodes that run membership in a simulated world, with what the checkers need to know of them. */
final class SimSwarm {
    final SimWorld world;
    final List<NodeId> ids = new ArrayList<>();
    private final MembershipConfig config;
    private final Maker maker;
    private final Map<NodeId, MemberMetadata> admitted = new LinkedHashMap<>();
    private final Map<NodeId, MembershipService> services = new LinkedHashMap<>();
    /** Who was held for dead by whom, ever: {@code n1 says n2}. */
    final Set<String> deadVerdicts = new LinkedHashSet<>();

    private int boots;
    private boolean changed;

    /** How long the last {@link #within} took. */
    Duration took = Duration.ZERO;

    /** Makes a node's membership: the real one, or one with a planted bug. */
    interface Maker {
        Membership make(
                NodeId self, MemberMetadata metadata, long incarnation, SimWorld world, MembershipConfig config);
    }

    SimSwarm(SimWorld world, int nodes, MembershipConfig config, Maker maker) {
        this.world = world;
        this.config = config;
        this.maker = maker;
        for (int i = 0; i < nodes; i++) {
            ids.add(world.node(i));
            admitted.put(world.node(i), MemberMetadata.named("n" + i));
        }
    }

    static Membership real(
            NodeId self, MemberMetadata metadata, long incarnation, SimWorld world, MembershipConfig config) {
        return new Membership(self, metadata, incarnation, config, world.random(), world.nanos());
    }

    void startAll() {
        ids.forEach(this::start);
    }

    void start(NodeId id) {
        world.restart(id);
        Links links = world.network().linksOf(id);
        SimExecutor swarm = world.executor(id);
        // Not the clock's seconds: a restarted node has to learn of its earlier life from the others.
        Membership membership = maker.make(
                id,
                new MemberMetadata(world.name(id), "h:" + boots++, List.of(world.name(id) + ":4000"), "1", Map.of()),
                1,
                world,
                config);
        MembershipService service =
                new MembershipService(membership, config, links, swarm, world.clock(id), world.nanoClock());
        Map<NodeId, Long> highest = new LinkedHashMap<>();
        service.listen(snapshot -> {
            changed = true;
            for (MembersSnapshot.Seen seen : snapshot.others()) {
                MemberState state = seen.member().state();
                long incarnation = seen.member().incarnation();
                Long before = highest.put(seen.member().id(), incarnation);
                if (before != null && before > incarnation) {
                    throw new AssertionError(world.name(id) + " held "
                            + world.name(seen.member().id()) + " for @" + before + " and goes back to @" + incarnation);
                }
                if (state != MemberState.ALIVE) {
                    world.trace(
                            "%s holds %s for %s@%s",
                            world.name(id), world.name(seen.member().id()), state, incarnation);
                }
                if (state == MemberState.DEAD) {
                    deadVerdicts.add(
                            world.name(id) + " says " + world.name(seen.member().id()));
                }
            }
        });
        services.put(id, service);
        service.admitted(admitted);
    }

    MembershipService service(NodeId id) {
        MembershipService service = services.get(id);
        if (service == null) {
            throw new IllegalStateException(world.name(id) + " was never started");
        }
        return service;
    }

    /** Whether every running node believes this of the subject. */
    boolean allSay(NodeId subject, MemberState state) {
        return ids.stream()
                .filter(id -> world.isUp(id) && !id.equals(subject))
                .allMatch(id -> service(id)
                        .snapshot()
                        .state(subject)
                        .filter(state::equals)
                        .isPresent());
    }

    /** Whether every running node holds every running node for alive, and agrees on incarnation and metadata. */
    boolean allAliveAndAgreed() {
        for (NodeId subject : ids) {
            if (!world.isUp(subject)) {
                continue;
            }
            Member own = service(subject).snapshot().self();
            for (NodeId id : ids) {
                if (!world.isUp(id) || id.equals(subject)) {
                    continue;
                }
                if (service(id)
                        .snapshot()
                        .other(subject)
                        .filter(seen -> seen.member().equals(own))
                        .isEmpty()) {
                    return false;
                }
            }
        }
        return true;
    }

    /** How many verdicts the running nodes have reached by themselves. */
    long deaths() {
        return services.values().stream()
                .mapToLong(service -> service.snapshot().counters().deaths())
                .sum();
    }

    /** Fails unless the condition comes true in time; says what every node believes then. */
    void within(Duration limit, String what, BooleanSupplier condition) {
        long start = world.nanos();
        changed = true;
        BooleanSupplier whenChanged = () -> {
            boolean look = changed;
            changed = false;
            return look && condition.getAsBoolean();
        };
        if (!world.runUntil(whenChanged, limit)) {
            throw new AssertionError(what + ": not within " + limit + "\n" + table());
        }
        took = Duration.ofNanos(world.nanos() - start);
    }

    String table() {
        StringBuilder text = new StringBuilder();
        for (NodeId id : ids) {
            text.append(world.name(id))
                    .append(world.isUp(id) ? " up  " : " down")
                    .append(" says");
            for (NodeId other : ids) {
                MembershipService service = services.get(id);
                if (service != null) {
                    service.snapshot()
                            .other(other)
                            .ifPresent(seen -> text.append(' ')
                                    .append(world.name(other))
                                    .append('=')
                                    .append(seen.member().state())
                                    .append('@')
                                    .append(seen.member().incarnation()));
                }
            }
            text.append('\n');
        }
        return text.toString();
    }
}
