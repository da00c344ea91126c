package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.identity.NodeId;
import sh.fazt.sim.LinkQuality;
import sh.fazt.sim.MemorySpool;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimSeeds;
import sh.fazt.sim.SimWorld;

/** Transactions that travel in hundreds of pieces, over links that break under way, to nodes whose disks are bad. */
class PullSim {
    /** The rows of a large transaction, all of one value. */
    private static final List<String> MANY =
            IntStream.range(0, 300).mapToObj(number -> "k" + number).toList();

    @Test
    void whatIsCutMidwayComesWholeOrNotYet() {
        SimSeeds.each("PullSim#whatIsCutMidwayComesWholeOrNotYet", 200, world -> new Run(world).run(Set.of()));
    }

    @Test
    void aPullThatIsAppliedBeforeItIsWholeIsFound() {
        assertThat(SimSeeds.firstFailure(200, world -> new Run(world).run(Set.of(MemoryReplica.Bug.TORN_PULL))))
                .isPresent();
    }

    private static final class Run {
        private final SimWorld world;
        private final RandomGenerator random;
        private final List<Member> members = new ArrayList<>();
        private final List<String> notices = new ArrayList<>();
        private int value;
        /** How often a write to a scratch file is full, and how often it damages what it writes. */
        private double full;

        private double damages;

        Run(SimWorld world) {
            this.world = world;
            this.random = world.random("pulls");
        }

        private final class Member {
            final NodeId id;
            final MemoryReplica replica;
            SyncService sync;

            Member(int number, Set<MemoryReplica.Bug> bugs) {
                id = world.node(number);
                replica = new MemoryReplica(new Origin(id, 1), new HybridClock(world.clock(id)), bugs);
                replica.scratch = () -> new BadDisk(MemorySpool.scratch());
                boot();
            }

            void boot() {
                SimExecutor swarm = world.executor(id);
                sync = new SyncService(
                        replica,
                        null,
                        world.network().linksOf(id),
                        swarm,
                        swarm,
                        world.nanoClock(),
                        world.clock(id),
                        (kind, about, what, why) -> notices.add(kind + " " + what + " " + why),
                        Duration.ofDays(1),
                        Holders.EVERYBODY,
                        () -> false);
                replica.listen(sync);
                replica.listen(commit -> assertThat(MANY.stream()
                                .map(name -> String.valueOf(replica.value(name)))
                                .distinct())
                        .as("a large transaction is visible as a whole")
                        .hasSize(1));
                swarm.scheduleWithFixedDelay(sync::tick, 100, 250, TimeUnit.MILLISECONDS);
            }
        }

        private final class BadDisk implements ReplicaStore.Scratch {
            private final ReplicaStore.Scratch scratch;

            BadDisk(ReplicaStore.Scratch scratch) {
                this.scratch = scratch;
            }

            @Override
            public void write(long at, byte[] bytes) {
                if (random.nextDouble() < full) {
                    throw new IllegalStateException("the disk is full");
                }
                byte[] written = bytes.clone();
                if (random.nextDouble() < damages) {
                    written[random.nextInt(written.length)] ^= 1;
                }
                scratch.write(at, written);
            }

            @Override
            public byte[] read(long at, int length) {
                return scratch.read(at, length);
            }

            @Override
            public void close() {
                scratch.close();
            }
        }

        void run(Set<MemoryReplica.Bug> bugs) {
            LinkQuality quality = random.nextBoolean() ? LinkQuality.lan() : LinkQuality.wan();
            world.network().quality(quality);
            for (int number = 1; number <= 3; number++) {
                members.add(new Member(number, number == 1 ? bugs : Set.of()));
            }
            full = random.nextInt(3) == 0 ? 0.003 : 0;
            damages = random.nextInt(3) == 0 ? 0.003 : 0;
            world.network()
                    .quality(quality.withBreaks(0.004 * random.nextInt(4)).withDrop(0.01 * random.nextInt(3)));
            for (int step = 0; step < 25; step++) {
                Member one = members.get(random.nextInt(members.size()));
                switch (random.nextInt(6)) {
                    case 0 -> world.network().isolate(one.id);
                    case 1, 2 -> world.network().heal();
                    case 3 -> {
                        world.crash(one.id);
                        one.replica.deafen();
                        world.run(Duration.ofMillis(random.nextInt(500)));
                        world.restart(one.id);
                        one.boot();
                    }
                    default -> one.replica.write("v" + value++, MANY);
                }
                world.run(Duration.ofMillis(random.nextInt(1500)));
            }
            full = 0;
            damages = 0;
            world.network().quality(LinkQuality.lan());
            world.network().heal();
            MemoryReplica first = members.get(0).replica;
            boolean quiet = world.runUntil(
                    () -> members.stream()
                            .allMatch(one ->
                                    one.replica.vector(MemoryReplica.SCOPE).equals(first.vector(MemoryReplica.SCOPE))),
                    Duration.ofMinutes(5));
            assertThat(quiet).as("every replica has seen everything").isTrue();
            members.forEach(
                    one -> assertThat(one.replica.rows()).as("equal rows").isEqualTo(first.rows()));
            assertThat(notices).as("no honest member is accused").isEmpty();
        }
    }
}
