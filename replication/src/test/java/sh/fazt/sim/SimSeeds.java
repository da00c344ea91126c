package sh.fazt.sim;

import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Runs a scenario over many seeds. {@code -Dsim.seed=N} runs that seed alone, {@code -Dsim.seeds=N} changes
 * how many there are. A failure names its seed, prints the end of the trace and how to run it again.
 */
public final class SimSeeds {
    private SimSeeds() {}

    /**
     * Runs the scenario in a fresh world for each seed from 1 on.
     *
     * @param test   the class and method as surefire takes them, for the command that is printed
     * @param usual  how many seeds, unless {@code sim.seeds} says otherwise
     * @throws AssertionError at the first seed that fails; the failure is the cause
     */
    public static void each(String test, int usual, Consumer<SimWorld> scenario) {
        Long one = Long.getLong("sim.seed");
        if (one != null) {
            run(test, one, scenario);
            return;
        }
        int seeds = Integer.getInteger("sim.seeds", usual);
        for (long seed = 1; seed <= seeds; seed++) {
            run(test, seed, scenario);
        }
    }

    /** The first seed that makes the scenario fail: for planted bugs, which a checker has to find. */
    public static OptionalLong firstFailure(int seeds, Consumer<SimWorld> scenario) {
        for (long seed = 1; seed <= seeds; seed++) {
            try {
                scenario.accept(new SimWorld(seed));
            } catch (AssertionError found) {
                return OptionalLong.of(seed);
            }
        }
        return OptionalLong.empty();
    }

    /** Whether one of so many seeds fails; stops at the first that does. */
    public static boolean anyFails(int seeds, Consumer<SimWorld> scenario) {
        for (long seed = 1; seed <= seeds; seed++) {
            try {
                scenario.accept(new SimWorld(seed));
            } catch (AssertionError found) {
                return true;
            }
        }
        return false;
    }

    /** Runs one seed. */
    public static void run(String test, long seed, Consumer<SimWorld> scenario) {
        SimWorld world = new SimWorld(seed);
        try {
            scenario.accept(world);
        } catch (RuntimeException | AssertionError failure) {
            throw new AssertionError(
                    "seed " + seed + ": " + failure.getMessage()
                            + "\nreplay: mvn -q -Dquick -pl replication -am test -Dtest='"
                            + test + "' -Dsurefire.failIfNoSpecifiedTests=false -Dsim.seed=" + seed + "\ntrace:\n"
                            + world.traceText(),
                    failure);
        }
    }
}
