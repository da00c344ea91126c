package sh.fazt.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.identity.NodeId;

/** What strangers on the network may send, and what of it is believed. */
final class AnnouncementTest {
    private static final Announcement SAID =
            new Announcement(NodeId.of(new byte[32]), Announcement.digest("swarm"), "home", 5698);

    @Test
    void whatIsSaidIsReadAndTellsNoSwarmId() {
        assertThat(Announcement.read(SAID.text(), 5698)).isEqualTo(SAID);
        assertThat(SAID.text().toString()).doesNotContain("swarm=swarm");
        assertThat(Announcement.digest("swarm")).isNotEqualTo(Announcement.digest("swarn"));
    }

    @Test
    void aLongNameIsCut() {
        Announcement wordy = new Announcement(SAID.node(), SAID.swarm(), "n".repeat(300), 1);
        Announcement read = Objects.requireNonNull(Announcement.read(wordy.text(), 1));
        assertThat(read.name()).hasSize(60);
    }

    @ParameterizedTest
    @CsvSource({"protocol,2", "node,abc", "swarm,x", "name,a\u0007b", "node,''"})
    void whatIsDamagedIsNone(String key, String value) {
        Map<String, String> text = new HashMap<>(SAID.text());
        text.put(key, value);
        assertThat(Announcement.read(text, 5698)).isNull();
    }

    @Test
    void aPortThatIsNoneIsNone() {
        assertThat(Announcement.read(SAID.text(), 0)).isNull();
        assertThat(Announcement.read(SAID.text(), 65536)).isNull();
        assertThat(Announcement.read(Map.of(), 1)).isNull();
    }

    @Test
    void aNeighbourIsInOneOfOurNetworks() throws Exception {
        LocalNetwork network = new LocalNetwork(
                "eth0",
                InetAddress.getByName("192.168.1.5"),
                List.of(
                        new LocalNetwork.Prefix(InetAddress.getByName("192.168.1.5"), 23),
                        new LocalNetwork.Prefix(InetAddress.getByName("fe80::5"), 64)));
        assertThat(network.holds(InetAddress.getByName("192.168.0.200"))).isTrue();
        assertThat(network.holds(InetAddress.getByName("192.168.2.1"))).isFalse();
        assertThat(network.holds(InetAddress.getByName("8.8.8.8"))).isFalse();
        assertThat(network.holds(InetAddress.getByName("fe80::77"))).isTrue();
        assertThat(network.holds(InetAddress.getByName("2001:db8::1"))).isFalse();
        assertThat(network.text(InetAddress.getByName("192.168.0.200"), 1)).isEqualTo("192.168.0.200:1");
        assertThat(network.text(InetAddress.getByName("fe80::77"), 1)).isEqualTo("[fe80:0:0:0:0:0:0:77%eth0]:1");
    }
}
