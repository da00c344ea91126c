package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.swarm.SwarmNode.APP;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.sync.AuditResult;
import sh.fazt.sync.AuditResult.State;
import sh.fazt.sync.Lag;
import sh.fazt.testkit.Await;

/** What an owner watches of a swarm, on real links and cartridges. */
@Timeout(120)
class WatchIT {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    @TempDir
    Path folder;

    private SwarmNode home;
    private SwarmNode phone;

    @BeforeEach
    void start() {
        home = new SwarmNode(folder, "home");
        phone = new SwarmNode(folder, "phone");
        phone.join(home);
        for (int i = 0; i < 200; i++) {
            (i % 2 == 0 ? home : phone).set("k" + i, "v" + i);
        }
        Await.until(
                "both have everything",
                PATIENCE,
                () -> home.pairs().size() == 200 && phone.pairs().size() == 200);
    }

    @AfterEach
    void stop() {
        phone.close();
        home.close();
    }

    private static AuditResult of(SwarmNode asked, SwarmNode about, boolean repair) {
        return asked.swarm.watch().verify(APP, repair).stream()
                .filter(one -> one.member().name().equals(about.name))
                .map(Watch.Verified::result)
                .findFirst()
                .orElseThrow();
    }

    private static List<String> kinds(SwarmNode node) {
        return node.swarm.watch().events().since(0).stream()
                .map(SwarmEvents.Event::kind)
                .toList();
    }

    @Test
    void equalReplicasAreCalledEqual() {
        assertThat(of(home, phone, false).state()).isEqualTo(State.EQUAL);
        assertThat(of(home, home, false).state()).isEqualTo(State.EQUAL);
        assertThat(kinds(home)).contains("member-joined", "member-up", "link-up", "leader");
        assertThat(kinds(home)).doesNotContain("alarm", "damage", "repair");
    }

    @Test
    void aRowThatIsGoneIsNamedAndComesBack() {
        Map<String, String> before = home.pairs();
        phone.tamper("DELETE FROM pair WHERE name IN ('k6', 'k7')");
        AuditResult found = of(home, phone, false);
        assertThat(found.state()).isEqualTo(State.DIFFERENT);
        assertThat(found.rows())
                .extracting(AuditResult.Difference::toString)
                .containsExactlyInAnyOrder("pair[k6]: is missing there", "pair[k7]: is missing there");
        assertThat(phone.pairs()).as("only --repair repairs").hasSize(198);
        assertThat(of(phone, phone, false).state())
                .as("the damaged one knows by itself")
                .isEqualTo(State.DIFFERENT);
        AuditResult repaired = of(home, phone, true);
        assertThat(repaired.repaired()).isTrue();
        assertThat(phone.pairs()).isEqualTo(before);
        assertThat(of(phone, phone, false).state()).isEqualTo(State.EQUAL);
        assertThat(of(phone, home, false).state()).isEqualTo(State.EQUAL);
        assertThat(kinds(home)).contains("alarm");
        assertThat(kinds(phone)).contains("damage", "alarm", "repair");
    }

    @Test
    void aRowThatWasChangedBehindOurBackIsNamedAndItsWritersCopyWins() {
        home.tamper("UPDATE pair SET value = 'forged' WHERE name = 'k7'");
        assertThat(of(home, home, false).state())
                .as("clocks say nothing of what a row says")
                .isEqualTo(State.EQUAL);
        AuditResult found = of(home, phone, false);
        assertThat(found.rows()).hasSize(1);
        assertThat(found.rows().get(0).toString()).startsWith("pair[k7]: says something else here under one stamp");
        AuditResult repaired = of(home, phone, true);
        assertThat(repaired.repaired()).as(repaired.why()).isTrue();
        assertThat(home.pairs()).containsEntry("k7", "v7").isEqualTo(phone.pairs());
        assertThat(home.cartridge
                        .conflicts()
                        .page(java.util.Optional.empty(), 0, 10)
                        .conflicts())
                .as("what was written over is kept")
                .anySatisfy(conflict -> assertThat(conflict.values()).containsEntry("value", "forged"));
        assertThat(of(home, phone, false).state()).isEqualTo(State.EQUAL);
    }

    @Test
    void aRowThatNobodyWroteIsTakenOut() {
        phone.tamper("INSERT INTO pair SELECT scope, 'alien', 'x', _origin, 99999, _hlc, 0, NULL FROM pair LIMIT 1");
        AuditResult alone = of(phone, phone, false);
        assertThat(alone.state()).isEqualTo(State.DIFFERENT);
        assertThat(alone.damaged()).contains("1 rows were not written by this node");
        of(phone, phone, true);
        assertThat(phone.pairs()).doesNotContainKey("alien");
        assertThat(phone.cartridge
                        .conflicts()
                        .page(java.util.Optional.empty(), 0, 10)
                        .conflicts())
                .anySatisfy(conflict -> assertThat(conflict.key()).isEqualTo(List.of("alien")));
        Await.until(
                "both are equal again", PATIENCE, () -> of(home, phone, false).state() == State.EQUAL);
    }

    @Test
    void oneThatIsCutOffIsCalledUnreachableAndItsLossIsMendedAfter() {
        Map<String, String> before = new TreeMap<>(home.pairs());
        home.swarm.online(false);
        Await.until("the link is down", PATIENCE, () -> of(home, phone, false).state() == State.UNREACHABLE);
        home.set("k1", "later");
        before.put("k1", "later");
        phone.tamper("DELETE FROM pair WHERE name = 'k2'");
        home.swarm.online(true);
        Await.until(
                "it has caught up", PATIENCE, () -> "later".equals(phone.pairs().get("k1")));
        assertThat(of(phone, home, true).state()).isEqualTo(State.DIFFERENT);
        assertThat(phone.pairs()).isEqualTo(before);
        assertThat(kinds(home)).contains("link-down", "link-up");
    }

    @Test
    void lagIsReportedAsItIs() {
        // What is told is as old as the last turn of sync, when the rows of the set-up may not have been written yet.
        long begun = System.nanoTime();
        Await.until(
                "nothing is behind",
                PATIENCE,
                () -> System.nanoTime() - begun > Duration.ofSeconds(1).toNanos()
                        && lag(home).behind() == 0);
        assertThat(lag(home).oldest()).isEqualTo(Duration.ZERO);
        home.swarm.online(false);
        Await.until("the link is down", PATIENCE, () -> !figures(home).link().up());
        long first = System.nanoTime();
        home.set("first", "x".repeat(1000));
        for (int i = 0; i < 500; i++) {
            home.set("w" + i, "x".repeat(1000));
        }
        // One row for a hundred transactions: what is superseded does not travel.
        for (int i = 0; i < 100; i++) {
            home.set("same", "x".repeat(1000) + i);
        }
        Await.until("every change is counted", PATIENCE, () -> lag(home).behindRows() == 502);
        Lag cut = lag(home);
        assertThat(cut.behind()).isEqualTo(601);
        assertThat(cut.behindBytes()).isBetween(502_000L, 552_000L);
        Await.until("the oldest is older than two seconds", PATIENCE, () -> {
            Duration truth = Duration.ofNanos(System.nanoTime() - first);
            Duration told = lag(home).oldest();
            assertThat(told).isBetween(truth.minusSeconds(1), truth.plusSeconds(1));
            return truth.toSeconds() >= 2;
        });
        home.swarm.online(true);
        Await.until("it has caught up", PATIENCE, () -> phone.pairs().size() == 702);
        long caughtUp = System.nanoTime();
        Await.until("and that is known", PATIENCE, () -> lag(home).behind() == 0);
        assertThat(Duration.ofNanos(System.nanoTime() - caughtUp)).isLessThan(Duration.ofSeconds(2));
        assertThat(lag(home)).isEqualTo(new Lag(0, 0, 0, Duration.ZERO, 0));
        // Under load: what is told is never older than the writes that are not there yet.
        long start = System.nanoTime();
        for (int i = 0; i < 400; i++) {
            home.set("load" + i % 50, "y" + i);
            Duration running = Duration.ofNanos(System.nanoTime() - start);
            assertThat(lag(home).oldest()).isLessThanOrEqualTo(running.plusSeconds(1));
        }
        Await.until(
                "the load is there", PATIENCE, () -> "y399".equals(phone.pairs().get("load49")));
        Await.until("and that is known", Duration.ofSeconds(5), () -> lag(home).behind() == 0);
    }

    private PeerFigures figures(SwarmNode asked) {
        return asked.swarm.watch().peers().values().iterator().next();
    }

    private Lag lag(SwarmNode asked) {
        return figures(asked).lag();
    }
}
