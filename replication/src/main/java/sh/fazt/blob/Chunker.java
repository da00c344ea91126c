package sh.fazt.blob;

import java.util.SplittableRandom;

/**
 * Cuts content where its own bytes say so, so that an insertion moves one cut and not all of them. FastCDC
 * with normalised chunking: Xia et al., "FastCDC", USENIX ATC 2016. The gear table and the masks are part of
 * the format: other values cut elsewhere, which costs deduplication and nothing else. Pure.
 */
final class Chunker {
    static final int LEAST = 64 << 10;
    static final int AVERAGE = 256 << 10;
    static final int MOST = 1 << 20;

    private static final long[] GEAR =
            new SplittableRandom(0x66617a74L).longs(256).toArray();
    /** Two bits more than the average asks for while a chunk is short, two fewer when it is long. */
    private static final long HARD = mask(20);

    private static final long EASY = mask(16);

    private Chunker() {}

    /** How long the chunk is that starts at {@code from}; the content ends at {@code to}. */
    static int cut(byte[] content, int from, int to) {
        int length = to - from;
        if (length <= LEAST) {
            return length;
        }
        int end = Math.min(length, MOST);
        int normal = Math.min(end, AVERAGE);
        long hash = 0;
        int at = LEAST;
        for (; at < normal; at++) {
            hash = (hash << 1) + GEAR[content[from + at] & 0xff];
            if ((hash & HARD) == 0) {
                return at + 1;
            }
        }
        for (; at < end; at++) {
            hash = (hash << 1) + GEAR[content[from + at] & 0xff];
            if ((hash & EASY) == 0) {
                return at + 1;
            }
        }
        return end;
    }

    /** The upper bits have seen the most bytes. */
    private static long mask(int bits) {
        return -1L << (64 - bits);
    }
}
