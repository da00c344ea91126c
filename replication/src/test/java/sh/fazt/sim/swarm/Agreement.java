package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.sim.RegisterHistory;
import sh.fazt.sim.SimWorld;

/**
 * A model of consensus: a log that grows while the asker reaches most of the voters, and that nodes learn from each
 * other. It stands in for Raft, whose own timers and threads can't be simulated, and gives the nodes what Raft gives
 * them: members who come and go late and in order. Its checker holds for a real one too.
 */
final class Agreement {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    static final String REGISTER = "owner";
    static final String MEMBER = "member/";
    /** Takes the member with it, in one change. */
    static final String EVICTED = "evicted/";

    private final SimWorld world;
    private final RandomGenerator random;
    private final List<SimulatedNode> voters;
    private final List<Entry> log = new ArrayList<>();
    private final RegisterHistory register = new RegisterHistory();

    /**
     * A change.
     *
     * @param value  null removes the key
     * @param fences of an eviction
     */
    record Entry(String key, @Nullable String value, List<Fence> fences) {
        Entry(String key, @Nullable String value) {
            this(key, value, List.of());
        }
    }

    Agreement(SimWorld world, List<SimulatedNode> voters) {
        this.world = world;
        this.random = world.random("agreement");
        this.voters = voters;
    }

    /** A node's copy: as many entries as it has heard of, in their order. */
    static final class Copy {
        private final List<Entry> entries = new ArrayList<>();

        int size() {
            return entries.size();
        }

        Map<String, String> values() {
            return replay(entries);
        }

        /** The fences of evicted nodes, by number. */
        Map<Integer, List<Fence>> evicted() {
            Map<Integer, List<Fence>> evicted = new TreeMap<>();
            for (Entry entry : entries) {
                if (entry.key().startsWith(EVICTED)) {
                    evicted.put(number(entry.key()), entry.fences());
                }
            }
            return evicted;
        }

        /** What a copy of its file had at that size. */
        Copy copy(int size) {
            Copy copy = new Copy();
            copy.entries.addAll(entries);
            copy.cut(size);
            return copy;
        }

        /** What an older file has. */
        void cut(int size) {
            entries.subList(Math.min(size, entries.size()), entries.size()).clear();
        }
    }

    /** Of the node that a member or an eviction is about. */
    static int number(String key) {
        return Integer.parseInt(key.substring(key.indexOf('/') + 1));
    }

    private static Map<String, String> replay(List<Entry> entries) {
        Map<String, String> values = new TreeMap<>();
        for (Entry entry : entries) {
            if (entry.key().startsWith(EVICTED)) {
                values.remove(MEMBER + number(entry.key()));
            }
            if (entry.value() == null) {
                values.remove(entry.key());
            } else {
                values.put(entry.key(), entry.value());
            }
        }
        return values;
    }

    Map<String, String> values() {
        return replay(log);
    }

    /** Without asking anybody: what the swarm begins with. */
    void begin(Entry entry) {
        log.add(entry);
    }

    /** A new member is told everything with its admission. */
    void bring(Copy copy) {
        copy.entries.addAll(log);
    }

    /** Takes the next record from a linked node that has it, or from the group where this node reaches most of it. */
    void feed(SimulatedNode node, boolean skips) {
        boolean news = !node.evicted
                && node.agreed.size() < log.size()
                && (reachesMost(node)
                        || node.swarm.linked(node).stream()
                                .anyMatch(other -> other.agreed.size() > node.agreed.size()));
        if (news) {
            Entry next = log.get(node.agreed.size());
            node.agreed.entries.add(skips && log.size() % 2 == 0 ? new Entry("skipped", "") : next);
            node.agreed(next);
        }
    }

    /** Has a node take every record at once, if it reaches the group. */
    boolean catchUp(SimulatedNode node) {
        if (node.evicted || !reachesMost(node)) {
            return false;
        }
        while (node.agreed.size() < log.size()) {
            Entry next = log.get(node.agreed.size());
            node.agreed.entries.add(next);
            node.agreed(next);
        }
        return true;
    }

    boolean reachesMost(SimulatedNode node) {
        long reached = voters.stream()
                .filter(voter -> voter == node || voter.isRunning() && node.swarm.areLinked(node, voter))
                .count();
        return reached * 2 > voters.size();
    }

    /** Proposes a record; {@code done} runs when it is agreed, which is never when most voters can't be reached. */
    void propose(SimulatedNode by, Entry entry, Runnable done) {
        propose(by, entry, done, () -> {});
    }

    /** @param failed runs where it is refused, unless whoever asked has ended by then */
    void propose(SimulatedNode by, Entry entry, Runnable done, Runnable failed) {
        attempt(
                by,
                world.nanos() + PATIENCE.toNanos(),
                agreed -> {
                    boolean takes = agreed
                            && (!entry.key().startsWith(EVICTED) || values().containsKey(MEMBER + number(entry.key())));
                    if (takes) {
                        log.add(entry);
                        by.swarm.agreed(entry);
                        // Whoever asked may end before it hears.
                        world.schedule(Duration.ofMillis(10), done);
                    }
                    return takes;
                },
                heard -> {
                    if (!heard) {
                        failed.run();
                    }
                });
    }

    /** The voters that stay without a node. */
    List<NodeId> votersBut(SimulatedNode node) {
        return voters.stream()
                .filter(voter -> voter != node)
                .map(voter -> voter.id)
                .toList();
    }

    /** Takes a node's vote, if it has one; then one of the two runs. */
    void takeVote(SimulatedNode by, SimulatedNode node, Runnable done, Runnable failed) {
        if (!voters.contains(node)) {
            done.run();
            return;
        }
        attempt(
                by,
                world.nanos() + PATIENCE.toNanos(),
                agreed -> {
                    if (agreed && voters.size() > 1) {
                        voters.remove(node);
                    }
                    return !voters.contains(node);
                },
                taken -> (taken ? done : failed).run());
    }

    /** A linearizable compare-and-set, or read when {@code next} is null, of the one register. */
    void operate(SimulatedNode by, @Nullable String expected, @Nullable String next, boolean stale) {
        RegisterHistory.Operation operation =
                next == null ? register.read(world.nanos()) : register.change(expected, next, world.nanos());
        if (next == null && stale) {
            operation.saw(by.agreed.values().get(REGISTER), world.nanos());
            return;
        }
        Answer answer = new Answer();
        attempt(
                by,
                world.nanos() + PATIENCE.toNanos(),
                agreed -> {
                    answer.seen = values().get(REGISTER);
                    answer.changed = agreed && next != null && Objects.equals(answer.seen, expected);
                    if (answer.changed) {
                        log.add(new Entry(REGISTER, next));
                    } else if (!agreed) {
                        register.drop(operation);
                    }
                    return agreed;
                },
                agreed -> {
                    if (answer.changed) {
                        operation.done(world.nanos());
                    } else if (agreed) {
                        operation.saw(answer.seen, world.nanos());
                    }
                });
    }

    /** What came of an operation, on its way to who asked. */
    private static final class Answer {
        @Nullable
        String seen;

        boolean changed;
    }

    private interface Commit {
        boolean at(boolean agreed);
    }

    private void attempt(SimulatedNode by, long until, Commit commit, Consumer<Boolean> done) {
        world.schedule(by.id, Duration.ofMillis(5 + random.nextInt(60)), () -> {
            boolean most = reachesMost(by) && !by.evicted;
            if (!most && world.nanos() < until) {
                attempt(by, until, commit, done);
                return;
            }
            boolean agreed = commit.at(most);
            world.schedule(by.id, Duration.ofMillis(5 + random.nextInt(60)), () -> done.accept(agreed));
        });
    }

    // ---- checks ----

    void checkCopy(String who, Copy copy) {
        require(
                copy.size() <= log.size() && copy.entries.equals(log.subList(0, copy.size())),
                Violation.Checker.CONFIG,
                "%s holds other records than were agreed",
                who);
    }

    void checkLinearizable() {
        require(
                register.isLinearizable(),
                Violation.Checker.CONFIG,
                "no order explains what was answered about %s",
                REGISTER);
    }
}
