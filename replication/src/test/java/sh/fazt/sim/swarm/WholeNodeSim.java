package sh.fazt.sim.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.sim.SimSeeds;
import sh.fazt.sim.SimWorld;

class WholeNodeSim {
    /** The rarest bug shows in one seed of forty. */
    private static final int SEEDS_TO_FIND = 400;

    @Test
    void nodesKeepTheirPromisesWhateverHappens() {
        SimSeeds.each(
                "WholeNodeSim#nodesKeepTheirPromisesWhateverHappens",
                5000,
                world -> SimulatedSwarm.inMemory(world, null));
    }

    @Test
    void nodesOnRealCartridgesKeepTheirPromises() {
        SimSeeds.each("WholeNodeSim#nodesOnRealCartridgesKeepTheirPromises", 25, SimulatedSwarm::onCartridges);
    }

    @Test
    void nodesThatAreAwayForMonthsKeepTheirPromises() {
        SimSeeds.each(
                "WholeNodeSim#nodesThatAreAwayForMonthsKeepTheirPromises",
                25,
                world -> SimulatedSwarm.months(world, null));
    }

    @Test
    void whoComesAndGoesForHoursLeavesNothingBehind() {
        Duration time = Duration.ofHours(Integer.getInteger("sim.hours", 2));
        SimSeeds.each(
                "WholeNodeSim#whoComesAndGoesForHoursLeavesNothingBehind",
                2,
                world -> SimulatedSwarm.churn(world, time));
    }

    @Test
    void fiftyNodesKeepTheirPromises() {
        SimSeeds.each("WholeNodeSim#fiftyNodesKeepTheirPromises", 2, world -> SimulatedSwarm.ofSize(world, 50));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 10, 50})
    void aChangeTravelsOnceToEachNode(int size) {
        assertThat(SimulatedSwarm.copies(new SimWorld(1), size)).isBetween(0.9, 1.05);
    }

    @Test
    void aSeedIsOneHistory() {
        for (long seed = 1; seed <= 10; seed++) {
            assertThat(fingerprint(seed)).isEqualTo(fingerprint(seed)).isNotEqualTo(fingerprint(seed + 1));
        }
    }

    private static long fingerprint(long seed) {
        SimWorld world = new SimWorld(seed);
        SimulatedSwarm.inMemory(world, null);
        return world.fingerprint();
    }

    /** A checker that can't fail is worth nothing: each that is named for a bug finds it, alone and soon. */
    @ParameterizedTest
    @EnumSource(Plant.class)
    void aPlantedBugIsFound(Plant plant) {
        for (Violation.Checker checker : plant.finders) {
            assertThat(finds(checker, plant))
                    .as(plant + " is found by " + checker)
                    .isTrue();
        }
    }

    /** Each checker is named for some bug. */
    @Test
    void everyCheckerFindsSomething() {
        assertThat(Arrays.stream(Plant.values()).flatMap(plant -> plant.finders.stream()))
                .contains(Violation.Checker.values());
    }

    private static boolean finds(Violation.Checker checker, Plant plant) {
        return SimSeeds.firstFound(SEEDS_TO_FIND, world -> {
                    boolean[] found = {false};
                    Violation.only(checker, () -> {
                        try {
                            SimulatedSwarm.planted(world, plant);
                        } catch (Violation violation) {
                            found[0] = true;
                        }
                    });
                    return found[0];
                })
                .isPresent();
    }
}
