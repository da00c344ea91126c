package sh.fazt.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.testkit.Await;

/** Against a router that speaks the protocols over real sockets. */
final class PortMappingIT {
    private static final Duration SOON = Duration.ofSeconds(15);
    private static final Duration HOUR = Duration.ofHours(1);

    private final InetAddress own = InetAddress.getLoopbackAddress();
    private final ExecutorService io = Executors.newFixedThreadPool(2);
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final AtomicLong skipped = new AtomicLong();
    private final AtomicReference<Gateway> gateway = new AtomicReference<>();
    private FakeRouter router;

    @BeforeEach
    void start() throws Exception {
        router = new FakeRouter();
        gateway.set(new Gateway(router.address(), own));
    }

    @AfterEach
    void stop() {
        router.close();
        timer.shutdownNow();
        io.shutdownNow();
    }

    private PcpMapper pcp() throws Exception {
        return new PcpMapper(router.address(), own, new SecureRandom());
    }

    private UpnpMapper upnp() {
        return new UpnpMapper(own, router.searchAddress(), System::nanoTime);
    }

    private PortMapping mapping() {
        PortMapping mapping = new PortMapping(
                5698,
                address -> true,
                () -> {},
                io,
                timer,
                () -> System.nanoTime() + skipped.get(),
                new SecureRandom(),
                gateway::get);
        mapping.start();
        return mapping;
    }

    private void skip(Duration time) {
        skipped.addAndGet(time.toNanos());
    }

    @Test
    void pcpMapsAndGivesBack() throws Exception {
        PcpMapper mapper = pcp();
        Mapping made = mapper.map(5698, 5698, HOUR);
        assertThat(made).isEqualTo(new Mapping("PCP", InetAddress.getByName("1.2.3.7"), 5698, HOUR));
        assertThat(router.open).containsEntry(5698, 5698);
        mapper.unmap(5698, 5698);
        assertThat(router.open).isEmpty();
    }

    @Test
    void aRouterThatIsOlderIsAskedByNatPmp() throws Exception {
        router.speaksPcp = false;
        router.taken = 5698;
        router.lease = 120;
        PcpMapper mapper = pcp();
        Mapping made = mapper.map(5698, 5698, HOUR);
        assertThat(made)
                .isEqualTo(new Mapping("NAT-PMP", InetAddress.getByName("1.2.3.7"), 5699, Duration.ofSeconds(120)));
        mapper.unmap(5698, 5699);
        assertThat(router.heard).containsExactly("NAT-PMP 5698 5699 120", "NAT-PMP 5698 0 0");
        assertThat(router.open).isEmpty();
    }

    @Test
    void aLostPacketIsSentAgainAndARouterThatSaysNothingIsNamed() throws Exception {
        router.dropped = 1;
        assertThat(pcp().map(5698, 5698, HOUR).port()).isEqualTo(5698);
        router.speaksPcp = false;
        router.speaksPmp = false;
        PcpMapper mapper = pcp();
        assertThatThrownBy(() -> mapper.map(5698, 5698, HOUR))
                .isInstanceOf(MappingException.class)
                .hasMessage("no PCP or NAT-PMP at 127.0.0.77");
    }

    @Test
    void upnpIsFoundDescribedAndAsked() throws Exception {
        UpnpMapper mapper = upnp();
        assertThat(mapper.map(5698, 5698, HOUR))
                .isEqualTo(new Mapping("UPnP", InetAddress.getByName("1.2.3.7"), 5698, HOUR));
        assertThat(router.open).containsEntry(5698, 5698);
        mapper.unmap(5698, 5698);
        assertThat(router.heard)
                .containsExactly("GetExternalIPAddress", "AddPortMapping 5698 3600", "DeletePortMapping 5698");
        assertThat(router.open).isEmpty();
    }

    @Test
    void upnpTakesAnotherPortAndAPermanentLeaseWhereItHasTo() throws Exception {
        router.taken = 5698;
        router.onlyPermanent = true;
        Mapping made = upnp().map(5698, 5698, HOUR);
        assertThat(made.lease()).isZero();
        assertThat(made.port()).isNotEqualTo(5698).isBetween(1024, 65535);
        assertThat(router.open).containsEntry(made.port(), 5698);
    }

    @Test
    void whoSendsUsElsewhereIsNotFollowed() {
        router.sendsElsewhere = true;
        assertThatThrownBy(() -> upnp().map(5698, 5698, HOUR)).hasMessageContaining("not its own");
        assertThat(router.heard).isEmpty();
    }

    @Test
    void aRouterWithoutAnAddressOutsideIsNamed() {
        router.external = "";
        assertThatThrownBy(() -> upnp().map(5698, 5698, HOUR)).hasMessageContaining("no address outside");
    }

    @Test
    void theLeaseIsRenewedAtHalfTimeAndGivenBackAtTheEnd() {
        router.lease = 600;
        PortMapping mapping = mapping();
        Await.until("a port", SOON, () -> mapping.status().address().equals("1.2.3.7:5698"));
        assertThat(mapping.status()).isEqualTo(new PortMapping.Status("PCP", "1.2.3.7:5698", ""));
        skip(Duration.ofSeconds(280));
        assertThat(router.heard).hasSize(1);
        skip(Duration.ofSeconds(20));
        Await.until("the renewal", SOON, () -> router.heard.size() == 2);
        mapping.close();
        assertThat(router.heard).containsExactly("PCP 5698 5698 600", "PCP 5698 5698 600", "PCP 5698 5698 0");
        assertThat(router.open).isEmpty();
    }

    @Test
    void aRouterThatForgetsIsAskedAnewAndOneThatIsGoneIsSaid() {
        PortMapping mapping = mapping();
        Await.until("a port", SOON, () -> !mapping.status().address().isEmpty());
        router.speaksPcp = false;
        skip(Duration.ofMinutes(31));
        Await.until(
                "the older protocol", SOON, () -> mapping.status().protocol().equals("NAT-PMP"));
        gateway.set(null);
        Await.until("nothing", SOON, () -> mapping.status().why().contains("no way out"));
        assertThat(mapping.status().address()).isEmpty();
        mapping.close();
    }

    @Test
    void aRouterBehindARouterIsOfNoUse() {
        router.external = "100.64.9.9";
        PortMapping mapping = mapping();
        Await.until("an answer", SOON, () -> !mapping.status().protocol().isEmpty());
        assertThat(mapping.status().address()).isEmpty();
        assertThat(mapping.status().why()).contains("100.64.9.9").contains("another router stands before it");
        mapping.close();
        assertThat(router.open).isEmpty();
    }

    @Test
    void aPublicAddressAsksNobody() throws Exception {
        gateway.set(new Gateway(router.address(), InetAddress.getByName("8.8.8.8")));
        PortMapping mapping = mapping();
        Await.until("an answer", SOON, () -> mapping.status().why().contains("public"));
        assertThat(router.heard).isEmpty();
        mapping.close();
    }

    @Test
    void theSystemsThreadsAreNotKept() throws Exception {
        PortMapping mapping = mapping();
        Await.until("a port", SOON, () -> !mapping.status().address().isEmpty());
        io.shutdown();
        mapping.close();
        assertThat(io.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    }
}
