package sh.fazt.link;

import java.io.IOException;
import java.net.ConnectException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * Passes on streams between members that can't reach each other, and is one end of such streams. A relay sees
 * sizes: inside is a TLS session between the two ends. One hop: a relayed link has no relay lane. Confined to
 * the loop.
 */
final class Relays {
    /** Streams of one pair: the link, one that replaces it, and the attempts of both. */
    private static final int MAX_PER_PAIR = 4;
    /** How far the rate may be exceeded for a moment, in seconds of it. */
    private static final double BURST = 0.1;

    private final GrpcLinks links;
    private final Map<Pair, Passing> passing = new HashMap<>();
    private @Nullable RelayServerChannel server;

    /** Two members, the smaller first. */
    private record Pair(NodeId one, NodeId other) {
        static Pair of(NodeId a, NodeId b) {
            return a.compareTo(b) < 0 ? new Pair(a, b) : new Pair(b, a);
        }
    }

    private static final class Passing {
        final TokenBucket cap;
        final Set<RelayLeg> streams = new HashSet<>();

        Passing(TokenBucket cap) {
            this.cap = cap;
        }
    }

    Relays(GrpcLinks links) {
        this.links = links;
    }

    void server(@Nullable RelayServerChannel takes) {
        server = takes;
    }

    /** Begins a stream to a node through a relay. */
    RelayLeg open(Relayed to) throws IOException {
        Peer relay = links.trusted(to.relay());
        RelayLeg leg = relay == null
                ? null
                : relay.relayLane().open(Wire.RELAY_OPEN, to.node().bytes());
        if (leg == null) {
            throw new ConnectException(
                    "there is no link to the relay " + to.relay().shortText());
        }
        return leg;
    }

    /** A peer has begun a stream: through us, or to us. */
    void opened(RelayLeg leg, byte[] named, boolean through) {
        NodeId other = NodeId.of(named);
        NodeId peer = leg.lane().peer().id();
        if (through) {
            pass(leg, peer, other);
        } else {
            RelayServerChannel takes = server;
            if (takes == null || links.trusted(other) == null || other.equals(peer)) {
                leg.close("node " + links.id().shortText() + " takes no stream of node " + other.shortText());
            } else {
                leg.accept();
                takes.accept(leg, new Relayed(other, peer));
            }
        }
    }

    private void pass(RelayLeg leg, NodeId from, NodeId to) {
        String relay = "node " + links.id().shortText() + " can't relay to node " + to.shortText() + ": ";
        Peer target = links.trusted(to);
        if (to.equals(links.id()) || to.equals(from)) {
            leg.lane().peer().misbehaved(Fault.MALFORMED, "a relayed stream that needs no relay");
            leg.close(relay + "that needs no relay");
        } else if (!links.settings().relays(from) || !links.settings().relays(to)) {
            leg.close(relay + "its owner has switched that off");
        } else if (target == null || !target.relayLane().isOpen()) {
            leg.close(relay + "it has no link to it");
        } else {
            Pair pair = Pair.of(from, to);
            Passing now = passing.computeIfAbsent(
                    pair, unused -> new Passing(new TokenBucket(links::nanos, 1, RelayLeg.PIECE)));
            rate(now.cap);
            RelayLeg on = now.streams.size() >= MAX_PER_PAIR
                    ? null
                    : target.relayLane().open(Wire.RELAY_COMING, from.bytes());
            if (on == null) {
                leg.close(relay + "too many streams of this pair");
                forget(pair, now);
                return;
            }
            now.streams.add(leg);
            links.counts().relayed.increment();
            RelayLeg.join(leg, on, now.cap, () -> {
                now.streams.remove(leg);
                forget(pair, now);
            });
        }
    }

    private void forget(Pair pair, Passing now) {
        if (now.streams.isEmpty()) {
            passing.remove(pair, now);
        }
    }

    /** The owner has set something: it holds at once for what passes already. */
    void settingsChanged() {
        LinkSettings settings = links.settings();
        List.copyOf(passing.entrySet()).forEach(entry -> {
            Pair pair = entry.getKey();
            Passing now = entry.getValue();
            if (settings.relays(pair.one()) && settings.relays(pair.other())) {
                rate(now.cap);
            } else {
                List.copyOf(now.streams).forEach(leg -> leg.close("the relay's owner has switched that off"));
            }
        });
    }

    private void rate(TokenBucket cap) {
        long rate = links.settings().relayRate();
        cap.rate(rate, Math.max(RelayLeg.PIECE, (long) (rate * BURST)));
    }
}
