package sh.fazt.consensus;

import java.time.Duration;

/**
 * How patient the group is. Immutable.
 *
 * @param electionMin shortest silence after which a follower stands for election
 * @param electionMax longest
 */
public record Timings(Duration electionMin, Duration electionMax) {
    /** One to two seconds: a home and a VPS apart, and a new leader within three seconds. */
    public static final Timings STANDARD = new Timings(Duration.ofSeconds(1), Duration.ofSeconds(2));

    /** For one machine or one LAN. */
    public static final Timings LAN = new Timings(Duration.ofMillis(300), Duration.ofMillis(600));
}
