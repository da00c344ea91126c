package sh.fazt.sim.swarm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import sh.fazt.sim.SimSeeds;

/**
 * Many seeds on all processors: {@code deploy/sim SEEDS [FIRST]}. One seed in fifty runs on real cartridges. Prints
 * how far it is, and each seed that fails with how to replay it; ends with 1 if there was one.
 */
public final class Simulate {
    private static final int CARTRIDGES_EACH = 50;
    private static final int MOST_FAILURES = 20;
    private static final String TEST = "WholeNodeSim#nodesKeepTheirPromisesWhateverHappens";
    private static final String ON_CARTRIDGES = "WholeNodeSim#nodesOnRealCartridgesKeepTheirPromises";

    private final AtomicLong next;
    private final long first;
    private final long end;
    private final long startedAt = System.nanoTime();
    private final AtomicLong done = new AtomicLong();
    private final AtomicInteger failures = new AtomicInteger();

    private Simulate(long first, long seeds) {
        this.first = first;
        this.next = new AtomicLong(first);
        this.end = first + seeds;
    }

    public static void main(String[] args) throws InterruptedException {
        long seeds;
        long first;
        try {
            seeds = Long.parseLong(args[0]);
            first = args.length < 2 ? 1 : Long.parseLong(args[1]);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            System.err.println("usage: deploy/sim SEEDS [FIRST]: two numbers, as in deploy/sim 100000");
            System.exit(2);
            return;
        }
        System.exit(new Simulate(first, seeds).run() == 0 ? 0 : 1);
    }

    private int run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
            Thread thread = new Thread(this::work, "sim-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        say();
        return failures.get();
    }

    private void work() {
        for (long seed = next.getAndIncrement();
                seed < end && failures.get() < MOST_FAILURES;
                seed = next.getAndIncrement()) {
            try {
                if (seed % CARTRIDGES_EACH == 0) {
                    SimSeeds.run(ON_CARTRIDGES, seed, SimulatedSwarm::onCartridges);
                } else {
                    SimSeeds.run(TEST, seed, world -> SimulatedSwarm.inMemory(world, null));
                }
            } catch (AssertionError failed) {
                failures.incrementAndGet();
                System.out.println(failed.getMessage());
            }
            if (done.incrementAndGet() % Math.max(100, (end - first) / 200) == 0) {
                say();
            }
        }
    }

    private void say() {
        double seconds = (System.nanoTime() - startedAt) / 1e9;
        System.out.printf(
                "%d of %d seeds from %d, %d failed, %.0f s, %.0f seeds/s%n",
                done.get(), end - first, first, failures.get(), seconds, done.get() / seconds);
    }
}
