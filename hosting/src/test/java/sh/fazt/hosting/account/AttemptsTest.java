package sh.fazt.hosting.account;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AttemptsTest {
    private final AtomicLong now = new AtomicLong(1_000_000);
    private final Attempts attempts = new Attempts(() -> Instant.ofEpochMilli(now.get()));

    private void fail(String from, int times) {
        for (int i = 0; i < times; i++) {
            attempts.begin(from);
        }
    }

    @Test
    void fiveFromOnePlaceThenItWaits() {
        fail("6.6.6.6", 5);
        assertThatThrownBy(() -> attempts.begin("6.6.6.6")).hasMessageContaining("try again in 15 min");
        assertThatCode(() -> attempts.begin("1.2.3.4")).doesNotThrowAnyException();
        now.addAndGet(Attempts.FORGET.toMillis());
        assertThatCode(() -> fail("6.6.6.6", 5)).doesNotThrowAnyException();
    }

    @Test
    void successForgetsMistakes() {
        fail("1.2.3.4", 4);
        attempts.begin("1.2.3.4");
        attempts.succeeded("1.2.3.4");
        assertThatCode(() -> fail("1.2.3.4", 5)).doesNotThrowAnyException();
    }

    @Test
    void aHomeIsOnePlaceWhateverItsAddresses() {
        for (int i = 0; i < 5; i++) {
            attempts.begin("2001:db8:0:1:0:0:0:" + i);
        }
        assertThatThrownBy(() -> attempts.begin("2001:db8:0:1:a:b:c:d")).hasMessageContaining("from here");
        assertThatCode(() -> attempts.begin("2001:db8:0:2:a:b:c:d")).doesNotThrowAnyException();
    }

    @Test
    void manyPlacesTogetherWaitButNotTheOneThatLoggedIn() {
        attempts.begin("10.0.0.1");
        attempts.succeeded("10.0.0.1");
        for (int i = 0; i < Attempts.MOST_FROM_ALL; i++) {
            attempts.begin("place-" + i);
        }
        assertThatThrownBy(() -> attempts.begin("another")).hasMessageContaining("too many wrong passwords:");
        assertThatCode(() -> attempts.begin("10.0.0.1")).doesNotThrowAnyException();
        for (int i = 0; i < 5; i++) {
            try {
                attempts.begin("10.0.0.1");
            } catch (RuntimeException e) {
                // The place's own bound still holds.
            }
        }
        assertThatThrownBy(() -> attempts.begin("10.0.0.1")).hasMessageContaining("from here");
    }

    @Test
    void whatIsWatchedIsBoundedAndTheBoundOfAllIsNotForgotten() {
        for (int i = 0; i < 20; i++) {
            for (int j = 0; j < Attempts.MOST_FROM_ALL; j++) {
                String place = "place-" + i + "-" + j;
                try {
                    attempts.begin(place);
                } catch (RuntimeException e) {
                    attempts.succeeded(place);
                    attempts.begin(place);
                }
            }
        }
        assertThatThrownBy(() -> attempts.begin("another")).hasMessageContaining("too many wrong passwords:");
    }
}
