package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import sh.fazt.cartridge.CartridgeUnderTest;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.identity.NodeId;

/** Whatever happens, replicas converge and keep the promises of replication.md section 1. */
final class ConvergenceProperty {
    @Property(tries = 1000)
    void replicasInMemoryConverge(@ForAll("schedules") Schedule schedule) {
        play(schedule, Set.of());
    }

    @Property(tries = 40)
    void realCartridgesConverge(@ForAll("shortSchedules") Schedule schedule) throws IOException {
        Path folder = Files.createTempDirectory("fazt-convergence");
        SkewedClocks clocks = new SkewedClocks(schedule.replicas());
        List<CartridgeUnderTest> replicas = new ArrayList<>();
        try {
            for (int i = 0; i < schedule.replicas(); i++) {
                replicas.add(new CartridgeUnderTest(folder, node(i), clocks.of(i)));
            }
            ScheduleRun.play(schedule, replicas, clocks);
        } finally {
            replicas.forEach(CartridgeUnderTest::close);
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** A property that can't fail is worth nothing: each bug of replication.md section 11 is planted and found. */
    @Property(tries = 1, shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
    void everyPlantedBugIsFound(@ForAll("manySchedules") List<Schedule> schedules) {
        Set<MemoryReplica.Bug> found = EnumSet.noneOf(MemoryReplica.Bug.class);
        for (MemoryReplica.Bug bug : MemoryReplica.Bug.values()) {
            for (Schedule schedule : schedules) {
                if (!found.contains(bug) && fails(schedule, bug)) {
                    found.add(bug);
                }
            }
        }
        assertThat(found).containsExactlyInAnyOrder(MemoryReplica.Bug.values());
    }

    private static boolean fails(Schedule schedule, MemoryReplica.Bug bug) {
        try {
            play(schedule, Set.of(bug));
            return false;
        } catch (AssertionError expected) {
            return true;
        }
    }

    private static void play(Schedule schedule, Set<MemoryReplica.Bug> bugs) {
        SkewedClocks clocks = new SkewedClocks(schedule.replicas());
        List<MemoryReplica> replicas = new ArrayList<>();
        for (int i = 0; i < schedule.replicas(); i++) {
            replicas.add(
                    new MemoryReplica(new Origin(node(i), 1), new HybridClock(clocks.of(i)), i == 0 ? bugs : Set.of()));
        }
        ScheduleRun.play(schedule, replicas, clocks);
    }

    private static NodeId node(int number) {
        byte[] id = new byte[32];
        id[0] = (byte) (number * 37);
        id[31] = (byte) number;
        return NodeId.of(id);
    }

    /** Wall clocks that are wrong, each in its own way. */
    private static final class SkewedClocks implements ScheduleRun.Clocks {
        private final long[] millis;

        SkewedClocks(int replicas) {
            millis = new long[replicas];
            java.util.Arrays.fill(millis, 1_700_000_000_000L);
        }

        InstantSource of(int replica) {
            return () -> Instant.ofEpochMilli(read(replica));
        }

        private synchronized long read(int replica) {
            return millis[replica];
        }

        @Override
        public synchronized void skew(int replica, int by) {
            millis[replica] += by;
        }

        @Override
        public synchronized void pass() {
            for (int i = 0; i < millis.length; i++) {
                millis[i]++;
            }
        }
    }

    @Provide
    Arbitrary<Schedule> schedules() {
        return Schedule.arbitrary(2, 7, 1, 120);
    }

    @Provide
    Arbitrary<Schedule> shortSchedules() {
        return Schedule.arbitrary(2, 3, 1, 60);
    }

    @Provide
    Arbitrary<List<Schedule>> manySchedules() {
        return Schedule.arbitrary(2, 4, 80, 120).list().ofSize(150);
    }
}
