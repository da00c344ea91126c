package sh.fazt.swarm;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * This node's clock beside those of its peers. Immutable.
 *
 * @param now          by this machine's clock
 * @param corrected    what writes are stamped with
 * @param offsetMillis what would have to be added to this machine's clock
 * @param correcting   whether that is so much that it is added
 */
public record TimeView(Instant now, Instant corrected, long offsetMillis, boolean correcting, List<Peer> peers) {
    public TimeView {
        peers = List.copyOf(peers);
    }

    /**
     * A peer whose clock was measured. Immutable.
     *
     * @param offsetMillis its clock minus ours
     */
    public record Peer(SwarmView.Named node, long offsetMillis, Duration roundTrip) {}
}
