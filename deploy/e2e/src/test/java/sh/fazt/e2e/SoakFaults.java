package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import sh.fazt.testkit.Await;

/**
 * What befalls the members of the soak, one after the other: a shuffled deck of all kinds, so that none starves. Each
 * says what the clients may expect meanwhile. Confined to the test's thread.
 */
final class SoakFaults {
    private static final Duration SOON = Duration.ofSeconds(300);
    private static final Duration AHEAD = Duration.ofDays(730);

    /** What is done to a member, and how long it is left so. */
    private interface Befall {
        void befall(SoakMember victim, Duration length) throws Exception;
    }

    /** @param whom which members it may befall */
    private record Fault(String name, Predicate<SoakMember> whom, Befall befall) {}

    /** Where nodes run, and how another one is made there. */
    interface Place {
        NodeUnderTest another(SoakMember member) throws Exception;
    }

    private final List<SoakMember> members;
    private final Namespaces network;
    private final Place place;
    private final Path disk;
    private final Random random;
    private final Duration longest;
    private final List<Fault> kinds = new ArrayList<>();
    private final Deque<Fault> deck = new ArrayDeque<>();
    private SoakMember spared;
    /** A clock was ahead once: of two writes that did not know of each other the earlier may have the later stamp. */
    private boolean wasAhead;

    /**
     * @param members the last one is no voter at first, and the one that is evicted
     * @param small   the one whose files are on that disk, which can be filled
     */
    SoakFaults(
            List<SoakMember> members,
            SoakMember small,
            Path disk,
            Namespaces network,
            Place place,
            Random random,
            Duration longest)
            throws Exception {
        this.members = members;
        this.network = network;
        this.place = place;
        this.disk = disk;
        this.random = random;
        this.longest = longest;
        this.spared = members.get(0);
        SoakMember last = members.get(members.size() - 1);
        Predicate<SoakMember> any = member -> true;
        Predicate<SoakMember> restarted = member -> !member.equals(spared);
        kinds.add(new Fault("loss", any, this::lossy));
        kinds.add(new Fault("deaf", any, this::deaf));
        kinds.add(new Fault("cut", any, this::cutOff));
        kinds.add(new Fault("flap", any, this::flapping));
        kinds.add(new Fault("slow", any, this::slow));
        kinds.add(new Fault("stop", any, this::stopped));
        kinds.add(new Fault("kill", restarted, this::killed));
        kinds.add(new Fault("full disk", small::equals, this::fullDisk));
        kinds.add(new Fault("old copy", restarted, this::oldCopy));
        kinds.add(new Fault("clock", restarted, this::clockAhead));
        kinds.add(new Fault("evict", member -> member.equals(last) && !member.equals(spared), this::evicted));
        kinds.add(new Fault("place", any, this::placed));
        if (FaultyMachine.hasReadOnlyFiles(members.get(0).folder)) {
            kinds.add(new Fault("read only", member -> !member.equals(small), this::readOnly));
        } else {
            System.out.println("soak without a read-only file, which this file system does not have");
        }
    }

    /** From now on this one's process lives on. */
    void spare(SoakMember member) {
        spared = member;
    }

    /** Has the next one befall somebody, and answers which it was. */
    String next() throws Exception {
        if (deck.stream().noneMatch(fault -> members.stream().anyMatch(fault.whom))) {
            List<Fault> shuffled = new ArrayList<>(kinds);
            Collections.shuffle(shuffled, random);
            deck.addAll(shuffled);
        }
        for (Iterator<Fault> faults = deck.iterator(); faults.hasNext(); ) {
            Fault fault = faults.next();
            List<SoakMember> victims = members.stream().filter(fault.whom).toList();
            if (!victims.isEmpty()) {
                faults.remove();
                SoakMember victim = victims.get(random.nextInt(victims.size()));
                Duration length = Duration.ofMillis(500 + random.nextInt((int) longest.toMillis() - 500));
                long begin = System.nanoTime();
                fault.befall.befall(victim, length);
                System.out.println("soak fault=" + fault.name + " node=" + victim.node().name + " millis="
                        + length.toMillis() + " took=" + (System.nanoTime() - begin) / 1_000_000);
                return fault.name;
            }
        }
        throw new IllegalStateException("some faults may befall anybody");
    }

    /** Waits for it without keeping the nodes busy with answering whether it is so. */
    private static void until(String what, Callable<Boolean> condition) {
        Await.until(what, SOON, () -> {
            boolean done = false;
            try {
                done = condition.call();
            } finally {
                if (!done) {
                    leave(Duration.ofMillis(200));
                }
            }
            return done;
        });
    }

    private static void leave(Duration length) {
        LockSupport.parkNanos(length.toNanos());
    }

    private List<SoakMember> others(SoakMember victim) {
        return members.stream().filter(member -> !member.equals(victim)).toList();
    }

    private SoakMember other(SoakMember victim) {
        return others(victim).get(random.nextInt(members.size() - 1));
    }

    // ---- networks ----

    private void lossy(SoakMember victim, Duration length) throws Exception {
        network.lose(victim.name, 5 + random.nextInt(25));
        leave(length);
        network.heal(victim.name);
    }

    private void deaf(SoakMember victim, Duration length) throws Exception {
        network.deafen(victim.name, other(victim).address);
        leave(length);
        network.heal(victim.name);
    }

    private void cutOff(SoakMember victim, Duration length) throws Exception {
        network.cut(
                victim.name,
                others(victim).stream().map(member -> member.address).toList());
        leave(length);
        network.heal(victim.name);
    }

    private void flapping(SoakMember victim, Duration length) throws Exception {
        String other = other(victim).address;
        for (int i = 0; i < 5; i++) {
            network.cut(victim.name, List.of(other));
            leave(Duration.ofMillis(100 + random.nextInt(500)));
            network.heal(victim.name);
            leave(Duration.ofMillis(random.nextInt(500)));
        }
    }

    private void slow(SoakMember victim, Duration length) throws Exception {
        network.slow(victim.name, 200 + random.nextInt(2000));
        leave(length);
        network.unslow(victim.name);
    }

    // ---- processes ----

    private void stopped(SoakMember victim, Duration length) throws Exception {
        victim.node().signal("STOP");
        leave(length);
        victim.node().signal("CONT");
    }

    private void killed(SoakMember victim, Duration length) throws Exception {
        victim.node().kill();
        leave(length);
        startAgain(victim);
    }

    private static void startAgain(SoakMember member) throws Exception {
        member.node().start();
        until(
                member.node().name + " serves again",
                () -> member.node().ask(Ledger.NAME, "GET", "/", "").statusCode() == 200);
    }

    // ---- machines ----

    private void fullDisk(SoakMember victim, Duration length) throws Exception {
        FaultyMachine.fill(disk, random);
        leave(length);
        FaultyMachine.resize(disk, SoakNetnsIT.DISK);
    }

    private void readOnly(SoakMember victim, Duration length) throws Exception {
        FaultyMachine.readOnly(victim.node(), true);
        try {
            leave(length);
        } finally {
            FaultyMachine.readOnly(victim.node(), false);
        }
    }

    private void clockAhead(SoakMember victim, Duration length) throws Exception {
        NodeUnderTest node = victim.node();
        node.kill();
        FaultyMachine.clock(node, AHEAD);
        wasAhead = true;
        startAgain(victim);
        until(
                node.name + " corrects its clock",
                () -> node.ok("time", "status").get("correcting").asBoolean());
        leave(length);
        node.kill();
        FaultyMachine.clock(node, Duration.ZERO);
        startAgain(victim);
    }

    /**
     * The copy is as old as the last time that this befell the member, and the next one is made of what it replaces.
     * What others have by now is not lost; of what is acknowledged from then on until the crash nothing is known.
     */
    private void oldCopy(SoakMember victim, Duration length) throws Exception {
        NodeUnderTest node = victim.node();
        Path copy = victim.copy;
        if (copy == null) {
            copy = node.cartridge.resolveSibling(node.name + ".copy");
            node.kill();
            FaultyMachine.copy(node, copy);
            startAgain(victim);
            leave(length);
        }
        binding(victim, false);
        othersHave(victim);
        leave(length);
        victim.client.looking(false);
        node.kill();
        FaultyMachine.swap(node, copy);
        victim.copy = copy;
        comeBack(victim, () -> startAgain(victim));
    }

    private static void binding(SoakMember member, boolean on) {
        member.client.binding(on);
    }

    /** Waits until some other member has all that the victim has to keep. */
    private void othersHave(SoakMember victim) {
        Map<String, Long> acknowledged = victim.client.acknowledged();
        SoakMember other = other(victim);
        until(other.node().name + " has all of " + victim.node().name, () -> other.has(acknowledged));
    }

    /** How a node comes back that has forgotten something. */
    private interface Return {
        void begin() throws Exception;
    }

    /**
     * What it writes before it has caught up does not know of what it has forgotten. The later stamp decides, which is
     * that of the later write unless a clock was wrong.
     */
    private void comeBack(SoakMember member, Return comes) throws Exception {
        comes.begin();
        binding(member, !wasAhead);
        for (SoakMember each : members) {
            Map<String, Long> acknowledged = each.client.acknowledged();
            until(
                    member.node().name + " has what " + each.node().name + " acknowledged",
                    () -> member.has(acknowledged));
        }
        binding(member, true);
        member.client.looking(true);
    }

    // ---- the swarm ----

    /** What no command says. */
    private static final String NOT_YET = "\n\n\n";

    /** A command at a node whose swarm may just be getting over the last fault, until it is done. */
    private static void command(SoakMember at, String done, String... words) {
        until(String.join(" ", words) + " at " + at.node().name, () -> {
            NodeUnderTest.Run run = at.node().fazt(words);
            if (run.code() != 0 && !run.err().contains(done)) {
                throw new IllegalStateException(run.err());
            }
            return true;
        });
    }

    /** A member is shut out while it goes on writing, and a new node comes in its place. */
    private void evicted(SoakMember victim, Duration length) throws Exception {
        SoakMember by = other(victim);
        NodeUnderTest node = victim.node();
        victim.governor.pause();
        try {
            binding(victim, false);
            othersHave(victim);
            if (random.nextBoolean()) {
                command(by, "is a voter already", "swarm", "promote", node.name);
            }
            command(by, "was evicted already", "swarm", "evict", node.name);
            until(
                    node.name + " knows that it was evicted",
                    () -> node.ok("server", "status").toString().contains("was evicted from swarm"));
            Map<String, Long> before = victim.client.tried();
            leave(length);
            for (SoakMember other : others(victim)) {
                Map<String, Long> now = other.values();
                before.forEach((key, number) -> assertThat(now.getOrDefault(key, 0L))
                        .as("%s of %s, which was evicted, on %s", key, node.name, other.node().name)
                        .isLessThanOrEqualTo(number));
            }
            victim.client.looking(false);
            node.close();
            NodeUnderTest next = place.another(victim).start();
            victim.replaceBy(next);
            comeBack(victim, () -> next.join(by.node()));
            until(
                    next.name + " has the other app",
                    () -> next.ask(SoakMember.STAYING, "GET", "/", "").statusCode() == 200);
        } finally {
            victim.governor.goOn();
        }
    }

    /** The ledger leaves a member, and one more perhaps, and comes back. */
    private void placed(SoakMember victim, Duration length) throws Exception {
        List<SoakMember> staying = new ArrayList<>(others(victim));
        List<SoakMember> leaving = new ArrayList<>(List.of(victim));
        if (random.nextBoolean()) {
            leaving.add(staying.remove(random.nextInt(staying.size())));
        }
        SoakMember at = staying.get(random.nextInt(staying.size()));
        for (SoakMember member : leaving) {
            member.client.looking(false);
        }
        String names = String.join(
                ",", staying.stream().map(member -> member.node().name).toList());
        command(at, NOT_YET, "swarm", "place", Ledger.NAME, "on", names);
        for (SoakMember member : leaving) {
            until(
                    member.node().name + " has let go",
                    () -> member.node().ask(Ledger.NAME, "GET", "/api/all", "").statusCode() == 421);
            // What it acknowledged before stays; now it has forgotten that.
            binding(member, false);
        }
        leave(length);
        command(at, NOT_YET, "swarm", "place", Ledger.NAME, "all");
        for (SoakMember member : leaving) {
            comeBack(member, () -> Ledger.awaitServed(List.of(member.node()), SOON));
        }
    }
}
