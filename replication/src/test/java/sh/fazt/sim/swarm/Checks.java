package sh.fazt.sim.swarm;

import static sh.fazt.sim.swarm.Violation.require;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.link.Channel;
import sh.fazt.sim.swarm.History.Write;
import sh.fazt.sim.swarm.SimReplica.Version;
import sh.fazt.sim.swarm.SimReplica.View;
import sh.fazt.sim.swarm.Violation.Checker;

/** What is checked while the swarm runs, and once it is quiet. */
final class Checks {
    /** What may be on its way to one peer, and the largest message that is sent. */
    private static final long MOST_QUEUED = (8L << 20) + (4L << 20);
    /** Timers and tasks of a node at rest, with however many peers. */
    private static final int MOST_PENDING = 8;
    /** Sixteen, and the one that is being refused. */
    private static final int MOST_SPOOLS = 17;

    private final SimulatedSwarm swarm;
    private final Oracle oracle;

    Checks(SimulatedSwarm swarm) {
        this.swarm = swarm;
        this.oracle = new Oracle(swarm.history, swarm::isOld);
    }

    /** What a node shows at this moment. */
    void observe(SimulatedNode node) {
        // What is in doubt has no name yet.
        if (node.isRunning() && !node.isInDoubt()) {
            check(node, node.view());
        }
    }

    private void check(SimulatedNode node, View view) {
        view.registers().forEach((name, version) -> {
            Write write = swarm.history.find(version.stamp());
            require(write != null, Checker.COMPLETENESS, "%s: nobody wrote %s of %s", node.name, version, name);
            if (write == null) {
                return;
            }
            Write made = write;
            made.puts
                    .keySet()
                    .forEach(other -> notBefore(Checker.ATOMICITY, node, view, name, made, other, made.stamp()));
            made.seen.forEach((other, stamp) -> notBefore(Checker.SESSION, node, view, name, made, other, stamp));
        });
        require(
                view.vector().equals(node.vector()),
                Checker.COMPLETENESS,
                "%s has %s in its file and %s in memory",
                node.name,
                view.vector(),
                node.vector());
        oracle.checkSums(node.name, view);
        oracle.checkCells(node.name, view, node.level > 1);
    }

    /** Whoever sees this write sees at least that version of the other name. */
    private static void notBefore(
            Checker checker, SimulatedNode node, View view, String name, Write made, String other, Stamp stamp) {
        if (node.level == 1 && other.startsWith(SimReplica.LATE)) {
            return;
        }
        History history = node.swarm.history;
        if (history.isFencedOut(stamp) && !view.vector().includes(stamp.origin(), stamp.sequence())) {
            // Its writer was evicted: whoever saw it there may have written, and stays.
            return;
        }
        Version version = view.registers().get(other);
        if (version == null && node.swarm.mayBeForgotten(other)) {
            return;
        }
        require(
                version != null && version.stamp().compareTo(stamp) >= 0,
                checker,
                "%s shows %s of %s, and of %s %s, which is before %s",
                node.name,
                made.stamp(),
                name,
                other,
                version,
                stamp);
    }

    /** Two rows that are only ever written together. */
    void pair(SimulatedNode node) {
        String left = node.replica.value("left");
        String right = node.replica.value("right");
        require(Objects.equals(left, right), Checker.ATOMICITY, "%s has left %s and right %s", node.name, left, right);
    }

    void bounds() {
        List<SimulatedNode> running = swarm.running();
        for (SimulatedNode from : running) {
            require(
                    from.writer().openSpools() <= MOST_SPOOLS,
                    Checker.BOUNDS,
                    "%s has %s spools open",
                    from.name,
                    from.writer().openSpools());
            for (SimulatedNode to : running) {
                if (from != to) {
                    long queued = swarm.world.network().queuedBytes(from.id, to.id, Channel.CHANGES);
                    require(
                            queued <= MOST_QUEUED,
                            Checker.BOUNDS,
                            "%s holds %s bytes for %s",
                            from.name,
                            queued,
                            to.name);
                }
            }
        }
    }

    void atTheEnd() {
        swarm.fenced();
        List<SimulatedNode> members = swarm.members();
        SimulatedNode first = members.get(0);
        VersionVector vector = first.vector();
        checkSet(members);
        checkRewrites();
        for (SimulatedNode node : members) {
            checkFences(node);
            View view = node.view();
            check(node, view);
            require(node.vector().equals(vector), Checker.CONVERGENCE, "quiet does not stay quiet at %s", node.name);
            List<String> damage = node.replica.damage();
            require(damage.isEmpty(), Checker.COMPLETENESS, "%s: %s", node.name, damage);
            require(
                    node.writer().digest(node.replica.scope()) == first.writer().digest(first.replica.scope()),
                    Checker.CONVERGENCE,
                    "equal vectors and other digests at %s and %s",
                    node.name,
                    first.name);
            Set<String> losers = node.replica.losers();
            oracle.checkConflicts(vector, losers);
            checkSize(node, view, losers);
            checkFigures(node);
            swarm.agreement.checkCopy(node.name, node.agreed);
        }
        for (Write write : swarm.history.all()) {
            require(
                    write.isIn(vector) || write.mayBeLost || write.fencedOut || !write.acknowledged,
                    Checker.COMPLETENESS,
                    "%s was acknowledged and is nowhere",
                    write.stamp());
        }
        swarm.agreement.checkLinearizable();
        vector.entries().values().forEach(swarm.world::mark);
    }

    /** Weeks after all have all, no deleted row is kept. */
    void tidied() {
        for (SimulatedNode node : swarm.members()) {
            require(
                    node.replica.tombstones() == 0,
                    Checker.BOUNDS,
                    "%s keeps %s tombstones that all have seen",
                    node.name,
                    node.replica.tombstones());
        }
    }

    /**
     * Ten minutes after the last reader nothing is kept for readers; one that lost an answer asks for 45 s more. Evicted
     * nodes go on among themselves, and one that knows of an older eviction asks another for ever.
     */
    void idle() {
        for (SimulatedNode node : swarm.members()) {
            require(
                    node.writer().openSpools() == 0,
                    Checker.BOUNDS,
                    "%s keeps %s spools that nobody reads",
                    node.name,
                    node.writer().openSpools());
        }
    }

    /** What a node has to do is for those who are members now, however many have come and gone. */
    void flat() {
        List<SimulatedNode> members = swarm.members();
        for (SimulatedNode node : members) {
            long pending = swarm.world.pending(node.id);
            require(
                    pending <= MOST_PENDING,
                    Checker.BOUNDS,
                    "%s has %s timers and tasks with %s peers",
                    node.name,
                    pending,
                    members.size() - 1);
        }
    }

    /** Every insert that was acknowledged is everywhere, what was deleted is nowhere; knows nothing of vectors. */
    private void checkSet(List<SimulatedNode> members) {
        Set<String> deleted = new HashSet<>();
        Set<String> lost = new HashSet<>();
        for (Write write : swarm.history.all()) {
            if (write.fencedOut || write.rewrites) {
                continue;
            }
            write.puts.forEach((name, value) -> {
                if (value == null) {
                    // Who was never answered, or whose disk was replaced, may have deleted it or not.
                    boolean stays = write.acknowledged && !write.mayBeLost && !swarm.history.mayBeUndone(write, name);
                    (stays ? deleted : lost).add(name);
                }
            });
        }
        for (Write write : swarm.history.all()) {
            for (Map.Entry<String, @Nullable String> put : write.puts.entrySet()) {
                String name = put.getKey();
                if (!name.startsWith("s/") || put.getValue() == null) {
                    continue;
                }
                for (SimulatedNode node : members) {
                    String there = node.replica.value(name);
                    if (deleted.contains(name)) {
                        require(there == null, Checker.SET_FULL, "%s is back at %s", name, node.name);
                    } else if (write.acknowledged
                            && !write.mayBeLost
                            && !write.fencedOut
                            && !write.rewrites
                            && !lost.contains(name)
                            && !swarm.history.mayBeWrittenOver(write)) {
                        require(
                                put.getValue().equals(there),
                                Checker.SET_FULL,
                                "%s was acknowledged and is not at %s",
                                name,
                                node.name);
                    }
                }
            }
        }
    }

    /** Of an evicted node all is here up to its fence, and nothing beyond. */
    private void checkFences(SimulatedNode node) {
        VersionVector here = node.vector();
        swarm.history
                .fences()
                .forEach((out, fence) -> require(
                        fence.covers(here.by(out)),
                        Checker.FENCING,
                        "%s has %s of %s, which was evicted, and not only %s",
                        node.name,
                        here.by(out),
                        swarm.world.name(out),
                        fence));
        ReplicaStore.Scan scan = node.replica
                .store()
                .scan(
                        node.replica.scope(),
                        null,
                        row -> row.stamps()
                                .forEach(stamp -> require(
                                        !swarm.history.isFencedOut(stamp),
                                        Checker.FENCING,
                                        "%s has %s of a node that was evicted",
                                        node.name,
                                        row)));
        require(scan.foreign() == 0, Checker.FENCING, "%s has rows beyond its vector", node.name);
        for (Write write : swarm.history.all()) {
            require(
                    write.fencedOut
                            || write.mayBeLost
                            || !swarm.history
                                    .fences()
                                    .containsKey(write.dot().origin().node())
                            || write.isIn(here),
                    Checker.FENCING,
                    "%s lacks %s of an evicted node, which is before its fence",
                    node.name,
                    write.stamp());
        }
    }

    /** What is put in the place of an evicted node's rows is what the members had written, or later. */
    private void checkRewrites() {
        if (swarm.history.fences().isEmpty()) {
            return;
        }
        for (Write rewrite : swarm.history.all()) {
            if (!rewrite.rewrites) {
                continue;
            }
            rewrite.puts.forEach((name, value) -> {
                List<Write> latestFirst = swarm.history.byName().getOrDefault(name, List.of()).stream()
                        .filter(write -> write != rewrite && !write.fencedOut)
                        .toList();
                for (Write write : latestFirst) {
                    if (Objects.equals(write.puts.get(name), value)) {
                        return;
                    }
                    require(
                            !rewrite.knew(write)
                                    || write.rewrites
                                    || isOwn(rewrite, write)
                                    || write.mayBeLost
                                    || swarm.history.mayBeWrittenOver(write),
                            Checker.FENCING,
                            "%s wrote %s for %s in an evicted node's place, and not what %s is",
                            rewrite.stamp(),
                            value,
                            name,
                            write.stamp());
                }
            });
        }
    }

    /**
     * What nobody else had, as nobody has what its writer's lost disk had, is not in others' hands: where it lost, there is a
     * record of it, which is checked.
     */
    private static boolean isOwn(Write rewrite, Write write) {
        return rewrite.dot().origin().node().equals(write.dot().origin().node());
    }

    /** What is kept follows what lives. */
    private void checkSize(SimulatedNode node, View view, Set<String> losers) {
        long origins = view.vector().entries().size();
        long most = view.registers().size() + view.sums().size() * origins + losers.size();
        require(
                node.replica.rowCount() <= most,
                Checker.BOUNDS,
                "%s keeps %s rows where %s live",
                node.name,
                node.replica.rowCount(),
                most);
    }

    /** Whether the figures that the owner is shown are the truth once all is quiet. */
    boolean figuresAreRight() {
        List<SimulatedNode> members = swarm.members();
        for (SimulatedNode node : members) {
            var progress = node.sync().progress();
            for (SimulatedNode other : members) {
                var to = progress.get(other.id);
                if (other != node && (to == null || to.behind() != 0 || to.ahead() != 0)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void checkFigures(SimulatedNode node) {
        require(node.sync().alarms() == 0, Checker.COMPLETENESS, "%s was alarmed about a digest", node.name);
        require(
                node.sync().garbage() == 0 && node.members().counters().garbage() == 0,
                Checker.COMPLETENESS,
                "%s heard garbage from a sound peer",
                node.name);
    }

    /** For the message of a failure. */
    String table() {
        StringBuilder text = new StringBuilder();
        for (SimulatedNode node : swarm.nodes) {
            text.append('\n').append(node.name);
            if (!node.isRunning()) {
                text.append(node.removed ? " was removed" : " is down");
                continue;
            }
            text.append(node.evicted ? " was evicted" : "")
                    .append(" records ")
                    .append(node.agreed.size())
                    .append(" vector {");
            node.vector()
                    .entries()
                    .forEach((origin, seq) -> text.append(swarm.world.name(origin.node()))
                            .append('/')
                            .append(origin.epoch())
                            .append('=')
                            .append(seq)
                            .append(' '));
            text.append("} is @")
                    .append(node.members().self().incarnation())
                    .append(node.members().self().metadata().httpAddress())
                    .append(" and holds");
            node.members()
                    .others()
                    .forEach(seen -> text.append(' ')
                            .append(swarm.world.name(seen.member().id()))
                            .append('=')
                            .append(seen.member().state())
                            .append('@')
                            .append(seen.member().incarnation())
                            .append(seen.member().metadata().httpAddress()));
        }
        return text.toString();
    }
}
