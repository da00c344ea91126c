package sh.fazt.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GatewayTest {
    private static final String HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n";

    @Test
    void theDefaultRouteWithTheLeastMetricIsTheRouter() throws Exception {
        String table = HEAD
                + "wlan0\t00000000\tFE01A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                + "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
                + "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        assertThat(Gateway.defaultRoute(table)).isEqualTo(InetAddress.getByName("10.0.0.1"));
    }

    @Test
    void aTableWithoutADefaultRouteHasNone() throws Exception {
        assertThat(Gateway.defaultRoute(HEAD)).isNull();
        assertThat(Gateway.defaultRoute("")).isNull();
        assertThat(Gateway.defaultRoute(HEAD + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3,true", "172.31.0.1,true", "192.168.7.7,true", "100.64.0.1,true", "100.127.9.9,true",
        "100.128.0.1,false", "8.8.8.8,false", "172.32.0.1,false", "127.0.0.1,true", "2001:db8::1,false"
    })
    void privateAddressesAreThoseBehindRouters(String address, boolean isPrivate) throws Exception {
        assertThat(Gateway.isPrivate(InetAddress.getByName(address))).isEqualTo(isPrivate);
    }
}
