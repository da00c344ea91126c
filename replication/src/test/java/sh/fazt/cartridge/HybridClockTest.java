package sh.fazt.cartridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;

final class HybridClockTest {
    private final AtomicReference<Instant> wall = new AtomicReference<>(Instant.ofEpochMilli(1000));
    private final HybridClock clock = new HybridClock(wall::get);

    @Test
    void aStampIsTheWallClocksWhileThatIsAboveWhatIsKnown() {
        assertThat(clock.after(Hlc.ZERO)).isEqualTo(Hlc.of(1000, 0));
        assertThat(clock.after(Hlc.of(999, 7))).isEqualTo(Hlc.of(1000, 0));
    }

    @Test
    void aStampIsAboveWhatIsKnownHoweverFarAhead() {
        assertThat(clock.after(Hlc.of(1000, 0))).isEqualTo(Hlc.of(1000, 1));
        assertThat(clock.after(Hlc.of(9000, 0xffff))).isEqualTo(Hlc.of(9001, 0));
    }

    @Test
    void aCorrectionMovesStampsAndTheTimeButNotBelowWhatIsKnown() {
        clock.correct(-400);
        assertThat(clock.now()).isEqualTo(Instant.ofEpochMilli(600));
        assertThat(clock.after(Hlc.ZERO)).isEqualTo(Hlc.of(600, 0));
        assertThat(clock.after(Hlc.of(800, 0))).isEqualTo(Hlc.of(800, 1));
        clock.correct(-5000);
        assertThat(clock.after(Hlc.ZERO)).as("before 1970").isEqualTo(Hlc.of(0, 1));
    }
}
