package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.CutProxy;

/** Classes, rates, budgets and addresses that move, over sockets. */
final class LinkClassIT {
    private static final Duration SOON = Duration.ofSeconds(15);

    private final List<AutoCloseable> open = new ArrayList<>();
    private final TestNode a = keep(new TestNode());
    private final TestNode b = keep(new TestNode());
    private final RecordingHandler bulk = new RecordingHandler();

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T keep(T one) {
        open.add(0, one);
        return one;
    }

    private static void until(String what, BooleanSupplier condition) {
        Await.until(what, SOON, condition::getAsBoolean);
    }

    private void linked() {
        b.links.handle(Channel.BLOBS, bulk);
        b.links.handle(Channel.RAFT, new RecordingHandler());
        a.start();
        b.start();
        b.trust(a);
        a.trust(b, b.address());
        until("the link", () -> a.isUp() && b.isUp());
    }

    private CompletableFuture<Void> blob(int bytes, Duration deadline) {
        return a.links.send(b.id(), Channel.BLOBS, new byte[bytes], deadline).toCompletableFuture();
    }

    @Test
    void aLinkWithinTheMachineIsALan() {
        linked();
        assertThat(a.state().linkClass()).isEqualTo(LinkClass.LAN);
        assertThat(b.state().linkClass()).isEqualTo(LinkClass.LAN);
        assertThat(a.state().rateLimit()).isNull();
        assertThat(a.state().budgetLeft()).isNull();
    }

    @Test
    void aNetworkWhoseAnswersAreSlowIsNoLan() {
        a.start();
        b.start();
        CutProxy cable = keep(CutProxy.to(b.links.port()));
        cable.delay(Duration.ofMillis(40));
        b.trust(a);
        a.trust(b, cable.address());
        until(
                "both know",
                () -> a.state().linkClass() == LinkClass.WAN && b.state().linkClass() == LinkClass.WAN);
        assertThat(a.isUp()).isTrue();
    }

    @Test
    void whatOneSidePaysForIsMeteredOnBothAtOnce() {
        linked();
        a.links.settings(LinkSettings.NONE.set(null, "metered", "on"));
        until(
                "both know",
                () -> a.state().linkClass() == LinkClass.METERED && b.state().linkClass() == LinkClass.METERED);
        a.links.settings(LinkSettings.NONE);
        until(
                "both know",
                () -> a.state().linkClass() == LinkClass.LAN && b.state().linkClass() == LinkClass.LAN);
        assertThat(a.links.counters().linksUp()).isEqualTo(1);
    }

    @Test
    void aMeteredLinkThatIsCutIsNoticedWhenSomethingIsSent() {
        a.start();
        b.start();
        CutProxy cable = keep(CutProxy.to(b.links.port()));
        b.trust(a);
        a.links.settings(LinkSettings.NONE.set(null, "metered", "on"));
        a.trust(b, cable.address());
        until("the link", () -> a.isUp() && b.isUp());
        cable.cut();
        a.links.send(b.id(), Channel.CHANGES, new byte[10], SOON);
        Await.until("a notices", Duration.ofSeconds(60), () -> !a.isUp());
    }

    @Test
    void aRateHoldsBackBulkAndNotRaft() throws Exception {
        linked();
        a.links.settings(LinkSettings.NONE.set(b.id(), "rate", "300KB"));
        until("it shows", () -> Long.valueOf(300_000).equals(a.state().rateLimit()));
        long start = System.nanoTime();
        for (int i = 0; i < 8; i++) {
            blob(100_000, SOON);
        }
        assertThat(a.ask(b, Channel.RAFT, new byte[200_000]).toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(2));
        assertThat(bulk.messages()).hasSizeLessThan(8);
        until("all of it", () -> bulk.messages().size() == 8);
        // 1 MB in all at 300 kB/s with a quarter of a second in advance.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(2000));
    }

    @Test
    void aPeersOwnBudgetHoldsWhateverTheClassOfItsLinkAndTheCommonOneWhereItIsMetered() {
        linked();
        a.links.settings(LinkSettings.NONE.set(null, "budget", "1KB"));
        blob(50_000, SOON).join();
        assertThat(a.state().budgetLeft()).isNull();
        a.links.settings(LinkSettings.NONE.set(b.id(), "budget", "100KB"));
        // Settings take hold on the links' own thread: what is sent before goes uncounted.
        until("it holds", () -> a.state().budgetLeft() != null);
        blob(60_000, SOON).join();
        assertThat(a.state().budgetLeft()).isBetween(1L, 40_000L);
        blob(60_000, SOON);
        until("it is used up", () -> Objects.requireNonNullElse(a.state().budgetLeft(), 1L) <= 0);
        assertThat(blob(50_000, Duration.ofMillis(400))).failsWithin(SOON);
    }

    @Test
    void aBudgetThatIsUsedUpHoldsBulkBackUntilThereIsMoreAndSaysSo() throws Exception {
        linked();
        LinkSettings metered = LinkSettings.NONE.set(null, "metered", "on").set(null, "budget", "300KB");
        a.links.settings(metered);
        until("it is metered", () -> a.state().linkClass() == LinkClass.METERED);
        blob(250_000, SOON).join();
        assertThat(a.state().budgetLeft()).isBetween(1L, 60_000L);
        blob(100_000, SOON);
        until("it is used up", () -> Objects.requireNonNullElse(a.state().budgetLeft(), 1L) <= 0);
        CompletableFuture<Void> late = blob(50_000, Duration.ofMillis(400));
        until("it is refused", late::isDone);
        assertThatThrownBy(late::join).cause().hasMessageContaining("budget").hasMessageContaining("fazt swarm link");
        assertThat(a.ask(b, Channel.RAFT, new byte[] {5}).toCompletableFuture()).succeedsWithin(SOON);
        int before = bulk.messages().size();
        CompletableFuture<Void> waits = blob(50_000, Duration.ofSeconds(30));
        a.links.settings(metered.set(null, "budget", "3MB"));
        until("it goes on", waits::isDone);
        assertThat(waits).isCompleted();
        until("it arrives", () -> bulk.messages().size() > before);
        GrpcLinks.Usage usage = a.links.usage();
        assertThat(usage.bytes().get(b.id())).isGreaterThan(300_000);
        TestNode restarted = keep(new TestNode());
        restarted.links.restoreUsage(usage);
        assertThat(restarted.links.usage()).isEqualTo(usage);
    }

    @Test
    void anyMemberLearnsWhereAMovedNodeIs() {
        TestNode middle = keep(new TestNode());
        List.of(a, b, middle).forEach(TestNode::start);
        middle.links.trust(Map.of(a.id(), List.of(), b.id(), List.of()));
        a.links.trust(Map.of(middle.id(), List.of(middle.address()), b.id(), List.of()));
        b.links.trust(Map.of(middle.id(), List.of(middle.address()), a.id(), List.of()));
        until("relayed", () -> RelayIT.state(a, b).up());
        assertThat(RelayIT.state(a, b).via()).isEqualTo(middle.id());
        // b learns an address of its own; the signed book brings it to a, which goes over to it.
        b.links.candidates(b.id(), AddressSource.MAPPED, List.of(HostPort.parse(b.address())));
        until("direct", () -> RelayIT.state(a, b).up() && RelayIT.state(a, b).via() == null);
        assertThat(RelayIT.state(a, b).address()).isEqualTo(b.address());
        assertThat(a.links.counters().forgedBooks() + b.links.counters().forgedBooks())
                .isZero();
        List<byte[]> books = a.links.books();
        assertThat(books).isNotEmpty();
        TestNode again = keep(new TestNode());
        again.start();
        again.links.trust(Map.of(b.id(), List.of()));
        b.links.trust(Map.of(a.id(), List.of(), again.id(), List.of()));
        again.links.restoreBooks(books);
        until("it dials what was kept", again::isUp);
    }
}
