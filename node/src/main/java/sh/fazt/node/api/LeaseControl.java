package sh.fazt.node.api;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;

/** The port through which the control plane sees leases and changes them. Thread-safe. */
public interface LeaseControl {
    /** What a lease lasts from one renewal to the next, when nobody says. */
    Duration USUAL = Duration.ofSeconds(30);

    /** Every lease that somebody holds, by name. */
    CompletionStage<Outcome<List<Lease>>> leases();

    /** Takes a lease that is free. @param holder who takes it; null for somebody new */
    CompletionStage<Outcome<Lease>> take(String name, Duration ttl, @Nullable String holder);

    /** Lets a lease go on, for the holder with that token. */
    CompletionStage<Outcome<Lease>> renew(String name, long token, Duration ttl);

    /** Lets go of a lease, for the holder with that token. */
    CompletionStage<Outcome<Release>> release(String name, long token);

    /** Takes a lease from whoever holds it. */
    CompletionStage<Outcome<Release>> revoke(String name);

    /**
     * A lease that somebody holds. Immutable.
     *
     * @param holder as it calls itself
     * @param node   through which member it was taken
     * @param token  the fencing token
     * @param left   how long it goes on without another renewal, or a little longer
     */
    record Lease(String name, String holder, Named node, long token, Duration ttl, Duration left) {}

    /**
     * What came of letting go. Immutable.
     *
     * @param released false when nothing changed
     * @param text     for a person
     */
    record Release(boolean released, String text) {}
}
