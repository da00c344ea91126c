package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.IdentityException.Reason;

final class JoinTokenTest {
    private static final NodeId ISSUER = NodeId.of(new byte[32]);
    private static final JoinToken TOKEN = JoinToken.mint(
            "01jd8swarm",
            ISSUER,
            List.of("192.168.1.5:5698", "[fe80::1]:5698"),
            Instant.ofEpochSecond(1_800_000_000),
            Duration.ofHours(1),
            new SecureRandom());

    private static Reason reason(Throwable error) {
        return ((IdentityException) error).reason();
    }

    @Test
    void whatWasMintedIsRead() {
        JoinToken read = JoinToken.parse(TOKEN.text());
        assertThat(read.swarmId()).isEqualTo("01jd8swarm");
        assertThat(read.tokenId()).isEqualTo(TOKEN.tokenId());
        assertThat(read.secret()).isEqualTo(TOKEN.secret()).hasSizeGreaterThanOrEqualTo(16);
        assertThat(read.issuer()).isEqualTo(ISSUER);
        assertThat(read.addresses()).containsExactly("192.168.1.5:5698", "[fe80::1]:5698");
        assertThat(read.expiresAtSeconds()).isEqualTo(1_800_003_600);
        assertThat(read.text()).isEqualTo(TOKEN.text()).matches("fazt1-[a-z2-7]+");
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
        JoinToken other =
                JoinToken.mint("s", ISSUER, List.of("a:1"), Instant.EPOCH, Duration.ofHours(1), new SecureRandom());
        assertThat(other.secret()).isNotEqualTo(TOKEN.secret());
        assertThat(other.tokenId()).isNotEqualTo(TOKEN.tokenId());
    }

    @Test
    void aTokenWithoutAnAddressIsNotMinted() {
        assertThatThrownBy(() ->
                        JoinToken.mint("s", ISSUER, List.of(), Instant.EPOCH, Duration.ofHours(1), new SecureRandom()))
                .isInstanceOf(IllegalArgumentException.class);
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
