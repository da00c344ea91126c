package sh.fazt.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkException;
import sh.fazt.link.Links;

class SimWorldTest {
    private static final Duration SOON = Duration.ofSeconds(3);
    private final SimWorld world = new SimWorld(7);
    private final NodeId a = world.node(0);
    private final NodeId b = world.node(1);

    @Test
    void timersRunInOrderOfTimeThenOfMaking() {
        List<String> ran = new ArrayList<>();
        world.schedule(Duration.ofSeconds(2), () -> ran.add("late"));
        world.schedule(Duration.ofSeconds(1), () -> ran.add("first"));
        world.schedule(Duration.ofSeconds(1), () -> ran.add("second"));
        SimTimer never = world.schedule(Duration.ofSeconds(1), () -> ran.add("never"));
        assertThat(never.cancel()).isTrue();
        world.run(Duration.ofSeconds(1));
        assertThat(ran).containsExactly("first", "second");
        assertThat(world.nanos()).isEqualTo(1_000_000_000L);
        assertThat(world.runUntil(() -> ran.size() == 3, Duration.ofSeconds(9))).isTrue();
        assertThat(world.nanos()).isEqualTo(2_000_000_000L);
        assertThat(never.cancel()).isFalse();
    }

    @Test
    void theSameSeedGivesTheSameHistory() {
        assertThat(history(42)).isEqualTo(history(42)).isNotEqualTo(history(43));
    }

    private static String history(long seed) {
        SimWorld world = new SimWorld(seed);
        world.network()
                .quality(LinkQuality.wan().withDrop(0.1).withDuplicate(0.1).withBreaks(0.05));
        StringBuilder log = new StringBuilder();
        List<Links> links = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            NodeId me = world.node(i);
            Links mine = world.network().linksOf(me);
            mine.handle(Channel.CHANGES, new Recorder(world, me, log));
            links.add(mine);
        }
        RandomGenerator random = world.random("test");
        for (int i = 0; i < 200; i++) {
            int from = random.nextInt(4);
            int to = (from + 1 + random.nextInt(3)) % 4;
            links.get(from).send(world.node(to), Channel.CHANGES, bytes("m" + i), SOON);
            world.run(Duration.ofMillis(random.nextInt(50)));
        }
        world.run(SOON);
        return log + world.traceText();
    }

    @Test
    void aCrashEndsTimersAndExecutorsAndAPauseDelaysThem() {
        List<Object> ran = new ArrayList<>();
        ScheduledFuture<?> first = world.executor(a)
                .scheduleAtFixedRate(() -> ran.add("a" + world.nanos() / 1_000_000), 100, 100, TimeUnit.MILLISECONDS);
        ScheduledFuture<?> second = world.executor(b)
                .scheduleWithFixedDelay(
                        () -> ran.add("b" + world.nanos() / 1_000_000), 150, 150, TimeUnit.MILLISECONDS);
        SimExecutor old = world.executor(a);
        world.run(Duration.ofMillis(210));
        assertThat(ran).containsExactly("a100", "b150", "a200");
        world.pause(a, Duration.ofMillis(300));
        world.crash(b);
        world.run(Duration.ofMillis(295));
        assertThat(ran).hasSize(3);
        world.run(Duration.ofMillis(10));
        assertThat(ran).containsExactly("a100", "b150", "a200", "a510", "a510", "a510");
        world.crash(a);
        world.restart(a);
        old.execute(() -> ran.add("a ghost"));
        world.executor(a).execute(() -> ran.add("new"));
        world.run(Duration.ofSeconds(1));
        assertThat(ran).hasSize(7).endsWith("new");
        assertThat(first.isDone() || second.isDone())
                .as("nobody is left to end them")
                .isFalse();
    }

    @Test
    void exceptionsOfScheduledTasksReachTheirFutureAndOthersEndTheRun() {
        var future = world.executor()
                .schedule(
                        () -> {
                            throw new IllegalStateException("no");
                        },
                        1,
                        TimeUnit.SECONDS);
        world.run(Duration.ofSeconds(2));
        assertThat(future.isDone()).isTrue();
        world.executor().execute(() -> {
            throw new IllegalStateException("out");
        });
        assertThatThrownBy(() -> world.run(Duration.ofSeconds(1))).hasMessage("out");
    }

    @Test
    void aChannelKeepsItsOrderAndAnAskIsAnswered() {
        StringBuilder log = new StringBuilder();
        Links from = world.network().linksOf(a);
        world.network().linksOf(b).handle(Channel.PULL, new Recorder(world, b, log));
        world.network().quality(LinkQuality.wan());
        for (int i = 0; i < 20; i++) {
            from.send(b, Channel.PULL, bytes(i + ","), SOON);
        }
        CompletionStage<byte[]> answer = from.ask(b, Channel.PULL, bytes("why"), SOON);
        world.run(SOON);
        assertThat(log.toString()).contains("0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,why");
        assertThat(answer.toCompletableFuture().join()).isEqualTo(bytes("answer to why"));
        assertThat(failure(from.ask(b, Channel.RAFT, bytes("x"), SOON)).reason())
                .isEqualTo(LinkException.Reason.REFUSED);
        assertThat(from.states()).singleElement().satisfies(state -> {
            assertThat(state.up()).isTrue();
            assertThat(state.peer()).isEqualTo(b);
        });
    }

    @Test
    void aCutHoldsBackOneWayAndHealingReleasesItUnlessTheLinkBroke() {
        StringBuilder log = new StringBuilder();
        Links atA = world.network().linksOf(a);
        Links atB = world.network().linksOf(b);
        List<String> heard = new ArrayList<>();
        atA.handle(Channel.SWARM, new Recorder(world, a, log));
        atB.handle(Channel.SWARM, new Recorder(world, b, log));
        atB.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                heard.add("up");
            }

            @Override
            public void down(NodeId peer, String reason) {
                heard.add("down");
            }
        });
        world.run(SOON);
        assertThat(heard).containsExactly("up");
        world.network().cut(a, b);
        atA.send(b, Channel.SWARM, bytes("held"), SOON);
        atB.send(a, Channel.SWARM, bytes("through"), SOON);
        world.run(Duration.ofSeconds(1));
        assertThat(log.toString()).isEqualTo("through");
        world.network().heal();
        world.run(Duration.ofSeconds(1));
        assertThat(log.toString()).isEqualTo("throughheld");
        world.network().cut(a, b);
        atA.send(b, Channel.SWARM, bytes("lost"), SOON);
        world.run(Duration.ofSeconds(10));
        assertThat(heard).containsExactly("up", "down");
        assertThat(failure(atA.send(b, Channel.SWARM, bytes("none"), SOON)).reason())
                .isEqualTo(LinkException.Reason.UNREACHABLE);
        world.network().heal();
        world.run(SOON);
        assertThat(heard).containsExactly("up", "down", "up");
        assertThat(log.toString()).isEqualTo("throughheld");
    }

    @Test
    void aCrashBreaksLinksAndAnAskUnderWay() {
        Links atA = world.network().linksOf(a);
        Links atB = world.network().linksOf(b);
        atB.handle(Channel.PULL, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {}

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return new CompletableFuture<>();
            }
        });
        world.run(SOON);
        CompletionStage<byte[]> slow = atA.ask(b, Channel.PULL, bytes("?"), Duration.ofMillis(100));
        assertThat(failure(slow).reason()).isEqualTo(LinkException.Reason.TIMEOUT);
        CompletionStage<byte[]> answer = atA.ask(b, Channel.PULL, bytes("?"), Duration.ofSeconds(9));
        world.run(Duration.ofMillis(100));
        world.crash(b);
        assertThat(failure(answer).reason()).isEqualTo(LinkException.Reason.BROKEN);
        assertThat(world.network().isUp(a, b)).isFalse();
        world.restart(b);
        world.network().linksOf(b);
        world.run(SOON);
        assertThat(world.network().isUp(a, b)).isTrue();
    }

    @Test
    void aFailureNamesTheSeedTheReplayAndTheTrace() {
        assertThatThrownBy(() -> SimSeeds.run("SomeSim#works", 99, simulated -> {
                    simulated.trace("%s did it", "someone");
                    throw new AssertionError("broken");
                }))
                .hasMessageContainingAll(
                        "seed 99: broken", "-Dtest='SomeSim#works'", "-Dsim.seed=99", "someone did it");
    }

    private LinkException failure(CompletionStage<?> stage) {
        List<Throwable> seen = new ArrayList<>();
        var unused = stage.whenComplete((value, error) -> seen.add(error));
        world.run(Duration.ofSeconds(4));
        assertThat(seen).singleElement().isInstanceOf(LinkException.class);
        return (LinkException) seen.get(0);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private record Recorder(SimWorld world, NodeId me, StringBuilder log) implements Links.Handler {
        @Override
        public void message(NodeId from, byte[] message) {
            log.append(new String(message, StandardCharsets.UTF_8));
        }

        @Override
        public CompletionStage<byte[]> request(NodeId from, byte[] request) {
            log.append(new String(request, StandardCharsets.UTF_8));
            return CompletableFuture.completedStage(bytes("answer to " + new String(request, StandardCharsets.UTF_8)));
        }
    }
}
