package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
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
