package sh.fazt.consensus;

import java.time.Duration;

/**
 * How patient the group is. Immutable.
 *
 * @param electionMin shortest silence after which a follower stands for election
 * @param electionMax longest
 * @param silence     how long a voter does not answer before another member takes its seat
 */
public record Timings(Duration electionMin, Duration electionMax, Duration silence) {
    /** Longer than a machine takes to start again, be updated or moved to another room. */
    public static final Duration SILENCE = Duration.ofMinutes(30);

    /** Two to four seconds: a home and a VPS apart, a heartbeat a second, a new leader within six seconds. */
    public static final Timings STANDARD = new Timings(Duration.ofSeconds(2), Duration.ofSeconds(4), SILENCE);

    /** For one machine or one LAN. */
    public static final Timings LAN = new Timings(Duration.ofMillis(300), Duration.ofMillis(600), SILENCE);
}
