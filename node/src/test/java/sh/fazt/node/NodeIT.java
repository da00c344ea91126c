package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.RunFile;
import sh.fazt.testkit.Await;

class NodeIT {
    private static final List<String> OURS =
            List.of("api-", "io-", "timer-", "swarm-", "link-", "http-", "js-", "fazt-", "writer");

    @TempDir
    Path folder;

    @Test
    void aStartThatFailsLateLeavesNothingButAnEmptyCartridge() throws Exception {
        Path file = folder.resolve("data.db");
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (String port : List.of("port", "swarm-port")) {
                assertThatThrownBy(() -> Node.start(file, flags(Map.of(port, "" + taken.getLocalPort()))))
                        .hasMessageContaining("" + taken.getLocalPort());
                Await.until("every thread has ended", Duration.ofSeconds(10), () -> ours().isEmpty());
                assertThat(RunFile.read(file)).isEmpty();
            }
        }
        String password;
        try (Node node = Node.start(file, flags(Map.of()))) {
            password = node.newPassword();
            assertThat(password).as("nobody has seen one yet").isNotNull();
            assertThat(RunFile.live(file)).isPresent();
        }
        assertThat(RunFile.read(file)).isEmpty();
        try (Node node = Node.start(file, flags(Map.of()))) {
            assertThat(node.newPassword()).as("the owner has one").isNull();
        }
        Await.until("every thread has ended", Duration.ofSeconds(10), () -> ours().isEmpty());
    }

    private static Map<String, String> flags(Map<String, String> changed) {
        Map<String, String> flags = new HashMap<>(Map.of("port", "0", "swarm-port", "0"));
        flags.putAll(changed);
        return flags;
    }

    private static List<String> ours() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> OURS.stream().anyMatch(name::startsWith))
                .sorted()
                .toList();
    }
}
