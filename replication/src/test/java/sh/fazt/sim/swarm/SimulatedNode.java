package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.ClockOffsets;
import sh.fazt.link.Links;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MemberState;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.membership.MembershipService;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimWorld;
import sh.fazt.sync.SyncService;

/** One whole node: the membership and the sync that ship, on a replica that outlives its processes. */
final class SimulatedNode {
    final NodeId id;
    final String name;
    final SimulatedSwarm swarm;
    final SimReplica replica;
    final Agreement.Copy agreed;
    /** The bug of this node; null when it is sound. */
    final @Nullable Plant plant;

    private final SimWorld world;
    private final RandomGenerator random;
    private final Map<NodeId, Long> incarnations = new HashMap<>();
    private int keptRecords;
    private VersionVector keptVector = VersionVector.EMPTY;
    /** Of its schema. */
    int level;
    /** Of the schema of the release that the next process is. */
    int nextLevel;

    boolean removed;
    double failing;

    // Of the present process.
    private @Nullable Writer writer;
    private @Nullable MembershipService membership;
    private @Nullable SyncService sync;
    private int boots;

    SimulatedNode(
            SimulatedSwarm swarm,
            int number,
            SimReplica replica,
            Agreement.Copy agreed,
            int level,
            @Nullable Plant plant) {
        this.swarm = swarm;
        this.world = swarm.world;
        this.id = world.node(number);
        this.name = world.name(id);
        this.random = world.random("node" + number);
        this.replica = replica;
        this.agreed = agreed;
        this.level = level;
        this.nextLevel = level;
        this.plant = plant;
        keep();
    }

    boolean isRunning() {
        return !removed && writer != null && world.isUp(id);
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

    private boolean has(Plant bug) {
        return plant == bug;
    }

    // ---- coming and going ----

    void boot() {
        world.restart(id);
        boots++;
        Links links = PlantedLinks.of(world.network().linksOf(id), plant, boots);
        SimExecutor executor = world.executor(id);
        Writer disk = new Writer(world, id, replica, swarm.history, random);
        disk.failing = failing;
        disk.leaks = has(Plant.LEAKED_SPOOL);
        MembershipConfig config = swarm.membership(plant);
        MembershipService members = new MembershipService(
                id,
                new MemberMetadata(name, "h:" + boots, java.util.List.of(name + ":4000"), "1", Map.of()),
                config,
                links,
                executor,
                world.clock(id),
                world.nanoClock(),
                random);
        SyncService syncing = new SyncService(disk, null, links, executor, world.executor(id), world.nanoClock());
        disk.listen(syncing);
        disk.listen(commit -> swarm.committed(this, commit));
        incarnations.clear();
        members.listen(this::look);
        executor.scheduleWithFixedDelay(syncing::tick, 100, 250, TimeUnit.MILLISECONDS);
        executor.scheduleWithFixedDelay(
                () -> replica.clock().correct(ClockOffsets.correctionMillis(links.states())), 1, 5, TimeUnit.SECONDS);
        executor.scheduleWithFixedDelay(
                () -> swarm.agreement.feed(this, has(Plant.SKIPPED_RECORD)),
                50 + random.nextInt(200),
                200,
                TimeUnit.MILLISECONDS);
        writer = disk;
        membership = members;
        sync = syncing;
        members.admitted(admitted());
    }

    private Map<NodeId, MemberMetadata> admitted() {
        Map<NodeId, MemberMetadata> admitted = new LinkedHashMap<>();
        for (Map.Entry<String, String> record : agreed.values().entrySet()) {
            if (record.getKey().startsWith(Agreement.MEMBER)) {
                int number = Integer.parseInt(record.getKey().substring(Agreement.MEMBER.length()));
                admitted.put(world.node(number), MemberMetadata.named(record.getValue()));
            }
        }
        return admitted;
    }

    /** A record was agreed and has come here. */
    void agreed(Agreement.Entry entry) {
        if (entry.key().startsWith(Agreement.MEMBER)) {
            Objects.requireNonNull(membership).admitted(admitted());
            if (entry.value() == null) {
                sync().forget(world.node(Integer.parseInt(entry.key().substring(Agreement.MEMBER.length()))));
            }
        }
    }

    /** Ends the process. @param seen whether its peers notice at once */
    void end(boolean seen) {
        if (!isRunning()) {
            return;
        }
        if (seen) {
            world.crash(id);
        } else {
            world.powerOff(id);
        }
        writer().end();
        writer = null;
        membership = null;
        sync = null;
        level = nextLevel;
        replica.crash(level);
    }

    /** Keeps a copy of the file, while it is written. */
    void keep() {
        replica.copy();
        keptRecords = agreed.size();
        keptVector = replica.store().vector(replica.scope());
    }

    /** Puts the kept copy back in the place of the file. */
    void restore() {
        end(true);
        world.trace("%s is restored from an old copy", name);
        swarm.history.mayBeLost(id, keptVector);
        replica.restore();
        agreed.cut(keptRecords);
        boot();
    }

    void remove() {
        end(random.nextBoolean());
        removed = true;
        swarm.history.mayBeLost(id, VersionVector.EMPTY);
    }

    // ---- what clients do ----

    VersionVector vector() {
        return writer().vector(replica.scope());
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
            History.Write write =
                    new History.Write(changeset.dot(), changeset.hlc(), deps, puts, adds, seen, level > 1);
            swarm.history.add(write);
            return write;
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
