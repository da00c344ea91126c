package sh.fazt.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario over many seeds, on all processors: each world on one thread, so a scenario that keeps something
 * beside its world keeps it where threads may. {@code -Dsim.seed=N} runs that seed alone, {@code -Dsim.seeds=N} changes
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
        first(Integer.getInteger("sim.seeds", usual), seed -> {
            run(test, seed, scenario);
            return false;
        });
    }

    /** The first seed that makes the scenario fail: for planted bugs, which a checker has to find. */
    public static OptionalLong firstFailure(int seeds, Consumer<SimWorld> scenario) {
        return firstFound(seeds, world -> {
            try {
                scenario.accept(world);
                return false;
            } catch (AssertionError found) {
                return true;
            }
        });
    }

    /** The first seed in whose world something is found. */
    public static OptionalLong firstFound(int seeds, Predicate<SimWorld> scenario) {
        return first(seeds, seed -> scenario.test(new SimWorld(seed)));
    }

    /** The first seed of which this is true; throws what it throws at an earlier one. */
    private static OptionalLong first(int seeds, LongPredicate ends) {
        AtomicLong next = new AtomicLong(1);
        Map<Long, Throwable> thrown = new ConcurrentSkipListMap<>();
        ConcurrentSkipListMap<Long, Boolean> ended = new ConcurrentSkipListMap<>();
        Runnable work = () -> {
            // Seeds are taken in their order: once one has ended it, those before it are done or under way.
            for (long seed = next.getAndIncrement(); seed <= seeds && ended.isEmpty(); seed = next.getAndIncrement()) {
                try {
                    if (ends.test(seed)) {
                        ended.put(seed, true);
                    }
                } catch (RuntimeException | Error failure) {
                    thrown.put(seed, failure);
                    ended.put(seed, true);
                }
            }
        };
        List<Thread> threads = new ArrayList<>();
        for (int i = 1; i < Math.min(seeds, Runtime.getRuntime().availableProcessors()); i++) {
            Thread thread = new Thread(work, "sim-" + i);
            thread.start();
            threads.add(thread);
        }
        work.run();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while seeds ran", e);
        }
        Map.@Nullable Entry<Long, Boolean> first = ended.firstEntry();
        if (first == null) {
            return OptionalLong.empty();
        }
        Throwable failure = thrown.get(first.getKey());
        if (failure instanceof RuntimeException runtime) {
            throw runtime;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        return OptionalLong.of(first.getKey());
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
