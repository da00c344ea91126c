package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.sim.SimSeeds;

class SyncSim {
    @Test
    void replicasConvergeWhateverHappens() {
        SimSeeds.each("SyncSim#replicasConvergeWhateverHappens", 1000, world -> SwarmOfReplicas.run(world, Set.of()));
    }

    /** A checker that can't fail is worth nothing: each bug of replication.md section 11 is planted and found. */
    @ParameterizedTest
    @EnumSource(MemoryReplica.Bug.class)
    void aPlantedBugIsFound(MemoryReplica.Bug bug) {
        assertThat(SimSeeds.firstFailure(1000, world -> SwarmOfReplicas.run(world, Set.of(bug))))
                .isPresent();
    }

    /** One makes up changes in the others' names: nothing of theirs is lost, and the names lead to it. */
    @Test
    void whoMakesUpChangesOfOthersIsFoundOutAndNothingOfTheirsIsLost() {
        AtomicInteger claimed = new AtomicInteger();
        SimSeeds.each("SyncSim#whoMakesUpChangesOfOthersIsFoundOutAndNothingOfTheirsIsLost", 1000, world -> {
            if (SwarmOfReplicas.runWithLiar(world)) {
                claimed.incrementAndGet();
            }
        });
        assertThat(claimed.get()).as("most of it is noticed").isPositive();
    }

    /** What a bug has done to the rows of one replica is found by the others, told, and repaired. */
    @ParameterizedTest
    @EnumSource(
            value = MemoryReplica.Bug.class,
            names = {"DROPPED_CHANGESET", "LOST_ROW", "CHANGED_ROW"})
    void damagedRowsAreFoundAndRepaired(MemoryReplica.Bug bug) {
        Set<String> told = ConcurrentHashMap.newKeySet();
        SimSeeds.each(
                "SyncSim#damagedRowsAreFoundAndRepaired",
                100,
                world -> told.addAll(SwarmOfReplicas.runAndRepair(world, bug)));
        assertThat(told).contains("alarm", "repair");
    }
}
