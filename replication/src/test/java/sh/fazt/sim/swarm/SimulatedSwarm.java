package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.sim.LinkQuality;
import sh.fazt.sim.SimWorld;
import sh.fazt.sync.Fencing;

/** A swarm of whole nodes for one seed: it starts, has its faults, heals, and is checked. */
final class SimulatedSwarm {
    static final Duration START = Duration.ofSeconds(30);
    static final Duration CONVERGE = Duration.ofSeconds(120);
    static final Duration AGREE = Duration.ofSeconds(90);
    static final Duration IDLE = Duration.ofSeconds(665);
    /** A tombstone is a week old before it goes; clocks are an hour off. */
    private static final Duration FORGETTING = Duration.ofDays(7).minusHours(2);

    final SimWorld world;
    final History history = new History();
    final Checks checks = new Checks(this);
    final Agreement agreement;
    /** All that ever were. */
    final List<SimulatedNode> nodes = new ArrayList<>();

    /** A second process with a node's key; null while there is none. */
    @Nullable
    SimulatedNode twin;

    final List<Client> clients = new ArrayList<>();
    final RandomGenerator random;
    final LinkQuality quality;
    private final @Nullable Plant plant;
    private final @Nullable Path folder;
    /** How many nodes it begins with; 0 leaves it to chance. */
    private final int size;
    /** Whether members are away for weeks and months, and deletions are forgotten meanwhile. */
    final boolean passesMonths;
    /** Where values are large enough to fill a slow link. */
    private final boolean bulk;

    private final List<SimulatedNode> voters = new ArrayList<>();
    private boolean troubled;
    private int values;

    private SimulatedSwarm(
            SimWorld world, @Nullable Plant plant, @Nullable Path folder, int size, boolean passesMonths) {
        this.world = world;
        this.passesMonths = passesMonths;
        this.size = size;
        this.plant = plant;
        this.folder = folder;
        this.random = world.random("swarm");
        this.bulk = plant == Plant.UNBOUNDED_QUEUE || folder == null && size == 0 && random.nextInt(100) == 0;
        LinkQuality base = random.nextBoolean() ? LinkQuality.lan() : LinkQuality.wan();
        if (random.nextInt(3) == 0) {
            base = base.withDrop(random.nextDouble() * 0.1)
                    .withDuplicate(random.nextDouble() * 0.1)
                    .withBreaks(0.002);
        }
        int rate = plant == Plant.UNBOUNDED_QUEUE ? 20_000 : 50_000 + random.nextInt(500_000);
        this.quality = bulk ? base.withRate(rate) : base;
        this.agreement = new Agreement(world, voters);
    }

    /** Runs one seed with replicas in memory. @param plant a bug for one of the nodes; null for none */
    static void inMemory(SimWorld world, @Nullable Plant plant) {
        new SimulatedSwarm(world, plant, null, 0, false).run();
    }

    /** Runs one seed in which one node has a bug, of the kind that shows it. */
    static void planted(SimWorld world, Plant plant) {
        if (plant == Plant.FORGOTTEN_FLOOR || plant == Plant.KEPT_TOMBSTONES) {
            months(world, plant);
        } else {
            inMemory(world, plant);
        }
    }

    /** Runs one seed with so many nodes, in memory. */
    static void ofSize(SimWorld world, int size) {
        new SimulatedSwarm(world, null, null, size, false).run();
    }

    /** Runs one seed on real cartridges. */
    static void onCartridges(SimWorld world) {
        onCartridges(world, null, false);
    }

    /** Runs one seed of months, on real cartridges. @param plant a bug for one of the nodes; null for none */
    static void months(SimWorld world, @Nullable Plant plant) {
        onCartridges(world, plant, true);
    }

    private static void onCartridges(SimWorld world, @Nullable Plant plant, boolean passesMonths) {
        try {
            Path folder = Files.createTempDirectory("fazt-sim");
            SimulatedSwarm swarm = new SimulatedSwarm(world, plant, folder, 0, passesMonths);
            try {
                swarm.run();
            } finally {
                swarm.nodes.forEach(node -> node.replica.close());
                if (swarm.twin != null) {
                    swarm.twin.replica.close();
                }
                try (Stream<Path> files = Files.walk(folder)) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Members come and go and have every fault, for this long; then all is as it would be after minutes. */
    static void churn(SimWorld world, Duration time) {
        SimulatedSwarm swarm = new SimulatedSwarm(world, null, null, 0, false);
        swarm.start(swarm.quality);
        swarm.troubled = true;
        long end = world.nanos() + time.toNanos();
        for (int round = 0; world.nanos() < end; round++) {
            world.network().quality(swarm.quality);
            Faults faults = new Faults(swarm, world.random("faults" + round));
            swarm.work(50, faults);
            faults.end();
            swarm.settle();
            world.run(IDLE);
            swarm.checks.idle();
            swarm.checks.flat();
        }
        swarm.checks.atTheEnd();
    }

    /** How many times a change is sent for each node that needs it, where nothing goes wrong. */
    static double copies(SimWorld world, int size) {
        SimulatedSwarm swarm = new SimulatedSwarm(world, null, null, size, false);
        swarm.start(LinkQuality.lan());
        world.run(Duration.ofSeconds(5));
        long sent = swarm.sent();
        long changes = swarm.nodes.get(0).vector().aheadOf(VersionVector.EMPTY);
        for (int i = 0; i < 100; i++) {
            swarm.clients.get(0).act();
            world.run(Duration.ofMillis(100));
        }
        swarm.settle();
        changes = swarm.nodes.get(0).vector().aheadOf(VersionVector.EMPTY) - changes;
        return (double) (swarm.sent() - sent) / (changes * (size - 1));
    }

    private long sent() {
        long sent = 0;
        for (SimulatedNode node : nodes) {
            for (SimulatedNode peer : nodes) {
                sent += node.sync().counters(peer.id).pushed();
            }
        }
        return sent;
    }

    private void run() {
        start(quality);
        boolean calm = random.nextInt(10) == 0;
        Faults faults = new Faults(this, world.random("faults"));
        if (passesMonths) {
            for (int absence = 0; absence < 3; absence++) {
                absence(faults);
            }
        } else {
            work(folder == null ? 50 : 40, calm ? null : faults);
        }
        troubled = true;
        faults.end();
        settle();
        checks.atTheEnd();
        if (passesMonths) {
            pass(Duration.ofDays(10));
            pass(Duration.ofDays(1));
            settle();
            checks.tidied();
            checks.atTheEnd();
        }
        if (world.seed() % 20 == 0) {
            world.run(IDLE);
            checks.idle();
        }
    }

    private void work(int steps, @Nullable Faults faults) {
        for (int step = 0; step < steps; step++) {
            if (faults != null && random.nextInt(4) == 0) {
                troubled = true;
                faults.next();
            }
            clients.get(random.nextInt(clients.size())).act();
            world.run(Duration.ofMillis(1 + random.nextInt(270)));
            checks.bounds();
            if (step % (folder == null ? 2 : 4) == 0) {
                checks.observe(anyOrTwin());
            }
            if (step % 6 == 0) {
                register();
            }
        }
    }

    /** One or more are away for weeks or months, off or where nobody reaches them, and come back. */
    private void absence(Faults faults) {
        troubled = true;
        SimulatedNode one = any();
        // Whoever removes tombstones wrongly does so while others are away.
        List<SimulatedNode> away = members().stream()
                .filter(node -> node.plant == null && (node == one || random.nextInt(4) == 0))
                .toList();
        boolean off = random.nextBoolean();
        for (SimulatedNode node : away) {
            world.trace("%s is away", node.name);
            if (off) {
                node.end(random.nextBoolean());
            } else {
                world.network().isolate(node.id);
            }
        }
        int parts = 1 + random.nextInt(5);
        for (int part = 0; part < parts; part++) {
            work(8, random.nextInt(3) == 0 ? faults : null);
            pass(Duration.ofHours(24L * (1 + random.nextInt(20))));
        }
        for (SimulatedNode node : away) {
            if (!node.removed && !node.isRunning()) {
                node.boot();
            }
        }
        world.network().heal();
        work(8, random.nextInt(3) == 0 ? faults : null);
        world.run(Duration.ofMillis(random.nextInt(10_000)));
    }

    /** Lets time pass, after which each node does what it does every ten minutes. */
    private void pass(Duration time) {
        world.leap(time);
        for (int i = 0; i < 2; i++) {
            world.run(Duration.ofSeconds(1));
            running().forEach(SimulatedNode::tidy);
        }
    }

    /** Whether a deletion of that time may be forgotten. */
    boolean isOld(Stamp stamp) {
        return stamp.hlc().unixMillis() < world.now().minus(FORGETTING).toEpochMilli();
    }

    /** Whether nothing may be there of a name, not even that it was deleted. */
    boolean mayBeForgotten(String name) {
        return history.byName().getOrDefault(name, List.of()).stream()
                .anyMatch(write -> write.puts.get(name) == null && isOld(write.stamp()));
    }

    /** A question or a compare-and-set about the agreed register. */
    private void register() {
        SimulatedNode by = plant == Plant.STALE_RECORD ? nodes.get(0) : any();
        if (by.isRunning()) {
            String now = by.agreed.values().get(Agreement.REGISTER);
            agreement.operate(by, now, random.nextBoolean() ? null : nextValue(), by.plant == Plant.STALE_RECORD);
        }
    }

    private void start(LinkQuality links) {
        world.network().quality(links);
        int count = size > 0 ? size : 2 + random.nextInt(folder == null ? 4 : 2);
        for (int i = 0; i < count; i++) {
            agreement.begin(new Agreement.Entry(Agreement.MEMBER + i, "n" + i));
        }
        boolean skewed = random.nextInt(3) == 0;
        for (int i = 0; i < count; i++) {
            int level = skewed && random.nextBoolean() ? 1 : 2;
            make(i, level, null);
            if (i < 3) {
                voters.add(nodes.get(i));
            }
        }
        nodes.forEach(SimulatedNode::boot);
        await(START, () -> members().stream().allMatch(node -> node.seesAll(members())), Violation.Checker.MEMBERSHIP);
        for (int i = 0; i < 3; i++) {
            clients.add(new Client(this, i, world.random("client" + i)));
        }
    }

    private void settle() {
        await(
                CONVERGE,
                () -> {
                    List<SimulatedNode> members = members();
                    SimulatedNode first = members.get(0);
                    return members.stream()
                            .allMatch(node -> node.vector().equals(first.vector())
                                    && !node.isInDoubt()
                                    && node.agreed.size() == agreementSize());
                },
                Violation.Checker.CONVERGENCE);
        await(AGREE, () -> members().stream().allMatch(node -> node.seesAll(members())), Violation.Checker.MEMBERSHIP);
        world.run(Duration.ofSeconds(3));
        await(CONVERGE, checks::figuresAreRight, Violation.Checker.COMPLETENESS);
    }

    private int agreementSize() {
        return members().stream().mapToInt(node -> node.agreed.size()).max().orElse(0);
    }

    private void await(Duration limit, BooleanSupplier condition, Violation.Checker checker) {
        long until = world.nanos() + limit.toNanos();
        while (!condition.getAsBoolean() && world.nanos() <= until) {
            require(world.nanos() < until, checker, "no agreement within %s: %s", limit, checks.table());
            world.run(Duration.ofMillis(200));
        }
    }

    // ---- nodes ----

    /** @param clonedFrom whose kept copy to begin with, under an identity of its own */
    SimulatedNode make(int number, int level, @Nullable SimulatedNode clonedFrom) {
        var id = world.node(number);
        Plant bug = number == 0 && plant != Plant.STUBBORN_TWIN ? plant : null;
        SimReplica replica;
        if (folder != null) {
            replica = new SimCartridge(
                    folder, id, world.clock(id), level, clonedFrom == null ? null : (SimCartridge) clonedFrom.replica);
        } else {
            HybridClock clock = new HybridClock(world.clock(id));
            SimMemory made = bug == null
                    ? new SimMemory(new Origin(id, 1), clock, null, level)
                    : new PlantedReplica(bug, new Origin(id, 1), clock, level);
            if (clonedFrom != null) {
                made.begin(((SimMemory) clonedFrom.replica).kept());
            }
            replica = made;
        }
        SimulatedNode node = new SimulatedNode(this, id, id, replica, new Agreement.Copy(), level, bug);
        nodes.add(node);
        agreement.bring(node.agreed);
        return node;
    }

    /** Somebody starts the copy that was made of a node's folder, as a second process with its key. */
    SimulatedNode startTwin(SimulatedNode of) {
        SimulatedNode made = of.twin(plant == Plant.STUBBORN_TWIN ? plant : null);
        twin = made;
        world.trace("%s is started beside %s", made.name, of.name);
        made.boot();
        return made;
    }

    /** A node's twin goes away for good. What it told is to stay. */
    void endTwin(SimulatedNode of) {
        SimulatedNode gone = twin;
        if (gone == null || !gone.id.equals(of.id)) {
            return;
        }
        world.trace("%s goes away", gone.name);
        gone.end(true);
        twin = null;
        gone.ownOrigin().ifPresent(history::gone);
        gone.replica.close();
        lost();
    }

    /**
     * A process is told that an older one has its key, and stops. Now and then it is started again; in the end its owner,
     * who was told as well, takes the copy away.
     */
    void copied(SimulatedNode told) {
        world.trace("%s is told that it runs twice", told.name);
        told.end(true);
        SimulatedNode of = node(told.id);
        boolean again = random.nextBoolean();
        world.schedule(Duration.ofMillis(random.nextInt(1500)), () -> {
            boolean there = told == of ? !told.removed : told == twin;
            if (again && there && !told.isRunning()) {
                told.boot();
            }
        });
        world.schedule(Duration.ofMillis(1500 + random.nextInt(1500)), () -> {
            endTwin(of);
            if (!of.removed && !of.isRunning()) {
                of.boot();
            }
        });
    }

    private SimulatedNode node(NodeId id) {
        return nodes.stream().filter(node -> node.id.equals(id)).findFirst().orElseThrow();
    }

    MembershipConfig membership(@Nullable Plant bug) {
        MembershipConfig lan = MembershipConfig.lan();
        if (bug != Plant.HASTY_VERDICT) {
            return lan;
        }
        return new MembershipConfig(
                lan.probePeriod(),
                Duration.ofMillis(30),
                0,
                lan.linkDownTimeout(),
                Duration.ofMillis(20),
                1,
                0,
                lan.gossipPeriod(),
                lan.gossipFanout(),
                lan.retransmitFactor(),
                lan.gossipBytes(),
                lan.exchangePeriod(),
                lan.awayPeriod(),
                lan.deadProbePeriod(),
                0,
                lan.lateness());
    }

    /** Members that run: those that have to agree. */
    List<SimulatedNode> members() {
        return nodes.stream()
                .filter(node -> node.isRunning() && node.isMember())
                .toList();
    }

    Agreement.Entry eviction(SimulatedNode node, List<Fence> fences) {
        return new Agreement.Entry(Agreement.EVICTED + nodes.indexOf(node), node.name, fences);
    }

    /** It is agreed, whoever has heard of it. */
    void agreed(Agreement.Entry entry) {
        if (entry.key().startsWith(Agreement.EVICTED)) {
            SimulatedNode out = nodes.get(Agreement.number(entry.key()));
            out.evicted = true;
            VersionVector upTo = Fencing.upTo(out.id, entry.fences())
                    .getOrDefault(nodes.get(0).replica.scope(), VersionVector.EMPTY);
            history.fence(out.id, upTo);
            world.trace("%s is evicted, up to %s", out.name, upTo);
            lost();
        }
    }

    /** What an evicted node wrote, or a twin that is gone, is lost when the last member that had it loses it. */
    void lost() {
        history.mayBeLost(nodes.stream()
                .filter(SimulatedNode::isMember)
                .map(node -> node.replica.store().certain(node.replica.scope()))
                .reduce(VersionVector.EMPTY, VersionVector::merge));
        fenced();
    }

    /** What an evicted node wrote is lost when no member has it any more. */
    void fenced() {
        for (History.Write write : history.all()) {
            if (history.fences().containsKey(write.dot().origin().node())
                    && nodes.stream()
                            .filter(SimulatedNode::isMember)
                            .noneMatch(node -> write.isIn(
                                    node.replica.store().certain(write.dot().scope())))) {
                write.mayBeLost = true;
            }
        }
    }

    List<SimulatedNode> running() {
        return nodes.stream().filter(SimulatedNode::isRunning).toList();
    }

    /** One that was not removed. */
    SimulatedNode any() {
        List<SimulatedNode> members =
                nodes.stream().filter(node -> !node.removed).toList();
        return members.get(random.nextInt(members.size()));
    }

    /** Where somebody may read or write: a twin is another place. */
    SimulatedNode anyOrTwin() {
        SimulatedNode one = any();
        return twin != null && random.nextInt(3) == 0 ? twin : one;
    }

    boolean areLinked(SimulatedNode one, SimulatedNode other) {
        return one.isRunning() && other.isRunning() && world.network().isUp(one.place, other.place);
    }

    List<SimulatedNode> linked(SimulatedNode node) {
        return nodes.stream()
                .filter(other -> !other.id.equals(node.id) && areLinked(node, other))
                .toList();
    }

    /** Whether the first node has a bug that only an eviction shows. */
    boolean isAboutEvictions() {
        return plant != null && plant.finders.contains(Violation.Checker.FENCING);
    }

    /** Whether the first node has a bug that only a folder that is set back shows. */
    boolean isAboutSetBacks() {
        return plant == Plant.UNDOUBTED || plant == Plant.HASTY_TRUST || plant == Plant.LOST_SHARE;
    }

    /** Whether the first node has a bug that only its twin shows. */
    boolean isAboutTwins() {
        return plant == Plant.STUBBORN_TWIN;
    }

    /** Whether nothing but what is kept of the others can tell a node, or a copy of it, that it was set back. */
    boolean isAnySetBack() {
        return twin != null || nodes.stream().anyMatch(SimulatedNode::isSetBack);
    }

    boolean isVoter(SimulatedNode node) {
        return voters.contains(node);
    }

    /** Whether a verdict on a running member may be wrong: after faults, or when much is lost. */
    boolean mayDie() {
        return troubled;
    }

    String nextValue() {
        String value = "v" + values++;
        boolean large = bulk && (random.nextInt(8) == 0 || plant == Plant.UNBOUNDED_QUEUE);
        return large ? value + "-" + "x".repeat(200_000 + random.nextInt(300_000)) : value;
    }

    void committed(SimulatedNode node, CommitListener.Commit commit) {
        world.mark(Objects.hash(node.name, commit.local()));
        history.took(node.id, node.vector());
        if (folder == null) {
            checks.pair(node);
        }
    }
}
