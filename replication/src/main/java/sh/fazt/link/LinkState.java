package sh.fazt.link;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * One peer's link as it stands. Immutable.
 *
 * @param address   where the peer was reached or is being tried, {@code host:port}, or empty when unknown
 * @param dialled   whether this side dialled
 * @param roundTrip the last measured round trip, or null before the first
 * @param clockOffsetMillis the peer's clock minus ours, as measured with that round trip
 * @param sentBytes payload bytes since start
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
        @Nullable String lastError) {}
