package sh.fazt.runtime;

import java.time.Duration;
import java.util.Objects;

/**
 * What one invocation may use. Immutable.
 *
 * @param time from the moment it runs to its response, waiting included
 * @param allocationBytes what it may allocate in all, garbage included
 * @param responseBytes the longest response body
 */
public record Budget(Duration time, long allocationBytes, int responseBytes) {
    /** Five seconds as ever; 256 MiB of allocation; a response of 16 MiB. */
    public static final Budget DEFAULT = new Budget(Duration.ofSeconds(5), 256L << 20, 16 << 20);

    public Budget {
        Objects.requireNonNull(time);
        if (time.isZero() || time.isNegative() || allocationBytes <= 0 || responseBytes <= 0) {
            throw new IllegalArgumentException("every part of a budget must be positive: time=" + time
                    + " allocationBytes=" + allocationBytes + " responseBytes=" + responseBytes);
        }
    }

    /** The same budget with another time. */
    public Budget withTime(Duration other) {
        return new Budget(other, allocationBytes, responseBytes);
    }
}
