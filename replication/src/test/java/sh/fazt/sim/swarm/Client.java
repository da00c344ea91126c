package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.sim.swarm.SimReplica.View;

/**
 * A client that reads and writes at one node after the other, one thing at a time. It shows what it has seen as a
 * vector: a node that has not seen as much is left alone. Within such a session it reads its writes, reads and
 * writes never go back, and writes follow what was read.
 */
final class Client {
    private final SimulatedSwarm swarm;
    private final RandomGenerator random;
    private final String name;
    private SimulatedNode at;
    private Map<String, Stamp> seen = new TreeMap<>();
    private VersionVector token = VersionVector.EMPTY;
    /** Who owes an answer. */
    private @Nullable Writer asked;

    Client(SimulatedSwarm swarm, int number, RandomGenerator random) {
        this.swarm = swarm;
        this.name = "client " + number;
        this.random = random;
        this.at = swarm.any();
    }

    void act() {
        if (asked != null && !asked.hasEnded()) {
            return;
        }
        asked = null;
        if (!at.isRunning() || random.nextInt(4) == 0) {
            at = swarm.anyOrTwin();
        }
        if (!at.isRunning()) {
            return;
        }
        if (!at.vector().covers(token)) {
            if (random.nextInt(3) > 0) {
                return;
            }
            seen = new TreeMap<>();
            token = VersionVector.EMPTY;
        }
        if (random.nextInt(4) == 0 && !at.isInDoubt()) {
            read();
        } else {
            write();
        }
    }

    private void read() {
        View view = at.view();
        check(view);
        view.registers().forEach((key, version) -> {
            if (random.nextInt(3) == 0) {
                seen.put(key, version.stamp());
            }
        });
        token = token.merge(view.vector());
    }

    /** Nothing that it has seen is unseen. */
    void check(View view) {
        seen.forEach((key, stamp) -> {
            SimReplica.Version version = view.registers().get(key);
            require(
                    version != null && version.stamp().compareTo(stamp) >= 0
                            || version == null && swarm.mayBeForgotten(key)
                            || swarm.history.isFencedOut(stamp)
                            || at.level == 1 && key.startsWith(SimReplica.LATE),
                    Violation.Checker.SESSION,
                    "%s saw %s of %s and now %s at %s",
                    name,
                    stamp,
                    key,
                    version,
                    at.name);
        });
    }

    private void write() {
        Map<String, @Nullable String> puts = new TreeMap<>();
        Map<String, Long> adds = new TreeMap<>();
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                String both = swarm.nextValue();
                puts.put("left", both);
                puts.put("right", both);
            }
            case 2 -> adds.put("n", 1L + random.nextInt(9));
            case 3 -> puts.put("s/" + swarm.nextValue(), swarm.nextValue());
            case 4 -> delete(puts);
            case 5 -> {
                for (int i = 0; i < 3; i++) {
                    puts.put("k" + random.nextInt(5), swarm.nextValue());
                }
                adds.put("m", 1L);
            }
            case 6 -> puts.put(at.level > 1 ? SimReplica.LATE + random.nextInt(3) : "k0", swarm.nextValue());
            default -> {
                boolean deletes = random.nextInt(5) == 0 && !swarm.passesMonths;
                puts.put("k" + random.nextInt(5), deletes ? null : swarm.nextValue());
            }
        }
        Writer asking = at.writer();
        asked = asking;
        Map<String, Stamp> causes = new TreeMap<>(seen);
        var unused = at.write(puts, adds, causes).whenComplete((write, failed) -> {
            if (asked == asking) {
                asked = null;
            }
            if (failed == null) {
                History.Write made = Objects.requireNonNull(write);
                made.acknowledged = true;
                if (swarm.history.find(made.stamp()) != made) {
                    // It is in doubt: nobody else can have seen as much, and it may get another name.
                    return;
                }
                puts.keySet().forEach(key -> seen.merge(key, made.stamp(), Client::later));
                token = token.merge(made.deps())
                        .with(made.dot().origin(), made.dot().sequence());
            }
        });
    }

    private static Stamp later(Stamp one, Stamp other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    /** One of the set that is there, or a register. */
    private void delete(Map<String, @Nullable String> puts) {
        List<String> there = new ArrayList<>();
        at.view().registers().forEach((key, version) -> {
            if (key.startsWith("s/") && version.value() != null) {
                there.add(key);
            }
        });
        if (!there.isEmpty()) {
            puts.put(there.get(random.nextInt(there.size())), null);
        } else if (swarm.passesMonths) {
            puts.put("s/" + swarm.nextValue(), swarm.nextValue());
        } else {
            puts.put("k1", null);
        }
    }
}
