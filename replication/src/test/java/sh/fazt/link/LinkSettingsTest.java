package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sh.fazt.identity.NodeId;

final class LinkSettingsTest {
    private final NodeId peer = NodeId.of(new byte[32]);

    @ParameterizedTest
    @CsvSource({
        "10mbit, 1250000",
        "500KB, 500000",
        "1.5 MB, 1500000",
        "1MiB, 1048576",
        "8kbit/s, 1000",
        "4096, 4096",
        "1.6KiB, 1638"
    })
    void amountsAreReadAsPeopleWriteThem(String text, long bytes) {
        assertThat(LinkSettings.NONE.set(peer, "rate", text).rate(peer, LinkClass.WAN))
                .isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0MB", "0.0kbit"})
    void zeroIsRefusedAndSaysWhatToDo(String zero) {
        assertThatThrownBy(() -> LinkSettings.NONE.set(peer, "budget", zero))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("budget of zero is refused")
                .hasMessageContaining("unset");
        assertThatThrownBy(() -> LinkSettings.NONE.set(null, "rate", zero)).hasMessageContaining("rate of zero");
    }

    @ParameterizedTest
    @CsvSource({
        "budget, lots",
        "budget, -5MB",
        "rate, 10 parsecs",
        "metered, maybe",
        "relay, 1",
        "speed, 5",
        "rate, 99999999999999GB"
    })
    void nonsenseIsRefusedNamingWhatWouldBeRight(String key, String value) {
        assertThatThrownBy(() -> LinkSettings.NONE.set(peer, key, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key);
    }

    @Test
    void aPeersOwnSettingGoesBeforeItsClassAndThatBeforeTheDefault() {
        LinkSettings settings = LinkSettings.NONE.set(null, "rate", "3000").set(null, "rate-relayed", "2000");
        assertThat(settings.rate(peer, LinkClass.LAN)).isEqualTo(3000);
        assertThat(settings.rate(peer, LinkClass.RELAYED)).isEqualTo(2000);
        settings = settings.set(peer, "rate", "1000");
        assertThat(settings.rate(peer, LinkClass.RELAYED)).isEqualTo(1000);
        settings = settings.set(peer, "rate", "unset");
        assertThat(settings.rate(peer, LinkClass.RELAYED)).isEqualTo(2000);
        assertThatThrownBy(() -> LinkSettings.NONE.set(peer, "relay-rate", "5MB"))
                .hasMessageContaining("default");
    }

    @Test
    void whoPaysRelaysOnlyWhenTold() {
        assertThat(LinkSettings.NONE.relays()).isTrue();
        LinkSettings metered = LinkSettings.NONE.set(null, "metered", "on");
        assertThat(metered.relays()).isFalse();
        assertThat(metered.metered(peer)).isTrue();
        assertThat(metered.set(null, "relay", "on").relays(peer)).isTrue();
        assertThat(metered.set(peer, "metered", "off").metered(peer)).isFalse();
        assertThat(LinkSettings.NONE.set(peer, "relay", "off").reachedByRelay(peer))
                .isFalse();
        assertThat(LinkSettings.NONE.set(null, "relay", "off").reachedByRelay(peer))
                .isTrue();
    }

    @Test
    void whatIsKeptIsReadBackAsItWas() {
        LinkSettings settings = LinkSettings.NONE
                .set(null, "budget", "200MB")
                .set(peer, "rate", "1mbit")
                .set(peer, "metered", "on");
        LinkSettings again = LinkSettings.NONE;
        for (LinkSettings.Entry entry : settings.entries()) {
            again = again.set(
                    entry.of().equals(LinkSettings.DEFAULT) ? null : NodeId.parse(entry.of()),
                    entry.key(),
                    entry.value());
        }
        assertThat(again).isEqualTo(settings);
    }
}
