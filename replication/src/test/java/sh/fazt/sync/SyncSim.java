package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
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
        assertThat(SimSeeds.failures(60, world -> SwarmOfReplicas.run(world, Set.of(bug))))
                .isPositive();
    }
}
