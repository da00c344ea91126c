package sh.fazt.link;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * One peer's link as it stands. Immutable.
 *
 * @param address   where the peer was reached or is being tried, {@code host:port} or {@code via} a
 *     node, or empty when unknown
 * @param dialled   whether this side dialled
 * @param roundTrip the last measured round trip, or null before the first
 * @param clockOffsetMillis the peer's clock minus ours, as measured with that round trip
 * @param sentBytes payload bytes since start
 * @param linkClass what the link is; null while it is down
 * @param via       the member that relays it, or null
 * @param sentRate  payload bytes a second over the last few
 * @param receivedRate the same the other way
 * @param rateLimit bytes a second that may be sent, or null
 * @param budgetLeft bytes that a metered link may still carry today, or null without a budget
 * @param faults    how often the peer did what no member does
 * @param floods    how often it sent faster than this node took it
 * @param otherProtocol that the peer has no protocol in common with this node, or one of them is below the schema level
 *     that the swarm has agreed on, and which of them has to be updated; null once they are linked
 */
public record LinkState(
        NodeId peer,
        boolean up,
        boolean dialled,
        String address,
        @Nullable Duration roundTrip,
        long clockOffsetMillis,
        long sentBytes,
        long receivedBytes,
        @Nullable String lastError,
        @Nullable LinkClass linkClass,
        @Nullable NodeId via,
        long sentRate,
        long receivedRate,
        @Nullable Long rateLimit,
        @Nullable Long budgetLeft,
        long faults,
        long floods,
        @Nullable String otherProtocol) {
    /** A direct link without limits, of which only the state is known. */
    public LinkState(
            NodeId peer,
            boolean up,
            boolean dialled,
            String address,
            @Nullable Duration roundTrip,
            long clockOffsetMillis,
            long sentBytes,
            long receivedBytes,
            @Nullable String lastError) {
        this(
                peer,
                up,
                dialled,
                address,
                roundTrip,
                clockOffsetMillis,
                sentBytes,
                receivedBytes,
                lastError,
                up ? LinkClass.LAN : null,
                null,
                0,
                0,
                null,
                null,
                0,
                0,
                null);
    }
}
