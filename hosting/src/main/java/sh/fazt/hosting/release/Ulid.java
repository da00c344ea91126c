package sh.fazt.hosting.release;

import java.time.Instant;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Ids that sort by time: 48 bits of milliseconds and 80 of chance, in Crockford's base 32, lower case. Pure. */
final class Ulid {
    private static final long MOST_MILLIS = (1L << 48) - 1;
    private static final String DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

    private Ulid() {}

    /** An id of this moment, or of the one after that of {@code newest} where this node's clock is behind. */
    static String after(@Nullable String newest, Instant now, RandomGenerator random) {
        return next(
                Math.max(now.toEpochMilli(), newest == null ? 0 : Math.min(millis(newest), MOST_MILLIS - 1) + 1),
                random);
    }

    /** The moment in an id; 0 in what is none. */
    static long millis(String id) {
        long time = 0;
        for (int i = 0; i < 10 && id.length() == 26; i++) {
            int digit = DIGITS.indexOf(id.charAt(i));
            if (digit < 0) {
                return 0;
            }
            time = time << 5 | digit;
        }
        return time;
    }

    private static String next(long millis, RandomGenerator random) {
        char[] id = new char[26];
        long time = millis;
        for (int i = 9; i >= 0; i--) {
            id[i] = DIGITS.charAt((int) (time & 31));
            time >>>= 5;
        }
        for (int i = 10; i < 26; i++) {
            id[i] = DIGITS.charAt(random.nextInt(32));
        }
        return new String(id);
    }
}
