package sh.fazt.identity;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The 2048 English words of BIP-39, in their order, which is the alphabet's. Stateless. */
final class WordList {
    static final int BITS = 11;
    private static final int SIZE = 1 << BITS;
    private static final int MOST_NEAREST = 3;
    /** A word with more slips than this is another word. */
    private static final int MOST_SLIPS = 2;

    private static final String[] WORDS = read();

    private WordList() {}

    private static String[] read() {
        try (InputStream in = WordList.class.getResourceAsStream("bip39-english.txt")) {
            if (in == null) {
                throw new IllegalStateException("the word list is not in this build");
            }
            String[] words = new String(in.readAllBytes(), StandardCharsets.US_ASCII).split("\n");
            if (words.length != SIZE) {
                throw new IllegalStateException("the word list has " + words.length + " words, not " + SIZE);
            }
            return words;
        } catch (IOException e) {
            throw new UncheckedIOException("reading the word list", e);
        }
    }

    static String word(int number) {
        return WORDS[number];
    }

    /** Its number, or below 0 when it is none. */
    static int number(String word) {
        return Arrays.binarySearch(WORDS, word);
    }

    /** The words that this was probably meant to be, the likeliest first; none when nothing is near. */
    static List<String> nearest(String typed) {
        int least = Stream.of(WORDS).mapToInt(word -> slips(typed, word)).min().orElse(SIZE);
        if (least > MOST_SLIPS) {
            return List.of();
        }
        return Stream.of(WORDS)
                .filter(word -> slips(typed, word) == least)
                .sorted(Comparator.comparingInt((String word) -> -common(typed, word)))
                .limit(MOST_NEAREST)
                .toList();
    }

    private static int common(String a, String b) {
        int at = 0;
        while (at < a.length() && at < b.length() && a.charAt(at) == b.charAt(at)) {
            at++;
        }
        return at;
    }

    /** Letters put in, left out, changed or swapped with their neighbour (optimal string alignment). */
    private static int slips(String a, String b) {
        if (Math.abs(a.length() - b.length()) > MOST_SLIPS) {
            return SIZE;
        }
        int[][] slips = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    slips[i][j] = i + j;
                    continue;
                }
                int changed = slips[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                int least = Math.min(changed, Math.min(slips[i - 1][j], slips[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    least = Math.min(least, slips[i - 2][j - 2] + 1);
                }
                slips[i][j] = least;
            }
        }
        return slips[a.length()][b.length()];
    }
}
