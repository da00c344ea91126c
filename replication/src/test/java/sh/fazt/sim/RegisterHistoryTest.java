package sh.fazt.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class RegisterHistoryTest {
    private final RegisterHistory history = new RegisterHistory();

    private void read(long from, @Nullable String value, long to) {
        history.read(from).saw(value, to);
    }

    private void change(long from, @Nullable String expected, String next, long to) {
        history.change(expected, next, from).done(to);
    }

    @Test
    void oneAfterTheOther() {
        read(0, null, 1);
        change(2, null, "a", 3);
        read(4, "a", 5);
        change(6, "a", "b", 7);
        history.change("a", "c", 8).saw("b", 9);
        read(10, "b", 11);
        assertThat(history.isLinearizable()).isTrue();
    }

    @Test
    void aReadBesideAChangeSeesTheOldOrTheNew() {
        change(0, null, "a", 10);
        read(1, null, 2);
        read(3, "a", 4);
        assertThat(history.isLinearizable()).isTrue();
        read(5, null, 6);
        assertThat(history.isLinearizable()).as("once it was seen it stays").isFalse();
    }

    @Test
    void aReadAfterAChangeSeesIt() {
        change(0, null, "a", 1);
        change(2, "a", "b", 3);
        read(4, "a", 5);
        assertThat(history.isLinearizable()).isFalse();
    }

    @Test
    void ofTwoChangesOfTheSameOneHappens() {
        change(0, null, "a", 10);
        change(0, null, "b", 10);
        assertThat(history.isLinearizable()).isFalse();
    }

    @Test
    void whatWasSeenIsFromSomebody() {
        read(0, "a", 1);
        assertThat(history.isLinearizable()).isFalse();
    }

    @Test
    void whatWasNotAnsweredMayHappenAtAnyTimeOrNever() {
        history.change(null, "a", 0);
        history.change("a", "b", 0);
        read(5, null, 6);
        assertThat(history.isLinearizable()).isTrue();
        read(100, "b", 101);
        assertThat(history.isLinearizable()).as("both have happened late").isTrue();
        read(102, "a", 103);
        assertThat(history.isLinearizable()).as("but not backwards").isFalse();
    }

    @Test
    void whatWasDroppedNeverHappened() {
        history.drop(history.change(null, "a", 0));
        read(5, "a", 6);
        assertThat(history.isLinearizable()).isFalse();
    }

    @Test
    void aRefusalSaysWhatItSaw() {
        change(0, null, "a", 1);
        history.change("b", "c", 2).saw("a", 3);
        assertThat(history.isLinearizable()).isTrue();
        history.change("b", "d", 4).saw("c", 5);
        assertThat(history.isLinearizable()).isFalse();
        RegisterHistory.Operation odd = history.change("a", "e", 6);
        assertThatThrownBy(() -> odd.saw("a", 7)).isInstanceOf(AssertionError.class);
    }

    /** Ten clients at once, and a lost answer now and then. */
    @Test
    @Timeout(20)
    void aLongHistoryIsSearchedInTime() {
        Random random = new Random(7);
        String value = null;
        for (int i = 0; i < 2000; i++) {
            long at = 10L * i;
            long from = at - random.nextInt(50);
            long to = at + random.nextInt(50);
            if (random.nextBoolean()) {
                read(from, value, to);
            } else {
                RegisterHistory.Operation change = history.change(value, "v" + i, from);
                value = "v" + i;
                if (random.nextInt(40) > 0) {
                    change.done(to);
                }
            }
        }
        assertThat(history.isLinearizable()).isTrue();
        long end = Duration.ofMinutes(1).toNanos();
        read(end, "v0", end + 1);
        assertThat(history.isLinearizable()).isFalse();
    }
}
