package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

final class IdentityProperty {
    @Property
    void base32ReadsWhatItWrote(@ForAll @Size(max = 100) byte[] bytes) {
        String text = Base32.encode(bytes);
        assertThat(text).matches("[a-z2-7]*");
        assertThat(Base32.decode(text)).isEqualTo(bytes);
    }

    @Property
    void base32AgreesWithTheNodeId(@ForAll @Size(32) byte[] bytes) {
        assertThat(Base32.encode(bytes)).isEqualTo(NodeId.of(bytes).toString());
    }

    @Property
    void aTokenNeverFailsButByItsOwnException(@ForAll String text) {
        try {
            JoinToken.parse("fazt1-" + text);
        } catch (IdentityException e) {
            assertThat(e).hasMessageContaining("token");
        }
    }

    @Property(tries = 40)
    void wordsNeverFailButByTheirOwnException(@ForAll @Size(max = 40) List<@IntRange(max = 2047) Integer> numbers) {
        String words = numbers.stream().map(WordList::word).collect(Collectors.joining(" "));
        try {
            JoinToken.parse(words);
        } catch (IdentityException e) {
            assertThat(e).hasMessageContaining("token");
        }
    }

    @Property
    void digitsAreTheBytesAgain(@ForAll @Size(min = 1, max = 100) byte[] bytes) {
        for (int bits : new int[] {5, 11}) {
            byte[] read = Objects.requireNonNull(Digits.bytes(Digits.of(bytes, bits), bits));
            assertThat(Arrays.copyOf(read, bytes.length)).isEqualTo(bytes);
            assertThat(Arrays.copyOfRange(read, bytes.length, read.length))
                    .hasSizeLessThanOrEqualTo(2)
                    .isEqualTo(new byte[read.length - bytes.length]);
        }
    }

    @Property
    void derLengthsAreMinimal(@ForAll @Size(max = 70_000) byte[] bytes) {
        byte[] der = Der.octetString(bytes);
        int length = bytes.length;
        int head = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
        assertThat(der).hasSize(head + length);
        assertThat(der[0]).isEqualTo((byte) 4);
        BigInteger said = head == 2 ? BigInteger.valueOf(der[1]) : new BigInteger(1, Arrays.copyOfRange(der, 2, head));
        assertThat(said.intValueExact()).isEqualTo(length);
    }
}
