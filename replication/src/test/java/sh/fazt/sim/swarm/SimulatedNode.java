package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.ClockOffsets;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MemberState;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.membership.MembershipService;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.Fences;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimWorld;
import sh.fazt.sync.Cuts;
import sh.fazt.sync.FencedReplica;
import sh.fazt.sync.Fencing;
import sh.fazt.sync.SyncService;

/** One whole node: the membership and the sync that ship, on a replica that outlives its processes. */
final class SimulatedNode {
    final NodeId id;
    /** Where it runs, as the world knows it: its id, unless it is another node's twin. */
    final NodeId place;

    final String name;
    final SimulatedSwarm swarm;
    final SimReplica replica;
    final Notebook notes;
    final Agreement.Copy agreed;
    /** The bug of this node; null when it is sound. */
    final @Nullable Plant plant;

    private final SimWorld world;
    private final RandomGenerator random;
    private final Map<NodeId, Long> incarnations = new HashMap<>();
    private int keptRecords;
    private VersionVector keptVector = VersionVector.EMPTY;
    private Origin keptOrigin;
    /** What it had written when its folder was set back, until it has it again. */
    private VersionVector lacking = VersionVector.EMPTY;
    /** Of its schema. */
    int level;
    /** Of the schema of the release that the next process is. */
    int nextLevel;

    boolean removed;
    /** By agreement; it does not know. */
    boolean evicted;

    double failing;

    // Of the present process.
    private @Nullable Writer writer;
    private @Nullable MembershipService membership;
    private @Nullable SyncService sync;
    private @Nullable Links links;
    private @Nullable FencedReplica fenced;
    private int boots;

    /** Evicted nodes that this one has heard of, each with the most of it that may be here: the fence, or what was. */
    private final Map<NodeId, VersionVector> shutOut = new TreeMap<>();

    SimulatedNode(
            SimulatedSwarm swarm,
            NodeId id,
            NodeId place,
            SimReplica replica,
            Agreement.Copy agreed,
            int level,
            @Nullable Plant plant) {
        this.swarm = swarm;
        this.world = swarm.world;
        this.id = id;
        this.place = place;
        this.name = world.name(place);
        this.random = world.random("node " + name);
        this.replica = replica;
        this.keptOrigin = replica.store().origin();
        this.notes = new Notebook(replica, swarm.history);
        this.agreed = agreed;
        this.level = level;
        this.nextLevel = level;
        this.plant = plant;
        keep();
    }

    boolean isRunning() {
        return !removed && writer != null && world.isUp(place);
    }

    Writer writer() {
        return Objects.requireNonNull(writer, name);
    }

    SyncService sync() {
        return Objects.requireNonNull(sync, name);
    }

    MembersSnapshot members() {
        return Objects.requireNonNull(membership, name).snapshot();
    }

    Links links() {
        return Objects.requireNonNull(links, name);
    }

    boolean isMember() {
        return !removed && !evicted;
    }

    private boolean has(Plant bug) {
        return plant == bug;
    }

    // ---- coming and going ----

    void boot() {
        world.restart(place);
        boots++;
        Links ways = new NodeLinks(world.network().linksOf(place), plant, boots, this::heard);
        world.network().onCopy(place, () -> swarm.copied(this));
        SimExecutor executor = world.executor(place);
        Writer disk = new Writer(world, place, replica, notes, random);
        disk.failing = failing;
        disk.leaks = has(Plant.LEAKED_SPOOL);
        MembershipConfig config = swarm.membership(plant);
        MembershipService members = new MembershipService(
                id,
                new MemberMetadata(name, "h:" + boots, List.of(name + ":4000"), "1", Map.of()),
                config,
                ways,
                executor,
                world.clock(place),
                world.nanoClock(),
                random);
        FencedReplica admitting = new FencedReplica(disk, world.nanoClock());
        SyncService syncing =
                new SyncService(admitting, null, ways, executor, world.executor(place), world.nanoClock());
        ways.handle(Channel.SWARM, new Eviction.Answers(this));
        Cuts cuts = new Cuts(admitting, syncing, ways, new Group());
        disk.listen(syncing);
        disk.listen(commit -> {
            swarm.committed(this, commit);
            checkFences();
        });
        incarnations.clear();
        members.listen(this::look);
        executor.scheduleWithFixedDelay(syncing::tick, 100, 250, TimeUnit.MILLISECONDS);
        executor.scheduleWithFixedDelay(
                () -> replica.clock().correct(ClockOffsets.correctionMillis(ways.states())), 1, 5, TimeUnit.SECONDS);
        executor.scheduleWithFixedDelay(
                () -> swarm.agreement.feed(this, has(Plant.SKIPPED_RECORD)),
                50 + random.nextInt(200),
                200,
                TimeUnit.MILLISECONDS);
        if (!has(Plant.UNCUT)) {
            executor.scheduleWithFixedDelay(cuts::turn, 1, 1, TimeUnit.SECONDS);
        }
        writer = disk;
        membership = members;
        sync = syncing;
        links = ways;
        fenced = admitting;
        shutOut.clear();
        follow(has(Plant.FORGOTTEN_FENCE) && boots > 1);
    }

    /** Lets follow what is agreed, as far as it has come here; as {@code Consequences} does. */
    private void follow(boolean forgetful) {
        Map<NodeId, Map<Scope, VersionVector>> fences = new TreeMap<>();
        agreed.evicted().forEach((number, record) -> {
            NodeId out = world.node(number);
            fences.put(out, Fencing.upTo(out, planted(record)));
            VersionVector upTo = Fencing.upTo(out, record).getOrDefault(replica.scope(), VersionVector.EMPTY);
            // What was handed to the writer before may come yet.
            var unused = writer().submit(() -> shutOut.putIfAbsent(out, upTo.merge(vector().by(out))));
        });
        if (!forgetful) {
            Objects.requireNonNull(fenced).fence(has(Plant.IGNORED_FENCE) ? Map.of() : fences);
            for (NodeId out : fences.keySet()) {
                sync().forget(out);
            }
            if (!has(Plant.OPEN_DOOR)) {
                world.network().refuse(place, fences.keySet());
            }
        }
        Objects.requireNonNull(membership).admitted(admitted());
    }

    private List<Fence> planted(List<Fence> fences) {
        int off = has(Plant.RAISED_FENCE) ? 1 : has(Plant.LOW_FENCE) ? -1 : 0;
        return fences.stream()
                .map(fence ->
                        fence.toBuilder().setSequence(fence.getSequence() + off).build())
                .toList();
    }

    boolean admits(NodeId other) {
        return admitted().containsKey(other);
    }

    Set<NodeId> linked() {
        return links().states().stream()
                .filter(LinkState::up)
                .map(LinkState::peer)
                .collect(Collectors.toSet());
    }

    CompletionStage<VersionVector> acknowledged(Scope scope, Set<NodeId> nodes) {
        return atOnce(sync().acknowledged(scope, nodes), VersionVector.EMPTY);
    }

    CompletionStage<Boolean> inStep(Scope scope, Set<NodeId> nodes) {
        return atOnce(sync().inStep(scope, nodes), false);
    }

    /** Whoever asks waits, and nothing happens meanwhile. @param otherwise of a node that stands still */
    private <T> CompletionStage<T> atOnce(CompletionStage<T> answer, T otherwise) {
        boolean told = world.runUntil(() -> answer.toCompletableFuture().isDone(), Duration.ZERO);
        return told ? answer : CompletableFuture.completedFuture(otherwise);
    }

    Set<NodeId> others() {
        Set<NodeId> others = new TreeSet<>(admitted().keySet());
        others.remove(id);
        return others;
    }

    /** The members, as {@code CutGroup} has them. */
    private final class Group implements Cuts.Group {
        @Override
        public Set<NodeId> counting() {
            return others();
        }

        @Override
        public boolean catchUp() {
            return swarm.agreement.catchUp(SimulatedNode.this);
        }
    }

    /** Takes nothing more of a node for now, and tells how far it has its rows; as {@code Evictions} does. */
    CompletionStage<Fences> held(NodeId node) {
        FencedReplica holding = Objects.requireNonNull(fenced, name);
        holding.hold(node);
        return writer().submit(() -> true).thenApply(before -> Fencing.written(node, holding.vectors()));
    }

    /** Takes what a node writes again. */
    void released(NodeId node) {
        Objects.requireNonNull(fenced, name).release(node);
    }

    private Map<NodeId, MemberMetadata> admitted() {
        Map<NodeId, MemberMetadata> admitted = new LinkedHashMap<>();
        for (Map.Entry<String, String> record : agreed.values().entrySet()) {
            if (record.getKey().startsWith(Agreement.MEMBER)) {
                admitted.put(world.node(Agreement.number(record.getKey())), MemberMetadata.named(record.getValue()));
            }
        }
        return admitted;
    }

    /** A record was agreed and has come here. */
    void agreed(Agreement.Entry entry) {
        if (entry.key().startsWith(Agreement.MEMBER)) {
            Objects.requireNonNull(membership).admitted(admitted());
            if (entry.value() == null) {
                sync().forget(world.node(Agreement.number(entry.key())));
            }
        } else if (entry.key().startsWith(Agreement.EVICTED)) {
            follow(false);
        }
    }

    /** Ends the process. @param seen whether its peers notice at once */
    void end(boolean seen) {
        if (!isRunning()) {
            return;
        }
        if (seen) {
            world.crash(place);
        } else {
            world.powerOff(place);
        }
        writer().end();
        writer = null;
        membership = null;
        sync = null;
        links = null;
        fenced = null;
        level = nextLevel;
        replica.crash(level);
    }

    /** Keeps a copy of the file, while it is written; not of what is in doubt, which may get another name. */
    void keep() {
        if (replica.store().inDoubt()) {
            return;
        }
        replica.copy();
        keptRecords = agreed.size();
        keptVector = replica.store().vector(replica.scope());
        keptOrigin = replica.store().origin();
    }

    /**
     * Whether a second process could be started on the kept copy: when whoever it meets first can tell it that others
     * hold more of what it writes. Else one number may be used twice: DESIGN.md has that limit.
     */
    boolean mayHaveTwin() {
        long known = keptVector.get(keptOrigin);
        return isMember()
                && swarm.nodes.stream()
                        .filter(node -> node != this && !node.removed)
                        .allMatch(node ->
                                node.replica.store().certain(replica.scope()).get(keptOrigin) > known);
    }

    /** A second process with this node's key, on the copy of its folder that was kept. */
    SimulatedNode twin(@Nullable Plant bug) {
        NodeId there = world.twin(id);
        SimReplica copy = replica instanceof SimMemory memory
                ? memory.twin(new HybridClock(world.clock(there)), bug)
                : ((SimCartridge) replica).twin(there, world.clock(there));
        SimulatedNode made = new SimulatedNode(swarm, id, there, copy, agreed.copy(keptRecords), level, bug);
        made.keptOrigin = keptOrigin;
        return made;
    }

    /** Puts the kept copy back in the place of the file. */
    void restore() {
        end(true);
        world.trace("%s is restored from an old copy", name);
        swarm.history.mayBeLost(id, keptVector);
        replica.restore();
        notes.tear();
        swarm.lost();
        agreed.cut(keptRecords);
        boot();
    }

    /**
     * Sets the whole folder back, when all whom it may meet have what it wrote, the evicted ones among them whose eviction
     * it will have to hear of: none of it may be lost, whatever the node writes before it meets them. What only they know is not to go away meanwhile, see {@link SimulatedSwarm#isAnySetBack}.
     */
    void setBack() {
        Set<Integer> out = agreed.copy(keptRecords).evicted().keySet();
        List<VersionVector> others = swarm.nodes.stream()
                .filter(node ->
                        node != this && !node.removed && !(node.evicted && out.contains(swarm.nodes.indexOf(node))))
                .map(node -> node.replica.store().certain(replica.scope()))
                .toList();
        VersionVector known = others.stream().reduce(replica.store().certain(replica.scope()), VersionVector::merge);
        if (isInDoubt() || !others.stream().allMatch(held -> held.covers(known.by(id)))) {
            return;
        }
        end(true);
        world.trace("%s is set back, folder and all", name);
        // What was written as the process ended, and told to nobody.
        swarm.history.forget(id, known);
        replica.setBack();
        notes.tear();
        swarm.lost();
        agreed.cut(keptRecords);
        lacking = known.by(id);
        boot();
        if (has(Plant.HASTY_TRUST)) {
            writer().settle();
        }
    }

    /** Under which a twin has told what it wrote; empty while it was not told that it is a copy, and has told nothing. */
    Optional<Origin> ownOrigin() {
        Origin now = replica.store().origin();
        require(
                isInDoubt() || !now.equals(keptOrigin),
                Violation.Checker.SEQUENCE,
                "%s goes on as %s, as the node that it was copied from",
                name,
                now);
        return Optional.of(now).filter(origin -> !origin.equals(keptOrigin));
    }

    /** Removes tombstones, unless it stands still. */
    void tidy() {
        if (isRunning() && plant != Plant.KEPT_TOMBSTONES) {
            replica.tidy(this);
        }
    }

    boolean isInDoubt() {
        return replica.store().inDoubt();
    }

    /** Whether only the others have what it wrote, or can tell it what it lacks. */
    boolean isSetBack() {
        if (!isInDoubt() && replica.store().certain(replica.scope()).covers(lacking)) {
            lacking = VersionVector.EMPTY;
        }
        return !lacking.isEmpty();
    }

    void remove() {
        swarm.endTwin(this);
        end(random.nextBoolean());
        removed = true;
        swarm.history.mayBeLost(id, VersionVector.EMPTY);
        swarm.lost();
    }

    // ---- what clients do ----

    VersionVector vector() {
        return writer().certain(replica.scope());
    }

    SimReplica.View view() {
        return replica.view();
    }

    /** Completes once the transaction is durable. */
    CompletionStage<History.Write> write(
            Map<String, @Nullable String> puts, Map<String, Long> adds, Map<String, Stamp> seen) {
        return writer().submit(() -> {
            VersionVector deps = replica.store().vector(replica.scope());
            Changeset changeset = replica.transact(puts, adds);
            History.Write write = new History.Write(
                    changeset.dot(),
                    changeset.hlc(),
                    deps,
                    puts,
                    adds,
                    seen,
                    level > 1 ? puts.keySet() : Set.of(),
                    false);
            notes.add(write);
            return write;
        });
    }

    // ---- evicted nodes ----

    private void heard(NodeId from) {
        require(
                !shutOut.containsKey(from),
                Violation.Checker.FENCING,
                "%s listens to %s, which was evicted",
                name,
                world.name(from));
    }

    /** Once an eviction was heard of, nothing more comes of that node. */
    private void checkFences() {
        shutOut.replaceAll((out, most) -> {
            VersionVector here = vector().by(out);
            require(
                    most.covers(here),
                    Violation.Checker.FENCING,
                    "%s takes %s of %s, which was evicted; it had %s",
                    name,
                    here,
                    world.name(out),
                    most);
            return here.merge(swarm.history.fences().getOrDefault(out, VersionVector.EMPTY));
        });
    }

    // ---- what it believes ----

    private void look(MembersSnapshot snapshot) {
        for (MembersSnapshot.Seen seen : snapshot.others()) {
            NodeId other = seen.member().id();
            long incarnation = seen.member().incarnation();
            Long before = incarnations.put(other, incarnation);
            require(
                    before == null || before <= incarnation,
                    Violation.Checker.MEMBERSHIP,
                    "%s held %s for @%s and goes back to @%s",
                    name,
                    world.name(other),
                    before,
                    incarnation);
            require(
                    seen.member().state() != MemberState.DEAD || swarm.mayDie(),
                    Violation.Checker.MEMBERSHIP,
                    "%s holds %s for dead though nothing has happened",
                    name,
                    world.name(other));
        }
    }

    /** Whether it holds exactly the others for alive, as they present themselves. */
    boolean seesAll(java.util.Collection<SimulatedNode> others) {
        MembersSnapshot here = members();
        int count = 0;
        for (SimulatedNode other : others) {
            if (other != this) {
                count++;
                if (here.other(other.id)
                        .filter(seen -> seen.member().equals(other.members().self()))
                        .isEmpty()) {
                    return false;
                }
            }
        }
        return here.others().size() == count;
    }
}
