package sh.fazt.identity;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.IdentityException.Reason;

/** A token as words, for reading aloud and writing down, and what went wrong when they don't fit. Stateless. */
final class Words {
    private static final int BITS = WordList.BITS;
    /** Beyond this nobody typed them by hand, and looking for the slip would take its time. */
    private static final int MOST_SEARCHED = 64;

    private Words() {}

    static List<String> of(byte[] body) {
        return IntStream.of(Digits.of(body, BITS)).mapToObj(WordList::word).toList();
    }

    /** The words in a text: numbers, hyphens and the like stand between them. */
    static List<String> in(String text) {
        return Stream.of(text.toLowerCase(Locale.ROOT).split("[^a-z]+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /** Whether these are meant as words of a token: several, and half of them or more in the list. */
    static boolean meant(List<String> words) {
        long known = words.stream().filter(word -> WordList.number(word) >= 0).count();
        return words.size() > 1 && known * 2 >= words.size();
    }

    /** The bytes that they stand for, see {@link Digits#bytes}; a slip is named by its position. */
    static byte[] read(List<String> words) {
        int[] digits = words.stream().mapToInt(WordList::number).toArray();
        List<Integer> unknown = IntStream.range(0, digits.length)
                .filter(i -> digits[i] < 0)
                .boxed()
                .toList();
        if (!unknown.isEmpty()) {
            throw damaged(unknown(words, digits, unknown));
        }
        byte[] bytes = Digits.bytes(digits, BITS);
        if (bytes == null) {
            throw damaged(misfit(words, digits));
        }
        return bytes;
    }

    private static IdentityException damaged(String what) {
        return new IdentityException(Reason.TOKEN_DAMAGED, "the words of the join token have a slip: " + what);
    }

    private static String unknown(List<String> words, int[] digits, List<Integer> unknown) {
        int first = unknown.get(0);
        if (unknown.size() == 1 && words.size() <= MOST_SEARCHED) {
            List<String> fitting = fitting(digits, first);
            if (fitting.size() == 1) {
                return notInList(words, first, fitting);
            }
        }
        return unknown.stream()
                .map(at -> notInList(words, at, WordList.nearest(words.get(at))))
                .collect(Collectors.joining("; "));
    }

    private static String notInList(List<String> words, int at, List<String> meant) {
        String suggestion = meant.isEmpty()
                ? ""
                : ": did you mean "
                        + meant.stream().map(word -> "\"" + word + "\"").collect(Collectors.joining(" or ")) + "?";
        return "word " + (at + 1) + " \"" + words.get(at) + "\" is not in the list" + suggestion;
    }

    private static List<String> fitting(int[] digits, int at) {
        int[] trial = digits.clone();
        List<String> fitting = new ArrayList<>();
        for (int number = 0; number < 1 << BITS; number++) {
            trial[at] = number;
            if (number != digits[at] && Digits.fit(trial, BITS)) {
                fitting.add(WordList.word(number));
            }
        }
        return fitting;
    }

    /** Every word is in the list, and together they are no token: looks for the one slip that explains it. */
    private static String misfit(List<String> words, int[] digits) {
        List<Supplier<List<String>>> looks = words.size() > MOST_SEARCHED
                ? List.of()
                : List.of(
                        () -> swapped(words, digits),
                        () -> wrong(words, digits),
                        () -> tooMany(words, digits),
                        () -> missing(digits));
        for (Supplier<List<String>> look : looks) {
            List<String> slips = look.get();
            if (!slips.isEmpty()) {
                return String.join(", or ", slips);
            }
        }
        return words.size() + " words, each in the list, do not fit together: compare them, and their order, with"
                + " what `fazt swarm token --words` printed";
    }

    private static List<String> swapped(List<String> words, int[] digits) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < digits.length; i++) {
            for (int j = i + 1; j < digits.length; j++) {
                int[] trial = digits.clone();
                trial[i] = digits[j];
                trial[j] = digits[i];
                if (digits[i] != digits[j] && Digits.fit(trial, BITS)) {
                    found.add("word " + (i + 1) + " \"" + words.get(i) + "\" and word " + (j + 1) + " \"" + words.get(j)
                            + "\" have changed places");
                }
            }
        }
        return found;
    }

    private static List<String> wrong(List<String> words, int[] digits) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < digits.length; i++) {
            for (String right : fitting(digits, i)) {
                found.add("word " + (i + 1) + " \"" + words.get(i) + "\" does not fit the others: \"" + right
                        + "\" would");
            }
        }
        return found;
    }

    private static List<String> tooMany(List<String> words, int[] digits) {
        for (int i = 0; i < digits.length; i++) {
            if (Digits.fit(without(digits, i), BITS)) {
                return List.of("word " + (i + 1) + " \"" + words.get(i) + "\" is one too many");
            }
        }
        return List.of();
    }

    private static List<String> missing(int[] digits) {
        for (int i = 0; i <= digits.length; i++) {
            String word = missingAt(digits, i);
            if (word != null) {
                return List.of("word " + (i + 1) + " is missing: \"" + word + "\" would fit there");
            }
        }
        return List.of();
    }

    private static @Nullable String missingAt(int[] digits, int at) {
        int[] trial = new int[digits.length + 1];
        System.arraycopy(digits, 0, trial, 0, at);
        System.arraycopy(digits, at, trial, at + 1, digits.length - at);
        for (int number = 0; number < 1 << BITS; number++) {
            trial[at] = number;
            if (Digits.fit(trial, BITS)) {
                return WordList.word(number);
            }
        }
        return null;
    }

    private static int[] without(int[] digits, int at) {
        int[] rest = Arrays.copyOf(digits, digits.length - 1);
        System.arraycopy(digits, at + 1, rest, at, rest.length - at);
        return rest;
    }
}
