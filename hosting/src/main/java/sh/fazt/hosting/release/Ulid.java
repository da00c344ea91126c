package sh.fazt.hosting.release;

import java.time.Instant;
import java.util.random.RandomGenerator;

/** Ids that sort by time: 48 bits of milliseconds and 80 of chance, in Crockford's base 32, lower case. Pure. */
final class Ulid {
    private static final String DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

    private Ulid() {}

    static String next(Instant now, RandomGenerator random) {
        char[] id = new char[26];
        long time = now.toEpochMilli();
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
