package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** A server at home and a laptop behind one router, a phone behind another, and a VPS that everybody can call. */
class NatNetnsIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private Namespaces network;
    private final List<NodeUnderTest> nodes = new ArrayList<>();
    private NodeUnderTest vps;
    private NodeUnderTest home;
    private NodeUnderTest laptop;
    private NodeUnderTest phone;

    @BeforeEach
    void start() throws Exception {
        network = new Namespaces();
        vps = start("vps", network.add("vps"));
        String atHome = network.addRouter("router");
        home = start("home", network.addBehind("router", atHome, "home"));
        laptop = start("laptop", network.addBehind("router", atHome, "laptop"));
        phone = start("phone", network.addBehind("mast", network.addRouter("mast"), "phone"));
        for (NodeUnderTest node : List.of(home, laptop, phone)) {
            node.join(vps);
        }
        home.ok("app", "deploy", Ledger.FOLDER.toString(), "--name", Ledger.NAME);
        Ledger.awaitServed(nodes, SOON);
    }

    private NodeUnderTest start(String name, String address) throws Exception {
        NodeUnderTest node =
                new NodeUnderTest(folder, name, network.enter(name), List.of("--bind", address, "--port", "8080"));
        nodes.add(node);
        return node.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (NodeUnderTest node : nodes) {
            node.close();
        }
        network.close();
    }

    @Test
    void whoCanNotBeCalledIsAFullMember() throws Exception {
        Ledger.awaitAlive(nodes, SOON);
        Await.until(
                "home and phone, which can't call each other, are relayed",
                SOON,
                () -> Ledger.link(home, "phone").equals("relayed")
                        && Ledger.link(phone, "home").equals("relayed"));
        assertThat(Ledger.link(home, "vps")).isNotEqualTo("relayed");
        Await.until(
                "home and laptop are on one LAN",
                SOON,
                () -> Ledger.link(home, "laptop").equals("lan"));
        for (NodeUnderTest node : nodes) {
            Ledger.put(node, "from-" + node.name);
        }
        Ledger.awaitSame(nodes, SOON);
        assertThat(Ledger.keys(phone)).contains("from-home", "from-laptop", "from-vps", "from-phone");

        network.offline("router");
        Await.until(
                "the phone says that home is gone",
                SOON,
                () -> Ledger.state(phone, "home").equals("dead"));
        Ledger.put(home, "without-internet");
        Ledger.put(laptop, "without-internet-either");
        Ledger.put(phone, "without-home");
        Ledger.awaitSame(List.of(home, laptop), SOON);
        Ledger.awaitSame(List.of(phone, vps), SOON);
        assertThat(Ledger.keys(laptop)).contains("without-internet").doesNotContain("without-home");
        network.heal("router");
        Ledger.awaitSame(nodes, SOON);
        Ledger.awaitAlive(nodes, SOON);

        vps.kill();
        Await.until(
                "the relay is missed", SOON, () -> Ledger.link(home, "phone").isEmpty());
        Ledger.put(home, "without-relay");
        Ledger.put(phone, "without-relay-either");
        vps.start();
        Ledger.awaitServed(nodes, SOON);
        Ledger.awaitSame(nodes, SOON);
        Ledger.awaitAlive(nodes, SOON);
        assertThat(Ledger.keys(home))
                .contains("without-internet", "without-home", "without-relay", "without-relay-either")
                .hasSize(9);
    }
}
