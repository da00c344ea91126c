package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Which clock a holder believes, and when it lets go. */
final class HoldTest {
    private static final Hold HOLD = new Hold(7, Duration.ofSeconds(30), 5_000_000_000L, 1_700_000_000_000L);

    private static Duration age(long nanoSeconds, long dateSeconds) {
        return HOLD.age(5_000_000_000L + nanoSeconds * 1_000_000_000L, 1_700_000_000_000L + dateSeconds * 1000);
    }

    @Test
    void theClockThatSaysMoreIsBelieved() {
        assertThat(age(4, 4)).hasSeconds(4);
        assertThat(age(1, 3600)).as("asleep for an hour").hasSeconds(3600);
        assertThat(age(25, -3600)).as("the date was set back").hasSeconds(25);
        assertThat(HOLD.renewed(25_000_000_000L, 1_700_000_020_000L).age(26_000_000_000L, 1_700_000_021_000L))
                .hasSeconds(1);
    }

    @Test
    void aCommandEndsBeforeTheSwarmGivesItsLeaseAway() {
        for (long seconds : new long[] {5, 30, 3600}) {
            Hold hold = new Hold(1, Duration.ofSeconds(seconds), 0, 0);
            assertThat(hold.renewal().multipliedBy(2))
                    .as("two renewals may fail")
                    .isLessThan(hold.warning());
            assertThat(hold.graceEnd(hold.warning())).isEqualTo(hold.end()).isLessThan(hold.ttl());
            assertThat(hold.graceEnd(Duration.ZERO)).isEqualTo(hold.ttl().dividedBy(5));
            assertThat(hold.graceEnd(hold.ttl().multipliedBy(9)))
                    .as("after a long sleep there is no grace")
                    .isEqualTo(hold.end());
        }
    }
}
