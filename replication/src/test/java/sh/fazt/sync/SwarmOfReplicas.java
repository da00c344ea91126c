package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.sim.LinkQuality;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimWorld;

/**
 * Some replicas that sync over a simulated network while everything goes wrong; afterwards the network heals and
 * the promises of replication.md section 1 are checked.
 */
final class SwarmOfReplicas {
    private static final String LEFT = "left";
    private static final String RIGHT = "right";
    private static final Duration AUDIT = Duration.ofSeconds(20);

    private final SimWorld world;
    private final RandomGenerator random;
    private final Set<MemoryReplica.Bug> bugs;
    /** How often rows are compared; a day where the checkers have to find a bug rather than the audit. */
    private final Duration audit;

    private final List<Member> members = new ArrayList<>();
    /** Everything that was ever written: what was known when it was, and what it wrote. */
    private final Map<Dot, Written> history = new HashMap<>();

    /** All that was told to owners. */
    private final List<Notice> notices = new ArrayList<>();

    /** What a member made up in others' names: what it knew when it did, and what it wrote. */
    private final Map<Dot, Written> forged = new HashMap<>();

    private boolean lies;

    private int value;

    private record Written(VersionVector deps, List<String> names, long added) {
        boolean succeeds(Dot dot, String name) {
            return names.contains(name) && deps.includes(dot.origin(), dot.sequence());
        }
    }

    private record Notice(NodeId at, String kind, @Nullable NodeId about, String what) {}

    private final class Member {
        final NodeId id;
        final MemoryReplica replica;
        MemoryReplica.Copy copy;
        SyncService sync;

        Member(int number) {
            id = world.node(number);
            replica = new MemoryReplica(
                    new Origin(id, 1), new HybridClock(world.clock(id)), number == 1 ? bugs : Set.of());
            copy = replica.keep();
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
                    (kind, about, what, why) -> notices.add(new Notice(id, kind, about, what)),
                    audit,
                    Holders.EVERYBODY,
                    () -> false);
            replica.listen(sync);
            replica.listen(commit -> {
                checkCauses();
                assertThat(replica.value(LEFT))
                        .as("a transaction is visible as a whole")
                        .isEqualTo(replica.value(RIGHT));
            });
            swarm.scheduleWithFixedDelay(sync::tick, 100, 250, TimeUnit.MILLISECONDS);
        }

        void checkCauses() {
            VersionVector here = replica.vector(MemoryReplica.SCOPE);
            here.entries().forEach((origin, sequence) -> {
                Dot dot = new Dot(MemoryReplica.SCOPE, origin, sequence);
                Written written = history.get(dot);
                // Of two changes with one number the other may be here.
                if (written != null && !forged.containsKey(dot)) {
                    assertThat(here.covers(written.deps()))
                            .as("no effect without its cause: " + origin + ":" + sequence)
                            .isTrue();
                }
            });
        }

        void write() {
            VersionVector deps = replica.vector(MemoryReplica.SCOPE);
            String next = "v" + value++;
            switch (random.nextInt(5)) {
                case 0 -> note(replica.write(next, List.of(LEFT, RIGHT)), deps, List.of(LEFT, RIGHT), 0);
                case 1 -> {
                    int by = 1 + random.nextInt(9);
                    note(replica.add("n", by), deps, List.of(), by);
                }
                case 2 -> {
                    String field = List.of("x", "y", "z").get(random.nextInt(3));
                    note(replica.edit(Map.of(field, next)), deps, List.of(ReplicaUnderTest.DOCUMENT + "/" + field), 0);
                }
                default -> {
                    String name = "k" + random.nextInt(5);
                    note(replica.write(next, List.of(name)), deps, List.of(name), 0);
                }
            }
        }

        /** Makes up the next change of another. */
        void forge(Origin victim) {
            String next = "f" + value++;
            String name = "k" + random.nextInt(5);
            MemoryReplica pretends = new MemoryReplica(
                    victim, new HybridClock(world.clock(id)), Set.of(MemoryReplica.Bug.REUSED_SEQUENCE));
            pretends.restore(replica.keep());
            Changeset changeset = pretends.write(next, List.of(name));
            world.trace("%s makes up %s", world.name(id), changeset.dot());
            forged.put(changeset.dot(), new Written(replica.vector(MemoryReplica.SCOPE), List.of(name), 0));
            replica.apply(changeset);
        }

        private void note(Changeset changeset, VersionVector deps, List<String> names, long added) {
            Dot dot = changeset.dot();
            Written before = history.put(dot, new Written(deps, names, added));
            assertThat(before).as("a sequence is never used twice: " + dot).isNull();
        }
    }

    private SwarmOfReplicas(SimWorld world, Set<MemoryReplica.Bug> bugs, Duration audit) {
        this.audit = audit;
        this.world = world;
        this.random = world.random("schedule");
        this.bugs = bugs;
    }

    /** One run: some seconds of faults, then peace, then the checks. */
    static void run(SimWorld world, Set<MemoryReplica.Bug> bugs) {
        SwarmOfReplicas swarm = new SwarmOfReplicas(world, bugs, bugs.isEmpty() ? AUDIT : Duration.ofDays(1));
        swarm.trouble();
        swarm.settle();
        swarm.check();
        assertThat(swarm.notices).as("no false alarm").isEmpty();
    }

    /** A run in which one makes up changes in the others' names; answers whether any was claimed of its writer. */
    static boolean runWithLiar(SimWorld world) {
        SwarmOfReplicas swarm = new SwarmOfReplicas(world, Set.of(), AUDIT);
        swarm.lies = true;
        swarm.trouble();
        swarm.settle();
        swarm.repaired();
        // So that a denial that was lost is told again.
        world.run(Claims.TELL_EVERY.multipliedBy(2));
        swarm.check();
        return swarm.checkNames();
    }

    private Member liar() {
        return members.get(members.size() - 1);
    }

    /** From each member that is told of what it never wrote the names lead to who made it up. */
    private boolean checkNames() {
        NodeId liar = liar().id;
        boolean claimed = false;
        for (Notice claim : notices) {
            if (!claim.kind().equals("claim")) {
                continue;
            }
            claimed = true;
            NodeId next = Objects.requireNonNull(claim.about());
            Set<NodeId> asked = new HashSet<>();
            while (!next.equals(liar)) {
                assertThat(asked.add(next)).as("the names lead on").isTrue();
                NodeId at = next;
                next = notices.stream()
                        .filter(notice -> notice.kind().equals("forged")
                                && notice.at().equals(at)
                                && notice.what().contains(claim.at().shortText()))
                        .map(Notice::about)
                        .filter(about -> about != null && !asked.contains(about))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(world.name(at)
                                + " does not say whom it has the changes of " + world.name(claim.at()) + " from"));
            }
        }
        return claimed;
    }

    private void repaired() {
        int[] seen = {-1};
        boolean[] equal = {false};
        boolean whole = world.runUntil(
                () -> {
                    // Asked after every event, of which few change a row.
                    int changes = members.stream()
                            .mapToInt(one -> one.replica.changes())
                            .sum();
                    if (changes != seen[0]) {
                        seen[0] = changes;
                        equal[0] = members.stream()
                                .allMatch(one -> one.replica
                                        .rows()
                                        .equals(members.get(0).replica.rows()));
                    }
                    return equal[0];
                },
                Duration.ofSeconds(240));
        assertThat(whole).as("the audit repairs every row").isTrue();
    }

    /** A run of replicas of which one damages its rows; answers what was told to the owners meanwhile. */
    static List<String> runAndRepair(SimWorld world, MemoryReplica.Bug bug) {
        SwarmOfReplicas swarm = new SwarmOfReplicas(world, Set.of(bug), AUDIT);
        swarm.trouble();
        swarm.settle();
        swarm.members.forEach(one -> one.replica.mend());
        swarm.repaired();
        // An audit that began before, and whose answer was lost, tells what it found when it gives up.
        world.run(Audit.PATIENCE.plusSeconds(5));
        int told = swarm.notices.size();
        world.run(AUDIT.multipliedBy(3));
        assertThat(swarm.notices).as("what is repaired stays quiet").hasSize(told);
        // What was overwritten where a row was missing, nobody can have noticed: only that they are equal counts.
        swarm.checkEqual();
        return swarm.notices.stream().map(Notice::kind).toList();
    }

    private void trouble() {
        int count = (lies ? 3 : 2) + random.nextInt(4);
        LinkQuality quality = random.nextBoolean() ? LinkQuality.lan() : LinkQuality.wan();
        if (random.nextInt(3) == 0) {
            quality = quality.withDrop(0.1).withDuplicate(0.1).withBreaks(0.01);
        }
        world.network().quality(quality);
        for (int i = 1; i <= count; i++) {
            members.add(new Member(i));
        }
        for (int step = 0; step < 40; step++) {
            step();
            world.run(Duration.ofMillis(1 + random.nextInt(400)));
        }
    }

    private void step() {
        Member one = members.get(random.nextInt(members.size()));
        Member other = members.get(random.nextInt(members.size()));
        int what = random.nextInt(16);
        if (lies && (what == 6 || what == 8 || what == 9)) {
            // Whoever is set back forgets what it wrote, and whoever starts anew whom it has that from.
            if (one != liar()) {
                liar().forge(one.replica.origin());
            }
            return;
        }
        switch (what) {
            case 0 -> world.network().isolate(one.id);
            case 1, 2 -> world.network().heal();
            case 3 -> {
                if (one != other) {
                    world.network().cut(one.id, other.id);
                }
            }
            case 4 -> world.pause(one.id, Duration.ofMillis(random.nextInt(3000)));
            case 5 -> world.skew(one.id, Duration.ofMillis(random.nextInt(-100_000, 100_000)));
            case 6 -> restart(one);
            case 7 -> {
                if (one != other) {
                    world.network().breakLink(one.id, other.id);
                }
            }
            case 8 -> one.copy = one.replica.keep();
            case 9 -> {
                world.trace("%s is restored from an old copy", world.name(one.id));
                crash(one);
                one.replica.restore(one.copy);
                up(one);
            }
            default -> {
                if (world.isUp(one.id)) {
                    one.write();
                }
            }
        }
    }

    private void restart(Member one) {
        crash(one);
        world.run(Duration.ofMillis(random.nextInt(500)));
        up(one);
    }

    private void crash(Member one) {
        world.crash(one.id);
        one.replica.deafen();
    }

    private void up(Member one) {
        world.restart(one.id);
        one.boot();
    }

    private void settle() {
        world.network().quality(LinkQuality.lan());
        world.network().heal();
        boolean quiet = world.runUntil(
                () -> members.stream()
                        .allMatch(one -> one.replica
                                .vector(MemoryReplica.SCOPE)
                                .equals(members.get(0).replica.vector(MemoryReplica.SCOPE))),
                Duration.ofSeconds(120));
        assertThat(quiet).as("every replica has seen everything").isTrue();
        world.run(Duration.ofSeconds(5));
    }

    private void checkEqual() {
        MemoryReplica first = members.get(0).replica;
        VersionVector vector = first.vector(MemoryReplica.SCOPE);
        for (Member one : members) {
            assertThat(one.replica.vector(MemoryReplica.SCOPE))
                    .as("quiet stays quiet")
                    .isEqualTo(vector);
            assertThat(one.replica.damage()).isEmpty();
            assertThat(one.replica.rows()).as("equal rows").isEqualTo(first.rows());
            assertThat(one.replica.digest(MemoryReplica.SCOPE))
                    .as("equal digests")
                    .isEqualTo(first.digest(MemoryReplica.SCOPE));
        }
    }

    private void check() {
        checkEqual();
        MemoryReplica first = members.get(0).replica;
        VersionVector vector = first.vector(MemoryReplica.SCOPE);
        long expected = 0;
        for (Map.Entry<Dot, Written> entry : history.entrySet()) {
            Dot dot = entry.getKey();
            if (!vector.includes(dot.origin(), dot.sequence())) {
                // Written on a disk that was replaced by an older copy before anybody heard of it.
                continue;
            }
            expected += entry.getValue().added();
            for (String name : entry.getValue().names()) {
                checkKept(first, dot, name);
            }
        }
        assertThat(first.sum("n")).as("no increment is lost").isEqualTo(expected);
    }

    /** It stands, or somebody who knew it wrote over it, or it is kept as a loser. */
    private void checkKept(MemoryReplica replica, Dot dot, String name) {
        Stamp current = replica.stamp(name);
        boolean collided = name.startsWith(ReplicaUnderTest.DOCUMENT)
                ? !Collections.disjoint(history.keySet(), forged.keySet())
                : forged.containsKey(dot);
        if (collided) {
            // Who had one of two changes with one number is taken to have known the other, and what it has instead
            // passes for a successor: the one thing that whoever makes up changes can do to what another wrote, until
            // it is heard of.
            return;
        }
        if (current == null) {
            throw new AssertionError("what was written is gone: " + name);
        }
        boolean stands = current.origin().equals(dot.origin()) && current.sequence() == dot.sequence();
        boolean succeeded = Stream.concat(history.values().stream(), forged.values().stream())
                .anyMatch(later -> later.succeeds(dot, name));
        boolean kept = replica.losers().contains(dot.origin() + ":" + dot.sequence() + " " + name);
        assertThat(stands || succeeded || kept)
                .as("no silent loser: " + dot + " of " + name)
                .isTrue();
    }
}
