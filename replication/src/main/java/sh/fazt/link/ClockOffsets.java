package sh.fazt.link;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.stream.LongStream;

/**
 * How far this node's clock is from its swarm's. Pure.
 *
 * <p>The middle is taken over the peers' offsets and our own, which is 0, and of an even number the later
 * one. So all nodes settle on the same time: two that compared themselves with the other alone would swap
 * their errors. The later, because a machine without a battery wakes up in 1970.
 */
public final class ClockOffsets {
    /** Below this a wrong clock is left alone: what links measure is no better on a bad network. */
    public static final Duration TOLERANCE = Duration.ofSeconds(2);

    private ClockOffsets() {}

    /** What to add to this node's wall clock, in milliseconds; 0 when it is about right, alone or not yet measured. */
    public static long correctionMillis(Collection<LinkState> states) {
        long middle = offsetMillis(states);
        return Math.abs(middle) > TOLERANCE.toMillis() ? middle : 0;
    }

    /** How far the swarm's time is before this node's wall clock, in milliseconds, as measured. */
    public static long offsetMillis(Collection<LinkState> states) {
        long[] offsets = LongStream.concat(
                        LongStream.of(0),
                        states.stream()
                                .filter(state -> state.up() && state.roundTrip() != null)
                                .mapToLong(LinkState::clockOffsetMillis))
                .toArray();
        Arrays.sort(offsets);
        return offsets[offsets.length / 2];
    }
}
