package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.protocol.consensus.v1.LeaseClock;
import sh.fazt.protocol.consensus.v1.LeaseReply;
import sh.fazt.protocol.consensus.v1.LeaseRequest;

/**
 * Leases in a world where anybody decides at any time by as much of the log as it has applied, proposals are late, nodes
 * sleep, start again and come back from copies: worse than any leader that Raft elects.
 */
class LeaseProperty {
    private static final int NODES = 3;

    private enum Kind {
        TAKE,
        RENEW,
        RELEASE,
        REVOKE,
        DELIVER,
        HEAR,
        PASS,
        SLEEP,
        RESTART,
        REOPEN,
        RECOVER
    }

    private record Step(Kind kind, int node, int holder, long amount) {}

    private static long ttl(Step step) {
        return 3000 + step.amount() % 1000 * 5;
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        Arbitrary<Kind> kinds = Arbitraries.frequency(
                net.jqwik.api.Tuple.of(8, Kind.TAKE),
                net.jqwik.api.Tuple.of(5, Kind.RENEW),
                net.jqwik.api.Tuple.of(1, Kind.RELEASE),
                net.jqwik.api.Tuple.of(1, Kind.REVOKE),
                net.jqwik.api.Tuple.of(14, Kind.DELIVER),
                net.jqwik.api.Tuple.of(10, Kind.HEAR),
                net.jqwik.api.Tuple.of(10, Kind.PASS),
                net.jqwik.api.Tuple.of(3, Kind.SLEEP),
                net.jqwik.api.Tuple.of(1, Kind.RESTART),
                net.jqwik.api.Tuple.of(1, Kind.REOPEN),
                net.jqwik.api.Tuple.of(1, Kind.RECOVER));
        return Combinators.combine(
                        kinds,
                        Arbitraries.integers().between(0, NODES - 1),
                        Arbitraries.integers().between(0, 2),
                        Arbitraries.longs().between(0, 4000))
                .as(Step::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(150);
    }

    @Property(tries = 3000)
    void nobodyGetsWhatAnotherMayStillHoldAndTokensGrow(@ForAll("histories") List<Step> steps) {
        World world = new World();
        steps.forEach(world::step);
    }

    /** Records as a node has applied them. */
    private static final class State implements LeaseDesk.Records {
        final Map<String, ConfigEntry> entries = new TreeMap<>();
        long version;

        State copy() {
            State copy = new State();
            copy.entries.putAll(entries);
            copy.version = version;
            return copy;
        }

        @Override
        public @Nullable ConfigEntry lease(String kind, String key) {
            return entries.get(kind + "/" + key);
        }

        @Override
        public List<ConfigEntry> leases() {
            return entries.values().stream()
                    .filter(entry -> entry.kind().equals(LeaseDesk.LEASE))
                    .toList();
        }

        /** As {@link ConfigStore} applies an entry of the log. */
        boolean apply(List<Op> ops) {
            version++;
            for (Op op : ops) {
                ConfigEntry now = lease(op.kind(), op.key());
                if ((now == null ? 0 : now.version()) != op.expected()) {
                    return false;
                }
            }
            for (Op op : ops) {
                byte[] value = op.value();
                if (value == null) {
                    entries.remove(op.kind() + "/" + op.key());
                } else {
                    entries.put(op.kind() + "/" + op.key(), new ConfigEntry(op.kind(), op.key(), version, value));
                }
            }
            return true;
        }
    }

    private static final class Node {
        State state = new State();
        int applied;
        long slept;
        LeaseDesk desk;

        Node(World world) {
            desk = desk(world);
        }

        LeaseDesk desk(World world) {
            return new LeaseDesk(
                    new LeaseDesk.Records() {
                        @Override
                        public @Nullable ConfigEntry lease(String kind, String key) {
                            return state.lease(kind, key);
                        }

                        @Override
                        public List<ConfigEntry> leases() {
                            return state.leases();
                        }
                    },
                    () -> (world.now - slept) * 1_000_000);
        }
    }

    /** @param sent when its holder began to count */
    private record Pending(
            Node node, LeaseDesk.Decision decision, LeaseRequest request, int holder, long sent, long ttl) {}

    private static final class World {
        long now = 1_000_000;
        State end = new State();
        final List<List<Op>> log = new ArrayList<>();
        final List<Node> nodes = new ArrayList<>();
        List<Pending> pending = new ArrayList<>();
        /** Until when a holder may believe that it holds, by token. */
        final Map<Long, Long> believes = new HashMap<>();

        final long[] tokens = new long[3];
        /** The greatest that was ever given, and that of whoever holds it by the log. */
        long highest;

        long current;
        int epoch = 1;

        World() {
            for (int i = 0; i < NODES; i++) {
                nodes.add(new Node(this));
            }
        }

        void step(Step step) {
            Node node = nodes.get(step.node());
            LeaseRequest.Builder request = LeaseRequest.newBuilder().setName("job");
            switch (step.kind()) {
                case TAKE ->
                    decide(
                            node,
                            step,
                            request.setTake(LeaseRequest.Take.newBuilder()
                                            .setHolder("holder" + step.holder())
                                            .setNode("node")
                                            .setTtlMs(ttl(step)))
                                    .build());
                case RENEW ->
                    decide(
                            node,
                            step,
                            request.setRenew(LeaseRequest.Renew.newBuilder()
                                            .setToken(tokens[step.holder()])
                                            .setTtlMs(ttl(step)))
                                    .build());
                case RELEASE -> {
                    believes.remove(tokens[step.holder()]);
                    decide(node, step, request.setRelease(tokens[step.holder()]).build());
                }
                case REVOKE -> decide(node, step, request.setRevoke(true).build());
                case DELIVER -> deliver(step);
                case HEAR -> hear(node, node.applied + 1 + (int) (step.amount() % 7));
                case PASS -> now += step.amount();
                case SLEEP -> {
                    now += step.amount();
                    node.slept += step.amount();
                }
                case RESTART -> node.desk = node.desk(this);
                case REOPEN -> survive(node, state -> LeaseDesk.reopened(state));
                case RECOVER -> {
                    epoch += 1 + (int) step.amount();
                    survive(node, state -> LeaseDesk.ofEpoch(state, epoch));
                }
            }
        }

        private void decide(Node node, Step step, LeaseRequest request) {
            LeaseDesk.Decision decision = node.desk.decide(request);
            if (!decision.ops().isEmpty()) {
                // The holder asked some time ago, while its node slept perhaps.
                pending.add(new Pending(node, decision, request, step.holder(), now - step.amount() % 300, ttl(step)));
            }
        }

        private void hear(Node node, int upTo) {
            while (node.applied < Math.min(upTo, log.size())) {
                node.state.apply(log.get(node.applied));
                node.applied++;
                node.desk.look();
            }
        }

        private void deliver(Step step) {
            if (pending.isEmpty()) {
                return;
            }
            Pending next = pending.remove((int) (step.amount() % pending.size()));
            log.add(next.decision().ops());
            if (!end.apply(next.decision().ops())) {
                return;
            }
            LeaseReply reply = next.decision().reply();
            long token = reply.getLease().getToken();
            if (next.node().applied == log.size() - 1) {
                hear(next.node(), log.size());
                next.node().desk.agreed(next.decision(), end.version);
            }
            switch (next.request().getWhatCase()) {
                case TAKE -> {
                    if (token != current) {
                        assertThat(token).as("a new holder's token").isGreaterThan(highest);
                        believes.forEach((other, until) -> assertThat(until)
                                .as("token %s was given while %s may hold", token, other)
                                .isLessThanOrEqualTo(now));
                        believes.clear();
                        highest = token;
                        current = token;
                    }
                    assertThat(reply.getLease().getHolder()).isEqualTo("holder" + next.holder());
                    tokens[next.holder()] = token;
                    believes.merge(token, next.sent() + next.ttl(), Math::max);
                }
                case RENEW -> {
                    assertThat(token).as("only the last holder renews").isEqualTo(current);
                    believes.merge(token, next.sent() + next.ttl(), Math::max);
                }
                default -> believes.clear();
            }
        }

        /** One node goes on alone by what it has; what the others have is gone, and who held by them is not asked. */
        private void survive(Node node, java.util.function.Function<@Nullable ConfigEntry, byte[]> clock) {
            ConfigEntry before = node.state.lease(LeaseDesk.CLOCK, LeaseDesk.CLOCK);
            if (before == null) {
                return;
            }
            end = node.state.copy();
            end.apply(List.of(Op.set(before, LeaseDesk.CLOCK, LeaseDesk.CLOCK, clock.apply(before))));
            log.clear();
            pending = new ArrayList<>();
            believes.clear();
            for (Node each : nodes) {
                each.state = end.copy();
                each.applied = 0;
                each.desk.forget();
                each.desk.look();
            }
            LeaseDesk.Running kept = node.desk.running().stream().findFirst().orElse(null);
            current = kept == null ? 0 : kept.lease().getToken();
        }
    }

    @Property(tries = 200)
    void timeInTheLogNeverGoesBack(@ForAll("histories") List<Step> steps) throws Exception {
        World world = new World();
        long last = 0;
        for (Step step : steps) {
            world.step(step);
            ConfigEntry clock = world.end.lease(LeaseDesk.CLOCK, LeaseDesk.CLOCK);
            if (step.kind() == Kind.REOPEN || step.kind() == Kind.RECOVER) {
                last = 0;
            }
            long time = clock == null ? 0 : LeaseClock.parseFrom(clock.value()).getNowMs();
            assertThat(time).isGreaterThanOrEqualTo(last);
            last = time;
        }
    }
}
