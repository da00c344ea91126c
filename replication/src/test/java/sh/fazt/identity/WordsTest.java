package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.IdentityException.Reason;

/** What people do to words: every slip is found, and named where it can be. */
final class WordsTest {
    private static final JoinToken TOKEN =
            JoinToken.mint(NodeId.of(new byte[32]), List.of("192.168.1.5:5698"), new SecureRandom());
    private static final List<String> WORDS = TOKEN.words();

    private static List<String> words() {
        return new ArrayList<>(WORDS);
    }

    private static AbstractThrowableAssert<?, ?> assertRefused(List<String> words) {
        return assertThatThrownBy(() -> JoinToken.parse(String.join(" ", words)))
                .isInstanceOf(IdentityException.class)
                .satisfies(e -> assertThat(((IdentityException) e).reason()).isEqualTo(Reason.TOKEN_DAMAGED));
    }

    private static String other(String word) {
        return WordList.word((WordList.number(word) + 700) % 2048);
    }

    @Test
    void theListIsTheOneOfBip39() throws Exception {
        try (var in = WordList.class.getResourceAsStream("bip39-english.txt")) {
            assertThat(new BigInteger(1, JoinToken.sha256(in.readAllBytes())).toString(16))
                    .isEqualTo("2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
        }
        assertThat(WordList.number("abandon")).isZero();
        assertThat(WordList.number("zoo")).isEqualTo(2047);
        assertThat(WordList.number("zzz")).isNegative();
    }

    @Test
    void howTheyAreWrittenDownDoesNotMatter() {
        StringBuilder numbered = new StringBuilder("  \n");
        for (int i = 0; i < WORDS.size(); i++) {
            numbered.append(i + 1)
                    .append(i % 2 == 0 ? ". " : ") ")
                    .append(WORDS.get(i))
                    .append(i % 6 == 5 ? "\r\n" : "\t");
        }
        for (String written : List.of(
                String.join(" ", WORDS),
                String.join("-", WORDS),
                String.join(" ", WORDS).toUpperCase(Locale.ROOT),
                String.join("\n   ", WORDS),
                numbered.toString())) {
            assertThat(JoinToken.parse(written).text()).as(written).isEqualTo(TOKEN.text());
        }
    }

    @Test
    void aTypoIsNamedWithItsPositionAndTheWordThatFits() {
        for (int i = 0; i < WORDS.size(); i++) {
            List<String> typed = words();
            String typo = WORDS.get(i) + "q";
            typed.set(i, typo);
            assertRefused(typed)
                    .hasMessage("the words of the join token have a slip: word " + (i + 1) + " \"" + typo
                            + "\" is not in the list: did you mean \"" + WORDS.get(i) + "\"?");
        }
    }

    @Test
    void twoTyposAreBothNamedWithTheNearestWords() {
        List<String> typed = words();
        typed.set(6, "aple");
        typed.set(9, "xylophonist");
        assertRefused(typed)
                .hasMessageContaining("word 7 \"aple\" is not in the list: did you mean \"apple\"")
                .hasMessageContaining("word 10 \"xylophonist\" is not in the list");
        assertThat(WordList.nearest("baord")).containsExactly("board");
        assertThat(WordList.nearest("xylophonist")).isEmpty();
        assertThat(WordList.nearest("bak")).hasSizeLessThanOrEqualTo(3).doesNotContain("zoo");
    }

    @Test
    void anotherWordOfTheListIsFoundAndNamed() {
        for (int i = 0; i < WORDS.size(); i += 5) {
            List<String> typed = words();
            typed.set(i, other(WORDS.get(i)));
            assertRefused(typed)
                    .hasMessageEndingWith("word " + (i + 1) + " \"" + typed.get(i) + "\" does not fit the others: \""
                            + WORDS.get(i) + "\" would");
        }
    }

    @Test
    void swappedWordsAreFoundAndNamed() {
        for (int i = 0; i + 1 < WORDS.size(); i++) {
            List<String> typed = words();
            Collections.swap(typed, i, i + 1);
            if (!typed.equals(WORDS)) {
                assertRefused(typed)
                        .hasMessageContaining("word " + (i + 1) + " ")
                        .hasMessageContaining("changed places");
            }
        }
        List<String> typed = words();
        Collections.swap(typed, 3, 20);
        assertRefused(typed).hasMessageContaining("word 4 ").hasMessageContaining("word 21 ");
    }

    @Test
    void aWordTooManyOrTooFewIsFoundAndNamed() {
        for (int i : new int[] {0, 7, WORDS.size() - 1}) {
            List<String> fewer = words();
            fewer.remove(i);
            assertRefused(fewer).hasMessageContaining("is missing").hasMessageContaining("\"" + WORDS.get(i) + "\"");
            List<String> more = words();
            more.add(i, other(WORDS.get(i)));
            assertRefused(more).hasMessageContaining("word " + (i + 1) + " ").hasMessageContaining("one too many");
        }
    }

    @Test
    void severalSlipsAreFoundThoughNotNamed() {
        List<String> typed = words();
        typed.set(2, other(typed.get(2)));
        typed.set(8, other(typed.get(8)));
        typed.set(19, other(typed.get(19)));
        assertRefused(typed).hasMessageContaining("31 words").hasMessageContaining("--words");
    }

    @Test
    void noSlipAtRandomPasses() {
        Random random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            int[] digits = WORDS.stream().mapToInt(WordList::number).toArray();
            for (int slips = 0; slips < 3; slips++) {
                digits[random.nextInt(digits.length)] = random.nextInt(2048);
            }
            List<String> typed = new ArrayList<>();
            for (int digit : digits) {
                typed.add(WordList.word(digit));
            }
            if (!typed.equals(WORDS)) {
                assertThat(Digits.fit(digits, WordList.BITS)).isFalse();
            }
        }
    }

    @Test
    void textThatIsNotWordsIsNoToken() {
        for (String text : List.of("hello", "good morning my dear friends of old times", "zoo")) {
            assertThatThrownBy(() -> JoinToken.parse(text))
                    .satisfies(e -> assertThat(((IdentityException) e).reason()).isEqualTo(Reason.NOT_A_TOKEN))
                    .hasMessageContaining("--words");
        }
    }

    @Test
    void twoTokensShareNoRunOfWords() {
        List<String> next = JoinToken.mint(NodeId.of(new byte[32]), List.of("192.168.1.5:5698"), new SecureRandom())
                .words();
        assertThat(new HashSet<>(next.subList(0, 11))).isNotEqualTo(new HashSet<>(WORDS.subList(0, 11)));
    }
}
