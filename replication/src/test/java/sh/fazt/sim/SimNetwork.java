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
        now.forEach(other -> pair(node, other).breakNow("refused"));
        if (before != null) {
            before.removeAll(now);
            before.forEach(other -> pair(node, other).connectSoon());
        }
    }

    /** Whether the two are linked at present. */
    public boolean isUp(NodeId a, NodeId b) {
        return pair(a, b).isUp();
    }

    // ---- for the parts ----

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
            SimPair pair = other.equals(node) ? null : pairs.get(key(node, other));
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
