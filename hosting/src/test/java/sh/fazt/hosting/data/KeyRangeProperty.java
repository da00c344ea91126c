package sh.fazt.hosting.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class KeyRangeProperty {
    private static int compare(String left, String right) {
        return Arrays.compareUnsigned(left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
    }

    @Property(tries = 2000)
    void theRangeHoldsJustTheKeysWithThePrefix(@ForAll("texts") String prefix, @ForAll("texts") String key) {
        String end = KeyRange.end(prefix);
        boolean inside = compare(key, prefix) >= 0 && (end == null || compare(key, end) < 0);
        assertThat(inside).isEqualTo(key.startsWith(prefix));
        assertThat(compare(prefix + key, prefix) >= 0 && (end == null || compare(prefix + key, end) < 0))
                .isTrue();
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.of(
                        "a", "b", "\u007f", "\u00ff", "\ud7ff", "\ue000", "\uffff", "\ud83d\ude00", "\udbff\udfff")
                .list()
                .ofMaxSize(3)
                .map(parts -> String.join("", parts));
    }

    @Example
    void aPrefixOfTheLastCharactersHasNoEnd() {
        assertThat(KeyRange.end("")).isNull();
        assertThat(KeyRange.end("\udbff\udfff")).isNull();
        assertThat(KeyRange.end("a\udbff\udfff")).isEqualTo("b");
    }
}
