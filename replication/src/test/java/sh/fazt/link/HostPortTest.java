package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HostPortTest {
    @ParameterizedTest
    @ValueSource(strings = {"localhost:5698", "192.168.1.5:1", "[fe80::1]:65535", "node.example.org:80"})
    void whatIsReadIsWrittenTheSame(String text) {
        assertThat(HostPort.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "fe80::1:80", "h:8o"})
    void anythingElseIsToldWhatAnAddressIs(String text) {
        assertThatThrownBy(() -> HostPort.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + text + "\"")
                .hasMessageContaining("host:port");
    }
}
