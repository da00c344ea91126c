package sh.fazt.hosting.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UlidTest {
    private final Random random = new Random(1);

    @Test
    void theFirstTenLettersAreTheTime() {
        // The example of the specification, in lower case.
        assertThat(Ulid.after(null, Instant.ofEpochMilli(1469918176385L), random))
                .startsWith("01aryz6s41")
                .hasSize(26);
        assertThat(Ulid.millis("01aryz6s41tsv4rrffq69g5fav")).isEqualTo(1469918176385L);
    }

    @Test
    void theNextIsGreaterWhateverTheClockSays() {
        String id = Ulid.after(null, Instant.ofEpochMilli(1_000_000), random);
        for (long millis : new long[] {0, 999_999, 1_000_000, 1_000_001}) {
            String next = Ulid.after(id, Instant.ofEpochMilli(millis), random);
            assertThat(next).isGreaterThan(id);
            id = next;
        }
        assertThat(Ulid.millis(id)).isEqualTo(1_000_004);
        assertThat(Ulid.after("zzzzzzzzzzzzzzzzzzzzzzzzzz", Instant.EPOCH, random))
                .startsWith("7zzzzzzzzz");
        assertThat(Ulid.after("no id", Instant.ofEpochMilli(5), random)).startsWith("0000000005");
    }
}
