package sh.fazt.sim;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;

/**
 * The network of a {@link SimWorld}: every two nodes that run have a link, which comes up by itself and, when
 * it broke, again after a back-off.
 *
 * <p>A link is a stream: what is sent on a channel arrives in order or, when the link breaks, not at all. A
 * cut holds back what goes that way, and gives it back on healing as TCP would, unless the link has
 * broken by then for want of an answer. Confined to the simulation's thread.
 */
public final class SimNetwork {
    private static final long CONNECT_MIN_NANOS = Duration.ofMillis(20).toNanos();
    private static final long CONNECT_SPREAD_NANOS = Duration.ofMillis(980).toNanos();

    private final SimWorld world;
    private final RandomGenerator random;
    private final RandomGenerator pulse;
    private final Map<NodeId, SimLinks> links = new TreeMap<>();
    private final Map<Way, SimPair> pairs = new HashMap<>();
    private final Map<Way, LinkQuality> qualities = new HashMap<>();
    private final Set<Way> cuts = new HashSet<>();
    private final Map<NodeId, Set<NodeId>> refused = new HashMap<>();
    /** Where a second process with a node's key runs, and the node. */
    private final Map<NodeId, NodeId> shown = new TreeMap<>();

    private final List<Tap> taps = new ArrayList<>();
    private LinkQuality quality = LinkQuality.lan();
    private boolean reorderChannels = true;
    private long messages;

    SimNetwork(SimWorld world) {
        this.world = world;
        this.random = world.random("network");
        this.pulse = world.random("pulse");
    }

    /** Sees every message and request that is given to the network, lost ones included. */
    @FunctionalInterface
    public interface Tap {
        void sent(NodeId from, NodeId to, Channel channel, byte[] message);
    }

    /** One direction between two nodes. */
    record Way(NodeId from, NodeId to) {
        Way back() {
            return new Way(to, from);
        }
    }

    /**
     * The node's links, of its present boot. After a crash and restart they are new; name the handlers at
     * once, since links come up as time passes.
     */
    public Links linksOf(NodeId node) {
        SimLinks known = links.get(node);
        if (known != null && known.isLive()) {
            return known;
        }
        if (!world.isUp(node)) {
            throw new IllegalStateException(world.name(node) + " is down: restart it before asking for its links");
        }
        if (known != null) {
            // A new process does not know the old one's connections.
            pairsOf(node).forEach(pair -> pair.breakNow("connection reset by peer"));
        }
        refused.remove(node);
        SimLinks made = new SimLinks(world, this, world.node(node));
        links.put(node, made);
        for (NodeId other : links.keySet()) {
            if (!other.equals(node)) {
                pair(node, other).connectSoon();
            }
        }
        return made;
    }

    // ---- quality ----

    /** The quality of every way that has none of its own. */
    public void quality(LinkQuality all) {
        quality = all;
    }

    /** The quality of one direction. */
    public void quality(NodeId from, NodeId to, LinkQuality one) {
        qualities.put(new Way(from, to), one);
    }

    /** Whether channels of one link may overtake each other (they do unless told otherwise); within a channel never. */
    public void reorderChannels(boolean reorder) {
        reorderChannels = reorder;
    }

    /** Shows everything that is sent from now on. */
    public void observe(Tap tap) {
        taps.add(tap);
    }

    /** How many messages, requests and answers were sent. */
    public long messages() {
        return messages;
    }

    /** How many bytes of a channel wait at the sender because the way is slow. */
    public long queuedBytes(NodeId from, NodeId to, Channel channel) {
        return pair(from, to).queued(from, channel);
    }

    // ---- faults ----

    /** Lets nothing through from the first to the second; the other way stays open. */
    public void cut(NodeId from, NodeId to) {
        if (cuts.add(new Way(from, to))) {
            world.trace("cut %s -> %s", world.name(from), world.name(to));
            pair(from, to).wasCut();
        }
    }

    /** Cuts both ways between every node of one set and every node of the other. */
    public void partition(Collection<NodeId> one, Collection<NodeId> other) {
        for (NodeId a : one) {
            for (NodeId b : other) {
                cut(a, b);
                cut(b, a);
            }
        }
    }

    /** Cuts the node off from all others that have links. */
    public void isolate(NodeId node) {
        List<NodeId> others = new ArrayList<>(links.keySet());
        others.remove(node);
        partition(List.of(node), others);
    }

    /** Opens one direction again. */
    public void heal(NodeId from, NodeId to) {
        if (cuts.remove(new Way(from, to))) {
            world.trace("heal %s -> %s", world.name(from), world.name(to));
            pair(from, to).wasHealed();
        }
    }

    /** Ends every cut. */
    public void heal() {
        cuts.stream()
                .sorted(Comparator.comparing(Way::from).thenComparing(Way::to))
                .toList()
                .forEach(way -> heal(way.from(), way.to()));
    }

    /** Breaks the link of two nodes now; it comes up again by itself. */
    public void breakLink(NodeId a, NodeId b) {
        pair(a, b).breakNow("broken by the test");
    }

    /** Names whom a node's present boot has no link with, whoever dials; those it has one with are cut off at once. */
    public void refuse(NodeId node, Collection<NodeId> others) {
        Set<NodeId> now = new TreeSet<>(others);
        Set<NodeId> before = refused.put(node, now);
        now.forEach(other -> places(other).forEach(place -> pair(node, place).breakNow("refused")));
        if (before != null) {
            before.removeAll(now);
            before.forEach(
                    other -> places(other).forEach(place -> pair(node, place).connectSoon()));
        }
    }

    /** Runs when a node's present boot is told that an older process has its key. */
    public void onCopy(NodeId node, Runnable task) {
        live(node).onCopy(task);
    }

    /** Whether the two are linked at present. */
    public boolean isUp(NodeId a, NodeId b) {
        return pair(a, b).isUp();
    }

    // ---- for the parts ----

    void show(NodeId place, NodeId as) {
        shown.put(place, as);
    }

    /** The id that others know who runs at a place by. */
    NodeId shown(NodeId place) {
        return shown.isEmpty() ? place : shown.getOrDefault(place, place);
    }

    boolean haveOneKey(NodeId one, NodeId other) {
        return shown(one).equals(shown(other));
    }

    /** Where processes with a node's key run, or did. */
    private List<NodeId> places(NodeId id) {
        List<NodeId> places = new ArrayList<>();
        places.add(id);
        shown.forEach((place, as) -> {
            if (as.equals(id)) {
                places.add(place);
            }
        });
        return places;
    }

    /** The way to whoever of those with a node's key is linked with this one. */
    SimPair pairTo(NodeId from, NodeId id) {
        if (!shown.isEmpty()) {
            for (NodeId place : places(id)) {
                SimPair pair = pair(from, place);
                if (pair.isUp()) {
                    return pair;
                }
            }
        }
        return pair(from, id);
    }

    /**
     * Whether a node takes a link with a process. As the real links do it: of two processes with one key the older one
     * has the link, if it answers, and the younger one is told.
     */
    boolean takes(NodeId node, NodeId caller) {
        if (shown.isEmpty()) {
            return true;
        }
        for (NodeId place : places(shown(caller))) {
            SimPair present = place.equals(caller) ? null : pair(node, place);
            if (present == null || !present.isUp()) {
                continue;
            }
            if (!present.answers()) {
                present.breakNow("replaced by a new one");
                continue;
            }
            boolean callerIsYounger = world.node(caller).since >= world.node(place).since;
            if (!callerIsYounger) {
                present.breakNow("two processes have one key");
            }
            live(callerIsYounger ? caller : place).copied();
            return !callerIsYounger;
        }
        return true;
    }

    void ended(NodeId node, boolean seen) {
        SimLinks of = links.get(node);
        if (of != null) {
            of.abandon();
            for (SimPair pair : pairsOf(node)) {
                if (seen) {
                    pair.breakNow("connection reset by peer");
                } else {
                    pair.wasCut();
                }
            }
        }
    }

    List<SimPair> pairsOf(NodeId node) {
        List<SimPair> of = new ArrayList<>();
        for (NodeId other : links.keySet()) {
            SimPair pair = haveOneKey(other, node) ? null : pairs.get(key(node, other));
            if (pair != null) {
                of.add(pair);
            }
        }
        return of;
    }

    boolean refuses(NodeId node, NodeId other) {
        return refused.getOrDefault(node, Set.of()).contains(other);
    }

    boolean isLive(NodeId node) {
        SimLinks of = links.get(node);
        return of != null && of.isLive();
    }

    SimLinks live(NodeId node) {
        SimLinks of = links.get(node);
        if (of == null) {
            throw new IllegalStateException(world.name(node) + " has no links");
        }
        return of;
    }

    SimPair pair(NodeId a, NodeId b) {
        return pairs.computeIfAbsent(key(a, b), way -> new SimPair(world, this, way.from(), way.to()));
    }

    private static Way key(NodeId a, NodeId b) {
        if (a.equals(b)) {
            throw new IllegalArgumentException("a node has no link to itself: " + a.shortText());
        }
        return a.compareTo(b) < 0 ? new Way(a, b) : new Way(b, a);
    }

    boolean isCut(NodeId from, NodeId to) {
        return cuts.contains(new Way(from, to));
    }

    LinkQuality quality(NodeId from, NodeId to) {
        return qualities.isEmpty() ? quality : qualities.getOrDefault(new Way(from, to), quality);
    }

    boolean reordersChannels() {
        return reorderChannels;
    }

    RandomGenerator chance() {
        return random;
    }

    /** Chance for the links' own pings, of which there are many: the history of the rest does not hang on it. */
    RandomGenerator pulse() {
        return pulse;
    }

    long connectDelayNanos() {
        return CONNECT_MIN_NANOS + (long) (random.nextDouble() * CONNECT_SPREAD_NANOS);
    }

    void count(NodeId from, NodeId to, Channel channel, byte[] message) {
        messages++;
        for (Tap tap : taps) {
            tap.sent(from, to, channel, message);
        }
    }
}
