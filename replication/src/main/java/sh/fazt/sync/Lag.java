package sh.fazt.sync;

import java.time.Duration;

/**
 * How a peer stands. Immutable.
 *
 * @param behind      transactions that the peer lacks of what is here, as far as it has told
 * @param behindRows  the rows that those left
 * @param behindBytes about how many bytes those rows are
 * @param oldest      how long the oldest of those transactions has been here, less what the peer has likely had since
 *     it told; zero without any
 * @param ahead       transactions of the peer's that are lacking here; -1 while it has told nothing
 */
public record Lag(long behind, long behindRows, long behindBytes, Duration oldest, long ahead) {}
