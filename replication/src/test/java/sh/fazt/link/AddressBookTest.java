package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;

final class AddressBookTest {
    private final NodeId node = NodeId.of(new byte[32]);
    private long nanos;
    private final AddressBook book = new AddressBook(() -> nanos);

    @BeforeEach
    void network() throws Exception {
        book.networks(new LocalNetworks(List.of(new LocalNetworks.Member(InetAddress.getByName("192.168.1.20"), 24))));
    }

    private static List<HostPort> at(String... addresses) {
        return Arrays.stream(addresses).map(HostPort::parse).toList();
    }

    private List<String> order() {
        return book.ways(node).stream().map(Way::text).toList();
    }

    @Test
    void theOwnNetworkIsFirstThenIpv6ThenPublicThenTunnels() {
        book.put(node, AddressSource.CONFIGURED, at("10.8.0.3:1", "203.0.113.5:1", "home.example:1"));
        book.put(node, AddressSource.TOLD, at("[2001:db8::7]:1", "192.168.1.77:1", "192.168.2.1:1"));
        assertThat(order())
                .containsExactly(
                        "192.168.1.77:1",
                        "[2001:db8::7]:1",
                        "203.0.113.5:1",
                        "home.example:1",
                        "10.8.0.3:1",
                        "192.168.2.1:1");
        assertThat(book.ways(node).get(0).rank()).isEqualTo(LinkClass.LAN);
        assertThat(book.ways(node).get(4).rank()).isEqualTo(LinkClass.WAN);
    }

    @Test
    void aSourceTakesBackWhatItSaidAndNoOthers() {
        book.put(node, AddressSource.LAN, at("192.168.1.5:1", "192.168.1.6:1"));
        book.put(node, AddressSource.CONFIGURED, at("203.0.113.5:1"));
        assertThat(book.put(node, AddressSource.LAN, at("192.168.1.7:1"))).isTrue();
        assertThat(book.put(node, AddressSource.LAN, at("192.168.1.7:1"))).isFalse();
        assertThat(order()).containsExactly("192.168.1.7:1", "203.0.113.5:1");
        book.put(node, AddressSource.LAN, List.of());
        assertThat(order()).containsExactly("203.0.113.5:1");
    }

    @Test
    void whatNobodySaysAgainIsForgottenButForTheOwnersWord() {
        book.put(node, AddressSource.CONFIGURED, at("203.0.113.5:1"));
        book.put(node, AddressSource.TOLD, at("203.0.113.6:1"));
        book.put(node, AddressSource.LAN, at("192.168.1.5:1"));
        nanos += Duration.ofDays(2).toNanos();
        assertThat(order()).containsExactly("203.0.113.5:1", "203.0.113.6:1");
        nanos += Duration.ofDays(40).toNanos();
        assertThat(order()).containsExactly("203.0.113.5:1");
    }

    @Test
    void nobodyFillsTheBook() {
        for (AddressSource source : AddressSource.values()) {
            book.put(
                    node,
                    source,
                    IntStream.range(0, 500)
                            .mapToObj(i -> new HostPort("10.0." + source.number() + "." + i % 250, 1 + i))
                            .toList());
        }
        assertThat(book.of(node)).hasSize(AddressBook.MAX_ALL);
    }
}
