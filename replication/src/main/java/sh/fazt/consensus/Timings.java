package sh.fazt.consensus;

import java.time.Duration;

/**
 * How patient the group is. Immutable.
 *
 * @param electionMin shortest silence after which a follower stands for election
 * @param electionMax longest
 */
public record Timings(Duration electionMin, Duration electionMax) {
    /** Two to four seconds: a home and a VPS apart, a heartbeat a second, a new leader within six seconds. */
    public static final Timings STANDARD = new Timings(Duration.ofSeconds(2), Duration.ofSeconds(4));

    /** For one machine or one LAN. */
    public static final Timings LAN = new Timings(Duration.ofMillis(300), Duration.ofMillis(600));
}
