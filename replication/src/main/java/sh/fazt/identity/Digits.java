package sh.fazt.identity;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Bytes as digits of some bits each (5 for base32, 11 for words), with a checksum of at least 32 bits as the last
 * digits. It covers the digits and their order, and is known without reading the bytes. Stateless.
 */
final class Digits {
    private static final int CHECKSUM_BITS = 32;

    private Digits() {}

    static int[] of(byte[] bytes, int bits) {
        int count = (bytes.length * 8 + bits - 1) / bits;
        int sum = checksumDigits(bits);
        int[] digits = new int[count + sum];
        fill(bytes, bits, digits, 0, count);
        fill(checksum(digits, count, bits), bits, digits, count, sum);
        return digits;
    }

    private static int checksumDigits(int bits) {
        return (CHECKSUM_BITS + bits - 1) / bits;
    }

    private static void fill(byte[] bytes, int bits, int[] digits, int from, int count) {
        for (int i = 0; i < count * bits; i++) {
            int bit = i / 8 < bytes.length ? bytes[i / 8] >>> (7 - i % 8) & 1 : 0;
            digits[from + i / bits] = digits[from + i / bits] << 1 | bit;
        }
    }

    private static byte[] checksum(int[] digits, int count, int bits) {
        byte[] covered = new byte[1 + 2 * count];
        covered[0] = (byte) bits;
        for (int i = 0; i < count; i++) {
            covered[1 + 2 * i] = (byte) (digits[i] >>> 8);
            covered[2 + 2 * i] = (byte) digits[i];
        }
        return JoinToken.sha256(covered);
    }

    static boolean fit(int[] digits, int bits) {
        int sum = checksumDigits(bits);
        int count = digits.length - sum;
        if (count < 1) {
            return false;
        }
        int[] expected = new int[sum];
        fill(checksum(digits, count, bits), bits, expected, 0, sum);
        return Arrays.equals(expected, 0, sum, digits, count, digits.length);
    }

    /** The bytes and up to ten zero bits more, as whole bytes; null when the checksum says no. */
    static byte @Nullable [] bytes(int[] digits, int bits) {
        if (!fit(digits, bits)) {
            return null;
        }
        byte[] bytes = new byte[((digits.length - checksumDigits(bits)) * bits + 7) / 8];
        for (int i = 0; i < (digits.length - checksumDigits(bits)) * bits; i++) {
            int bit = digits[i / bits] >>> (bits - 1 - i % bits) & 1;
            bytes[i / 8] |= (byte) (bit << (7 - i % 8));
        }
        return bytes;
    }
}
