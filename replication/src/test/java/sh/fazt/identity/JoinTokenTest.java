package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.IdentityException.Reason;

final class JoinTokenTest {
    private static final NodeId ISSUER = NodeId.of(new byte[32]);
    private static final JoinToken TOKEN =
            JoinToken.mint(ISSUER, List.of("192.168.1.5:5698", "[fe80::1]:5698"), new SecureRandom());

    private static Reason reason(Throwable error) {
        return ((IdentityException) error).reason();
    }

    private static JoinToken minted(String... addresses) {
        return JoinToken.mint(ISSUER, List.of(addresses), new SecureRandom());
    }

    @Test
    void whatWasMintedIsRead() {
        JoinToken read = JoinToken.parse(TOKEN.text());
        assertThat(read.tokenId()).isEqualTo(TOKEN.tokenId()).hasSize(16);
        assertThat(read.secret()).isEqualTo(TOKEN.secret()).hasSizeGreaterThanOrEqualTo(16);
        assertThat(read.issuer()).isEqualTo(NodePin.of(ISSUER));
        assertThat(read.addresses()).containsExactly("192.168.1.5:5698", "[fe80:0:0:0:0:0:0:1]:5698");
        assertThat(read.text()).isEqualTo(TOKEN.text()).matches("fazt1-[a-z2-7]+");
    }

    @Test
    void everyKindOfAddressIsCarried() {
        String[] addresses = {
            "10.0.0.1:1",
            "255.255.255.255:65535",
            "home.example.org:5698",
            "[2001:db8:0:0:0:0:0:7]:80",
            "300.1.1.1:9",
            "01.2.3.4:5698",
            "[fe80:0:0:0:0:0:0:1%eth0]:5698",
            "h:5698"
        };
        assertThat(JoinToken.parse(minted(addresses).text()).addresses()).containsExactly(addresses);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", "host:", "host:0", "host:65536", ":5698", "[]:5698"})
    void whatIsNoAddressIsNotMinted(String address) {
        assertThatThrownBy(() -> minted(address)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aTextIsShortEnoughForASmallQrCode() {
        assertThat(minted("192.168.1.5:5698").text()).hasSizeLessThanOrEqualTo(90);
    }

    @Test
    void wordsAreTheSameTokenAndBearable() {
        JoinToken token = minted("192.168.1.5:5698");
        assertThat(token.words()).hasSize(31);
        assertThat(JoinToken.parse(String.join(" ", token.words())).text()).isEqualTo(token.text());
        assertThat(minted("192.168.1.5:5698", "203.0.113.9:5698").words()).hasSize(35);
        assertThat(minted("192.168.1.5:1", "203.0.113.9:2", "10.0.0.3:5").words())
                .hasSizeLessThanOrEqualTo(36);
    }

    @Test
    void wordsLeaveOutTheAddressesThatMakeThemLong() {
        JoinToken token = minted("[2001:db8::1]:5698", "192.168.1.5:5698", "long.name.example.org:5698");
        JoinToken read = JoinToken.parse(String.join(" ", token.words()));
        assertThat(read.addresses()).containsExactly("192.168.1.5:5698");
        assertThat(read.tokenId()).isEqualTo(token.tokenId());
        JoinToken six = minted("a.very.long.name.example.org:5698", "[2001:db8::1]:5698");
        assertThat(JoinToken.parse(String.join(" ", six.words())).addresses())
                .containsExactly("[2001:db8:0:0:0:0:0:1]:5698");
    }

    @Test
    void aSwarmCanHaveMoreAddressesThanATokenCarries() {
        String[] many = new String[20];
        for (int i = 0; i < many.length; i++) {
            many[i] = "10.0.0." + i + ":5698";
        }
        assertThat(JoinToken.parse(minted(many).text()).addresses()).hasSize(8).startsWith("10.0.0.0:5698");
    }

    @Test
    void pastingMayBreakLinesAndChangeCase() {
        String text = TOKEN.text();
        String pasted =
                "  " + text.substring(0, 40) + "\n   " + text.substring(40).toUpperCase(Locale.ROOT) + "\r\n";
        assertThat(JoinToken.parse(pasted).text()).isEqualTo(text);
    }

    @Test
    void everySingleLostOrChangedCharacterIsDamage() {
        String text = TOKEN.text();
        for (int i = 6; i < text.length(); i++) {
            String lost = text.substring(0, i) + text.substring(i + 1);
            char other = text.charAt(i) == 'a' ? 'b' : 'a';
            String changed = text.substring(0, i) + other + text.substring(i + 1);
            String swollen = text.substring(0, i) + other + text.substring(i);
            for (String damaged : List.of(lost, changed, swollen, text.substring(0, i))) {
                assertThatThrownBy(() -> JoinToken.parse(damaged))
                        .as(damaged)
                        .isInstanceOf(IdentityException.class)
                        .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.TOKEN_DAMAGED))
                        .hasMessageContaining("Copy the whole line again");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fazt1-!!", "fazt1-a1b8", "fazt0-abc", "fazt1-ABC DEF"})
    void whatStartsAsATokenIsDamaged(String text) {
        assertThatThrownBy(() -> JoinToken.parse(text))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.TOKEN_DAMAGED));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "hello", "fazt", "fazt-abc", "192.168.1.5:5698", "fazt99999-a"})
    void somethingElseIsNoToken(String text) {
        assertThatThrownBy(() -> JoinToken.parse(text))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.NOT_A_TOKEN))
                .hasMessageContaining("fazt swarm token");
    }

    @Test
    void aNewerFormatAsksForAnUpdate() {
        assertThatThrownBy(() -> JoinToken.parse("fazt2-anything-else"))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.TOKEN_NEWER))
                .hasMessageContaining("update fazt");
    }

    @Test
    void theSecretIsNotInItsText() {
        assertThat(TOKEN.toString()).contains(TOKEN.tokenId()).doesNotContain(Base32.encode(TOKEN.secret()));
    }

    @Test
    void twoTokensHaveTwoSecrets() {
        JoinToken other = minted("a:1");
        assertThat(other.secret()).isNotEqualTo(TOKEN.secret());
        assertThat(other.tokenId()).isNotEqualTo(TOKEN.tokenId());
    }

    @Test
    void aTokenWithoutAnAddressIsNotMinted() {
        assertThatThrownBy(() -> minted()).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aProofIsOverThePartsAndNotTheirSum() {
        byte[] secret = {1, 2, 3};
        byte[] ab = "ab".getBytes(StandardCharsets.US_ASCII);
        byte[] a = "a".getBytes(StandardCharsets.US_ASCII);
        byte[] b = "b".getBytes(StandardCharsets.US_ASCII);
        assertThat(JoinToken.proof(secret, ab)).hasSize(32).isNotEqualTo(JoinToken.proof(secret, a, b));
        assertThat(JoinToken.proof(secret, a, b)).isNotEqualTo(JoinToken.proof(secret, b, a));
        assertThat(JoinToken.proof(secret, ab)).isNotEqualTo(JoinToken.proof(new byte[] {1, 2, 4}, ab));
        assertThat(JoinToken.proof(secret, ab)).isEqualTo(JoinToken.proof(secret, ab));
    }
}
