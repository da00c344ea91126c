package sh.fazt.sim.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import sh.fazt.sim.SimWorld;

/**
 * What goes wrong. Each seed has some kinds of faults and not the others, so that the rare combinations are not
 * drowned by the common ones.
 */
final class Faults {
    private enum Kind {
        ISOLATE,
        CUT,
        HEAL,
        BREAK,
        FLAP,
        PAUSE,
        SKEW,
        YEARS,
        CRASH,
        POWER,
        COPY,
        RESTORE,
        SET_BACK,
        TWIN,
        CLONE,
        ADD,
        REMOVE,
        EVICT,
        UPGRADE,
        DISK,
        SLOW
    }

    private static final int MOST_NODES = 8;
    /** After these others may not be able to tell a node that it was set back: DESIGN.md has that limit. */
    private static final Set<Kind> TELLING =
            EnumSet.of(Kind.RESTORE, Kind.SET_BACK, Kind.TWIN, Kind.CLONE, Kind.ADD, Kind.REMOVE, Kind.EVICT);

    /** Not while months pass: a deletion of a wrong year stays for years, and fences bring back what was deleted. */
    private static final Set<Kind> LASTING = EnumSet.of(Kind.YEARS, Kind.EVICT, Kind.TWIN);

    private final SimulatedSwarm swarm;
    private final SimWorld world;
    private final RandomGenerator random;
    private final List<Kind> kinds = new ArrayList<>();
    private boolean over;
    private boolean joining;
    private boolean evicting;

    Faults(SimulatedSwarm swarm, RandomGenerator random) {
        this.swarm = swarm;
        this.world = swarm.world;
        this.random = random;
        for (Kind kind : Kind.values()) {
            if (swarm.passesMonths && LASTING.contains(kind)) {
                continue;
            }
            if (kind == Kind.HEAL
                    || random.nextBoolean()
                    || kind == Kind.EVICT && swarm.isAboutEvictions()
                    || kind == Kind.SET_BACK && swarm.isAboutSetBacks()
                    || kind == Kind.TWIN && swarm.isAboutTwins()) {
                kinds.add(kind);
            }
        }
    }

    void next() {
        SimulatedNode one = swarm.any();
        SimulatedNode other = swarm.any();
        Kind kind = kinds.get(random.nextInt(kinds.size()));
        if (swarm.isAnySetBack() && TELLING.contains(kind)) {
            return;
        }
        switch (kind) {
            case ISOLATE -> world.network().isolate(one.id);
            case CUT -> {
                if (one != other) {
                    world.network().cut(one.id, other.id);
                }
            }
            case HEAL -> world.network().heal();
            case BREAK -> {
                if (one != other) {
                    world.network().breakLink(one.id, other.id);
                }
            }
            case FLAP -> flap(one, other, 8);
            case PAUSE ->
                world.pause(one.id, Duration.ofMillis(random.nextInt(10) == 0 ? 30_000 : random.nextInt(4000)));
            case SKEW -> world.skew(one.id, Duration.ofSeconds(random.nextInt(7200) - 3600));
            case YEARS -> world.skew(one.id, Duration.ofDays(random.nextBoolean() ? 730 : 0));
            case CRASH -> restart(one, true);
            case POWER -> restart(one, false);
            case COPY -> one.keep();
            case RESTORE -> one.restore();
            case SET_BACK -> {
                SimulatedNode node = swarm.isAboutSetBacks() ? swarm.nodes.get(0) : one;
                if (!joining && !evicting && node.isRunning() && node.isMember()) {
                    node.setBack();
                }
            }
            case TWIN -> {
                SimulatedNode node = swarm.isAboutTwins() ? swarm.nodes.get(0) : one;
                if (node.isRunning()) {
                    node.keep();
                    twin(node, 20);
                }
            }
            case CLONE -> join(one);
            case ADD -> join(null);
            case REMOVE -> remove(one);
            case EVICT -> evict(one, swarm.isAboutEvictions() ? swarm.nodes.get(0) : other);
            case UPGRADE -> {
                if (one.level == 1) {
                    one.nextLevel = 2;
                    restart(one, true);
                }
            }
            case DISK -> {
                one.failing = one.failing > 0 ? 0 : 0.2;
                if (one.isRunning()) {
                    one.writer().failing = one.failing;
                }
            }
            case SLOW -> {
                if (one != other) {
                    world.network().quality(one.id, other.id, swarm.quality.withRate(2_000 + random.nextInt(50_000)));
                }
            }
        }
    }

    private void flap(SimulatedNode one, SimulatedNode other, int times) {
        if (one != other && !over && times > 0) {
            world.network().breakLink(one.id, other.id);
            world.schedule(Duration.ofMillis(100 + random.nextInt(2000)), () -> flap(one, other, times - 1));
        }
    }

    /** Starts a copy of a node beside it once all others know more of it, each where some of the others don't see it. */
    private void twin(SimulatedNode node, int tries) {
        if (over || tries == 0) {
            return;
        }
        if (joining || evicting || swarm.isAnySetBack() || !node.mayHaveTwin()) {
            world.schedule(Duration.ofMillis(200), () -> twin(node, tries - 1));
            return;
        }
        SimulatedNode twin = swarm.startTwin(node);
        boolean apart = random.nextInt(4) > 0;
        for (SimulatedNode other : swarm.nodes) {
            if (apart && other != node) {
                SimulatedNode hidden = random.nextBoolean() ? node : twin;
                world.network().partition(List.of(hidden.place), List.of(other.id));
                world.network().breakLink(hidden.place, other.id);
            }
        }
        world.schedule(Duration.ofMillis(500 + random.nextInt(4000)), () -> {
            if (swarm.twin == twin) {
                swarm.endTwin(node);
            }
        });
    }

    private void restart(SimulatedNode node, boolean seen) {
        if (!node.isRunning()) {
            return;
        }
        node.end(seen);
        world.schedule(Duration.ofMillis(random.nextInt(6000)), () -> {
            if (!node.removed && !node.isRunning()) {
                node.boot();
            }
        });
    }

    /** A new member, empty or with what a copy of another one's file holds. */
    private void join(@org.jspecify.annotations.Nullable SimulatedNode copied) {
        int number = swarm.nodes.size();
        SimulatedNode by = swarm.any();
        if (swarm.members().size() >= MOST_NODES || !by.isRunning() || !by.isMember() || joining) {
            return;
        }
        joining = true;
        if (copied != null) {
            copied.keep();
        }
        swarm.agreement.propose(by, new Agreement.Entry(Agreement.MEMBER + number, "n" + number), () -> {
            // A proposer that stood still may be answered when another one has had the number.
            if (swarm.nodes.size() == number) {
                swarm.make(number, 2, copied).boot();
            }
        });
        // One at a time, as the number is the next one's.
        world.schedule(Duration.ofSeconds(4), () -> joining = false);
    }

    private void remove(SimulatedNode node) {
        SimulatedNode by = swarm.any();
        if (isSpare(node) && !swarm.isVoter(node) && by != node && by.isMember() && by.isRunning()) {
            int number = swarm.nodes.indexOf(node);
            swarm.agreement.propose(by, new Agreement.Entry(Agreement.MEMBER + number, null), () -> {
                if (!node.removed) {
                    node.remove();
                }
            });
        }
    }

    private boolean isSpare(SimulatedNode node) {
        return node.isMember()
                && swarm.nodes.stream().filter(SimulatedNode::isMember).count() > 2;
    }

    /** Now and then while one is cut off with it, who hears of it late. */
    private void evict(SimulatedNode node, SimulatedNode late) {
        List<SimulatedNode> others = swarm.nodes.stream()
                .filter(one -> one != node && one != late && one.isMember() && one.isRunning())
                .toList();
        if (!isSpare(node) || node.plant != null || others.isEmpty() || evicting) {
            return;
        }
        SimulatedNode by = others.get(random.nextInt(others.size()));
        if (late != node && random.nextBoolean()) {
            for (SimulatedNode one : others) {
                for (SimulatedNode away : List.of(node, late)) {
                    world.network().partition(List.of(away.id), List.of(one.id));
                    world.network().breakLink(away.id, one.id);
                }
            }
        }
        evicting = true;
        Eviction.begin(by, node);
        world.schedule(Duration.ofSeconds(15), () -> evicting = false);
    }

    /** Everything works again; clocks stay as wrong as they are. */
    void end() {
        over = true;
        swarm.nodes.forEach(swarm::endTwin);
        world.network()
                .quality(
                        swarm.quality.withDrop(0).withBreaks(0).withDuplicate(0).withRate(0));
        for (SimulatedNode one : swarm.nodes) {
            for (SimulatedNode other : swarm.nodes) {
                if (one != other) {
                    world.network()
                            .quality(
                                    one.id,
                                    other.id,
                                    swarm.quality
                                            .withDrop(0)
                                            .withBreaks(0)
                                            .withDuplicate(0)
                                            .withRate(0));
                }
            }
        }
        world.network().heal();
        // What was proposed is agreed or refused, and a node that stands still goes on.
        world.run(Duration.ofSeconds(4));
        for (SimulatedNode node : List.copyOf(swarm.nodes)) {
            node.failing = 0;
            if (!node.removed && node.level == 1) {
                node.nextLevel = 2;
                node.end(true);
            }
            if (!node.removed && !node.isRunning()) {
                node.boot();
            }
            if (!node.removed) {
                node.writer().failing = 0;
            }
        }
    }
}
