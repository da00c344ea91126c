package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.swarm.SwarmNodes.PATIENCE;
import static sh.fazt.swarm.SwarmNodes.awaitMembers;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.OtherProtocol;
import sh.fazt.testkit.Await;

/** A member whose fazt has no protocol in common with the others': what its owner sees on a node that was not updated. */
@Timeout(120)
class OtherProtocolIT {
    @TempDir
    Path folder;

    private final ExecutorService io = Executors.newFixedThreadPool(8);
    private SwarmNodes nodes;
    private SwarmNodes.Node home;
    private SwarmNodes.Node phone;

    @BeforeEach
    void start() throws Exception {
        nodes = new SwarmNodes(folder);
        home = nodes.node("home");
        phone = nodes.node("phone");
        phone.swarm.join(home.token().text());
        awaitMembers(2, home, phone);
    }

    @AfterEach
    void stop() {
        nodes.stop();
        io.shutdownNow();
    }

    /** The phone as it is after an update: its key and its port, and links that dial home. */
    private GrpcLinks updated(int oldest, int newest) {
        String swarmId = home.swarm.view().swarm().id();
        GrpcLinks links = OtherProtocol.links(
                LinkConfig.of(
                                phone.key,
                                () -> swarmId,
                                task -> new Thread(task, "updated-link"),
                                io,
                                io,
                                Clock.systemUTC(),
                                System::nanoTime,
                                new Random())
                        .withAddress("127.0.0.1", phone.port, phone.addresses()),
                oldest,
                newest);
        links.start();
        links.trust(Map.of(home.key.id(), home.addresses()));
        return links;
    }

    private String problem() {
        return home.swarm.view().members().stream()
                .filter(member -> member.node().name().equals("phone"))
                .map(SwarmView.Member::problem)
                .findFirst()
                .orElseThrow();
    }

    private List<SwarmEvents.Event> told() {
        return home.swarm.watch().events().since(0).stream()
                .filter(event -> event.kind().equals("protocol"))
                .toList();
    }

    private void awaitRefusals(GrpcLinks links) {
        long before = home.swarm.linkCounters().refused();
        Await.until("it is refused again and again", PATIENCE, () -> {
            links.redial();
            return home.swarm.linkCounters().refused() >= before + 5;
        });
    }

    @Test
    void itIsNamedInTheStatusAndOnceAsAnEventUntilBothSpeakTheSame() {
        assertThat(problem()).isEmpty();
        phone.stop();
        GrpcLinks updated = updated(3, 4);
        Await.until("the status says why", PATIENCE, () -> problem().contains("speaks peer protocol 3 to 4"));
        assertThat(problem()).endsWith("update fazt on this node");
        awaitRefusals(updated);
        Await.until("the event", PATIENCE, () -> !told().isEmpty());
        updated.close();
        GrpcLinks again = updated(5, 6);
        Await.until("another range is another event", PATIENCE, () -> told().size() > 1);
        awaitRefusals(again);
        again.close();
        assertThat(told())
                .hasSize(2)
                .allSatisfy(event -> assertThat(event.node()).isEqualTo(phone.key.id()));
        assertThat(told().get(0).why()).contains("3 to 4").endsWith("update fazt on this node");
        assertThat(told().get(1).why()).contains("5 to 6");
        phone.start();
        Await.until("nothing is wrong any more", PATIENCE, () -> problem().isEmpty());
        awaitMembers(2, home, phone);
        assertThat(told()).hasSize(2);
    }
}
