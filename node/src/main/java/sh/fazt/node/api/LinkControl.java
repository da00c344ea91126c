package sh.fazt.node.api;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;

/**
 * The port through which the control plane sees and steers this node's links; {@code Node} implements it over
 * {@code sh.fazt.swarm}. Thread-safe.
 */
public interface LinkControl {
    /** Every link as it stands, and what is set. */
    Links links();

    /**
     * Sets something of the link to a member, by name or id, or of all ({@code default}); it holds at once and is
     * kept.
     */
    CompletionStage<Outcome<Links>> set(String peer, String key, String value);

    /** What is known of this node's links. Immutable. */
    record Links(List<Link> links, List<Setting> settings, SwarmControl.HeldBack heldBack) {
        public Links {
            links = List.copyOf(links);
            settings = List.copyOf(settings);
        }
    }

    /**
     * One member's link. Immutable.
     *
     * @param linkClass  {@code lan, wan, relayed} or {@code metered}; null while it is down
     * @param via        the member that relays it, or null
     * @param address    where the member was reached or is being tried; may be empty
     * @param rateLimit  bytes a second that may be sent, or null
     * @param budgetLeft bytes that a metered link may still carry today, or null without a budget
     * @param faults     how often the member did what no member does
     * @param lastError  why there is no link, or null
     */
    record Link(
            Named peer,
            boolean up,
            @Nullable String linkClass,
            @Nullable Named via,
            String address,
            boolean dialled,
            @Nullable Duration roundTrip,
            long clockOffsetMillis,
            long sentBytes,
            long receivedBytes,
            long sentRate,
            long receivedRate,
            @Nullable Long rateLimit,
            @Nullable Long budgetLeft,
            long faults,
            @Nullable String lastError) {}

    /**
     * Something that is set.
     *
     * @param of a member, or {@code default} with an empty name
     */
    record Setting(Named of, String key, String value) {}
}
