package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/**
 * Four processes under load, three of which vote, while one fault after the other befalls them ({@link SoakFaults}): a
 * short while in every check, with shorter faults, as long as wanted by {@code deploy/soak}. Checked are every
 * acknowledged write, every change that was agreed on, that no node's view ever goes back, and that memory, files and
 * descriptors stay what they were.
 *
 * <p>What a process holds is compared within its life. So a long soak has a stretch for each node, in which that one is
 * not started anew: what it holds after a third of the stretch is compared with what it holds at the end.
 */
class SoakNetnsIT {
    /** The size of the small disk, in megabytes. */
    static final int DISK = 256;

    private static final Duration SOON = Duration.ofSeconds(300);
    private static final Duration LENGTH = Duration.ofSeconds(Long.getLong("fazt.soak.seconds", 45));
    private static final boolean LONG = LENGTH.compareTo(Duration.ofMinutes(10)) >= 0;
    private static final long SEED = Long.getLong("fazt.soak.seed", System.nanoTime());
    private static final List<String> VOTERS = List.of("a", "b", "c");
    private static final String SMALL = "c";

    @TempDir
    Path folder;

    private Namespaces network;
    private final FaultyMachine machine = new FaultyMachine();
    private final List<SoakMember> members = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Random random = new Random(SEED);
    private final Map<String, Integer> faults = new TreeMap<>();
    private final List<Held> held = new ArrayList<>();
    private int made;

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        Path disk = folder.resolve("disk");
        machine.mount(disk, DISK);
        for (String name : VOTERS) {
            add(name, name.equals(SMALL) ? disk : folder);
        }
        add("d", folder);
        SoakMember first = members.get(0);
        for (SoakMember member : members) {
            member.node().start();
            if (!member.equals(first)) {
                member.node().join(first.node());
            }
        }
        first.node().ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        first.node().ok("app", "deploy", Ledger.FOLDER.toString(), "--name", SoakMember.STAYING);
        Ledger.awaitServed(nodes(), SOON);
        Ledger.awaitAlive(nodes(), SOON);
        Await.until("the other app is everywhere", SOON, () -> {
            for (NodeUnderTest node : nodes()) {
                if (node.ask(SoakMember.STAYING, "GET", "/", "").statusCode() != 200) {
                    return false;
                }
            }
            return true;
        });
    }

    private void add(String name, Path where) throws Exception {
        String address = network.add(name);
        members.add(new SoakMember(name, address, where, node(name, name, address, where), over));
    }

    private NodeUnderTest node(String name, String namespace, String address, Path where) {
        return new NodeUnderTest(where, name, network.enter(namespace), List.of("--bind", address, "--port", "8080"));
    }

    private List<NodeUnderTest> nodes() {
        return members.stream().map(SoakMember::node).toList();
    }

    @AfterEach
    void stop() throws Exception {
        over.set(true);
        for (SoakMember member : members) {
            member.client.join(Duration.ofSeconds(70).toMillis());
            member.governor.join(Duration.ofSeconds(70).toMillis());
            member.node().close();
        }
        machine.close();
        network.close();
    }

    /** What a process held, and some time later. */
    private record Held(String node, SoakMember.Holds first, SoakMember.Holds last, long minutes) {
        /**
         * What is in use on the heap tells of some megabytes a minute. What is resident is much less exact: the heap
         * grows and shrinks, the compiler compiles.
         */
        void check() {
            assertThat(last.liveMegabytes()).as("live, %s", this).isLessThan(first.liveMegabytes() + 16 + minutes);
            assertThat(last.residentMegabytes())
                    .as("resident, %s", this)
                    .isLessThan(first.residentMegabytes() + 80 + 2 * minutes);
            assertThat(last.descriptors()).as("descriptors, %s", this).isLessThan(first.descriptors() + 40);
            assertThat(last.fileMegabytes()).as("file, %s", this).isLessThan(first.fileMegabytes() + 8);
        }
    }

    @Test
    void everyFaultAtRandom() throws Exception {
        System.out.println("soak seed=" + SEED + " seconds=" + LENGTH.toSeconds());
        SoakFaults all = new SoakFaults(
                members,
                members.get(VOTERS.indexOf(SMALL)),
                folder.resolve("disk"),
                network,
                member -> node(member.name + ++made, member.name, member.address, member.folder),
                random,
                Duration.ofMillis(LONG ? 6500 : 2000));
        for (SoakMember member : members) {
            member.client.start();
            member.governor.start();
        }
        List<SoakMember> spared = new ArrayList<>(members);
        Collections.shuffle(spared, random);
        if (!LONG) {
            spared = spared.subList(0, 1);
        }
        for (SoakMember member : spared) {
            stretch(all, member, LENGTH.dividedBy(spared.size()));
        }
        over.set(true);
        for (SoakMember member : members) {
            member.client.join();
            member.governor.join();
            assertThat(member.broken()).as("seed %d", SEED).isEmpty();
        }
        Ledger.awaitSame(nodes(), SOON);
        Ledger.awaitAlive(nodes(), SOON);
        long changes = agreed();
        String written = written();
        for (SoakMember member : members) {
            assertThat(FaultyMachine.isWhole(member.node()))
                    .as(member.node().name)
                    .isTrue();
        }
        Await.until(
                "all rows are the same everywhere",
                SOON,
                () -> members.get(0).node().fazt("swarm", "verify").code() == 0);
        System.out.println("soak faults="
                + faults.values().stream().mapToInt(Integer::intValue).sum() + " " + faults);
        System.out.println("soak " + written + " agreed=" + changes);
        held.forEach(one -> System.out.println("soak " + one));
        held.forEach(Held::check);
    }

    /** A time in which one member is not started anew. */
    private void stretch(SoakFaults all, SoakMember spared, Duration length) throws Exception {
        all.spare(spared);
        SoakMember.Holds first = null;
        long begin = System.nanoTime();
        long measured = begin;
        while (System.nanoTime() - begin < length.toNanos()) {
            faults.merge(all.next(), 1, Integer::sum);
            LockSupport.parkNanos(Duration.ofMillis(LONG ? 500 + random.nextInt(2500) : 200 + random.nextInt(500))
                    .toNanos());
            for (SoakMember member : members) {
                assertThat(member.broken()).as("seed %d", SEED).isEmpty();
            }
            if (first == null && System.nanoTime() - begin > length.toNanos() / 3) {
                first = SoakMember.Holds.of(spared.node());
                measured = System.nanoTime();
            }
        }
        SoakMember.Holds last = SoakMember.Holds.of(spared.node());
        held.add(new Held(
                spared.node().name,
                first == null ? last : first,
                last,
                Duration.ofNanos(System.nanoTime() - measured).toMinutes()));
    }

    private static Set<String> aliases(NodeUnderTest node) throws Exception {
        Set<String> aliases = new TreeSet<>();
        for (JsonNode alias : node.api("/api/aliases").get("aliases")) {
            // One that is removed leads nowhere.
            if (!alias.get("app").asText().isEmpty()) {
                aliases.add(alias.get("name").asText());
            }
        }
        return aliases;
    }

    /** That what was agreed on holds everywhere; how much it was. */
    private long agreed() throws Exception {
        Await.until("all know of the same aliases", SOON, () -> {
            Set<String> first = aliases(members.get(0).node());
            for (SoakMember member : members) {
                if (!aliases(member.node()).equals(first)) {
                    return false;
                }
            }
            return true;
        });
        Set<String> aliases = aliases(members.get(0).node());
        long changes = 0;
        for (SoakMember member : members) {
            changes += member.governor.changes();
            member.governor
                    .agreed()
                    .forEach((alias, there) -> assertThat(aliases.contains(alias))
                            .as("what was agreed of %s holds, seed %d", alias, SEED)
                            .isEqualTo(there));
        }
        assertThat(changes).as("agreed on under load").isPositive();
        return changes;
    }

    /** That what was acknowledged is there; how much it was. */
    private String written() throws Exception {
        long writes = 0;
        long attempts = 0;
        long refused = 0;
        Map<String, Long> values = members.get(0).values();
        for (SoakMember member : members) {
            writes += member.client.writes();
            attempts += member.client.attempts();
            refused += member.client.refused();
            Map<String, Long> tried = member.client.tried();
            member.client
                    .acknowledged()
                    .forEach((key, number) -> assertThat(values.getOrDefault(key, 0L))
                            .as("%s, seed %d", key, SEED)
                            .isBetween(number, tried.getOrDefault(key, 0L)));
        }
        assertThat(members.get(0).total()).as("counted, seed %d", SEED).isBetween(writes, attempts);
        assertThat(writes).as("under load").isGreaterThan(LENGTH.toSeconds() * SoakMember.WRITES_A_SECOND / 4);
        return "writes=" + writes + " unknown=" + (attempts - writes) + " of-full-disks=" + refused;
    }
}
