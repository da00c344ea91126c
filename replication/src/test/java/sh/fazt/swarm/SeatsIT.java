package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.Timings;
import sh.fazt.swarm.SwarmNodes.Node;
import sh.fazt.testkit.Await;

/** A voter's seat that falls free, or whose voter is silent for long, is taken by a member that stands by. */
@Timeout(180)
class SeatsIT {
    private static final Duration SILENCE = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private SwarmNodes nodes;
    private Node one;
    private Node two;
    private Node three;
    private Node phone;
    private Node four;

    @BeforeEach
    void start() throws IOException {
        nodes = new SwarmNodes(folder);
        nodes.timings = new Timings(Timings.LAN.electionMin(), Timings.LAN.electionMax(), SILENCE);
        one = nodes.node("one");
        two = joined("two", false);
        three = joined("three", false);
        phone = joined("phone", true);
        four = joined("four", false);
        awaitVoters(Set.of(one, two, three), one, two, three, phone, four);
    }

    @AfterEach
    void stop() {
        nodes.stop();
    }

    private Node joined(String name, boolean observer) throws IOException {
        Node node = nodes.node(name);
        node.swarm.join(one.token().text(), observer);
        return node;
    }

    /** By their names; empty while one is about to vote. */
    private static Set<String> voters(Node seenBy) {
        List<SwarmView.Member> members = seenBy.swarm.view().members();
        if (members.stream().anyMatch(member -> member.role().equals("joining"))) {
            return Set.of();
        }
        return members.stream()
                .filter(member -> !member.role().equals("observer"))
                .map(member -> member.node().name())
                .collect(Collectors.toSet());
    }

    private static void awaitVoters(Set<Node> voters, Node... seenBy) {
        Set<String> names = voters.stream().map(node -> node.name).collect(Collectors.toSet());
        for (Node node : seenBy) {
            Await.until(
                    names + " vote as " + node.name + " sees it",
                    SwarmNodes.PATIENCE,
                    () -> voters(node).equals(names) && node.swarm.view().quorum());
        }
    }

    private static void staysSo(Duration time, Set<Node> voters, Node seenBy) {
        Set<String> names = voters.stream().map(node -> node.name).collect(Collectors.toSet());
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            assertThat(voters(seenBy)).isEqualTo(names);
            LockSupport.parkNanos(50_000_000);
        }
    }

    private static String why(Node of, Node seenBy) {
        return seenBy.swarm.watch().events().since(0).stream()
                .filter(event -> event.kind().equals("role") && Objects.equals(event.node(), of.key.id()))
                .map(event -> event.what() + ": " + event.why())
                .collect(Collectors.joining("; "));
    }

    @Test
    void whoStandsByTakesAnEvictedVotersSeatAndWhoObservesByChoiceTakesNone() {
        one.swarm.evict("three");
        awaitVoters(Set.of(one, two, four), one, two, phone, four);
        assertThat(why(four, phone)).isEqualTo("votes from now on: it stood by, and a voter's seat fell free");
        four.swarm.alias("shop", "app");
        two.swarm.leave(false, Scope::id);
        awaitVoters(Set.of(one, four), one, phone, four);
        staysSo(SILENCE.dividedBy(3), Set.of(one, four), one);
        phone.swarm.alias("shop", "other");
    }

    @Test
    void aVoterThatIsSilentForLongGivesItsSeatAndStandsByWhenItIsBack() {
        SwarmView.Named leads = Objects.requireNonNull(one.swarm.view().leader());
        Node gone = List.of(one, two, three).stream()
                .filter(node -> node.name.equals(leads.name()))
                .findFirst()
                .orElseThrow();
        Node[] others = List.of(one, two, three, phone, four).stream()
                .filter(node -> node != gone)
                .toArray(Node[]::new);
        Node[] stay = Arrays.copyOf(others, 2);
        gone.stop();
        staysSo(SILENCE.minusSeconds(3), Set.of(one, two, three), stay[0]);
        awaitVoters(Set.of(stay[0], stay[1], four), others);
        assertThat(why(gone, stay[0]))
                .isEqualTo(
                        "observes from now on: it was silent for long: another member has its seat, and it stands by");
        stay[0].swarm.alias("shop", "app");
        gone.start();
        awaitVoters(Set.of(stay[0], stay[1], four), gone);
        Await.until(
                "it follows",
                SwarmNodes.PATIENCE,
                () -> "app".equals(gone.swarm.aliases().get("shop")));
        stay[0].swarm.evict("four");
        awaitVoters(Set.of(one, two, three), one, two, three, phone);
        gone.swarm.alias("shop", "other");
    }

    @Test
    void aVoterThatIsBackInTimeKeepsItsSeat() {
        two.stop();
        staysSo(SILENCE.dividedBy(2), Set.of(one, two, three), one);
        two.start();
        staysSo(SILENCE.plusSeconds(3), Set.of(one, two, three), one);
    }

    @Test
    void nobodyTakesTheSeatOfAVoterThatItsOwnerDemoted() {
        one.swarm.demote("three");
        awaitVoters(Set.of(one, two), one, two, three, phone, four);
        staysSo(SILENCE.dividedBy(3), Set.of(one, two), one);
        one.swarm.promote("three");
        awaitVoters(Set.of(one, two, three), one, two, three, phone, four);
        one.swarm.promote("phone");
        one.swarm.promote("four");
        one.swarm.evict("three");
        awaitVoters(Set.of(one, two, phone, four), one, two, phone, four);
    }
}
