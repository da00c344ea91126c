package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.swarm.SwarmNodes.PATIENCE;
import static sh.fazt.swarm.SwarmNodes.awaitMembers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.link.Channel;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkState;
import sh.fazt.testkit.Await;

/** A member that sends garbage on every channel, over a good link: it is named, counted, and its link goes on. */
@Timeout(120)
class HostileMemberIT {
    private static final byte[] GARBAGE = {3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    private static final Duration SOON = Duration.ofSeconds(10);

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
        phone.stop();
    }

    @AfterEach
    void stop() {
        nodes.stop();
        io.shutdownNow();
    }

    @Test
    void garbageOnAnyChannelIsCountedAndItsSenderNamed() {
        GrpcLinks links = SwarmNodes.program(phone, io, home);
        try {
            for (Channel channel : List.of(Channel.MEMBERSHIP, Channel.VECTORS, Channel.CHANGES)) {
                long before = SwarmNodes.offences(phone, home);
                links.send(home.key.id(), channel, GARBAGE, SOON);
                Await.until(
                        "a message on " + channel + " is counted",
                        PATIENCE,
                        () -> SwarmNodes.offences(phone, home) == before + 1);
            }
            for (Channel channel : List.of(Channel.SWARM, Channel.RAFT, Channel.PULL, Channel.BLOBS, Channel.AUDIT)) {
                long before = SwarmNodes.offences(phone, home);
                links.ask(home.key.id(), channel, GARBAGE, SOON);
                Await.until(
                        "a request on " + channel + " is counted",
                        PATIENCE,
                        () -> SwarmNodes.offences(phone, home) == before + 1);
            }
            Await.until(
                    "it is named",
                    PATIENCE,
                    () -> home.swarm.watch().events().since(0).stream()
                            .anyMatch(event -> event.kind().equals("offence")
                                    && Objects.equals(event.node(), phone.key.id())
                                    && event.what().startsWith("sends what makes no sense")));
            assertThat(links.states()).allMatch(LinkState::up);
        } finally {
            links.close();
        }
    }
}
