package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;

final class ClockOffsetsTest {
    private static LinkState peer(boolean up, boolean measured, long offset) {
        Duration trip = measured ? Duration.ofMillis(1) : null;
        return new LinkState(NodeId.of(new byte[32]), up, true, "a:1", trip, offset, 0, 0, null);
    }

    private static long correction(long... offsets) {
        List<LinkState> states = new ArrayList<>();
        for (long offset : offsets) {
            states.add(peer(true, true, offset));
        }
        return ClockOffsets.correctionMillis(states);
    }

    @Test
    void aloneOrAgreeingNothingIsCorrected() {
        assertThat(correction()).isZero();
        assertThat(correction(100, -300)).isZero();
        assertThat(correction(2000, 2000, 2000)).isZero();
    }

    @Test
    void theMajorityIsBelieved() {
        assertThat(correction(5000, 5100)).isEqualTo(5000);
        assertThat(correction(-5000, -5100)).isEqualTo(-5000);
        assertThat(correction(5000, 10)).isZero();
    }

    @Test
    void twoNodesSettleOnTheLaterClockAndDoNotSwap() {
        long ahead = correction(-5000);
        long behind = correction(5000);
        assertThat(ahead).isZero();
        assertThat(behind).isEqualTo(5000);
    }

    @Test
    void allNodesOfASwarmSettleOnOneTime() {
        long[] clocks = {0, 0, 10_000, 10_000, 90_000, -50_000};
        long settled = Long.MIN_VALUE;
        for (int i = 0; i < clocks.length; i++) {
            long[] offsets = new long[clocks.length - 1];
            for (int j = 0, at = 0; j < clocks.length; j++) {
                if (j != i) {
                    offsets[at++] = clocks[j] - clocks[i];
                }
            }
            long now = clocks[i] + correction(offsets);
            assertThat(settled == Long.MIN_VALUE || settled == now).isTrue();
            settled = now;
        }
    }

    @Test
    void onlyMeasuredLinksThatAreUpCount() {
        assertThat(ClockOffsets.correctionMillis(List.of(peer(false, true, 9000), peer(true, false, 9000))))
                .isZero();
    }
}
