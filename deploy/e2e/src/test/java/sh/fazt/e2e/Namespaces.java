package sh.fazt.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A network of its own for each node: namespaces on a bridge, made here and removed here. The test's own process
 * is on the bridge too, so it reaches a node that is cut off from the others.
 */
final class Namespaces implements AutoCloseable {
    private static final String BRIDGE = "fazt-e2e";
    private static final String NETWORK = "10.213.77.";
    private final List<String> names = new ArrayList<>();

    Namespaces() throws Exception {
        close();
        run("ip", "link", "add", BRIDGE, "type", "bridge");
        run("ip", "addr", "add", NETWORK + "1/24", "dev", BRIDGE);
        run("ip", "link", "set", BRIDGE, "up");
    }

    /** Makes a namespace and answers its address. */
    String add(String name) throws Exception {
        String namespace = BRIDGE + "-" + name;
        String address = NETWORK + (10 + names.size());
        names.add(name);
        String outside = "fz-" + name;
        run("ip", "netns", "add", namespace);
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        run("ip", "link", "set", outside, "master", BRIDGE, "up");
        run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", "eth0");
        run("ip", "-n", namespace, "link", "set", "eth0", "up");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        return address;
    }

    /** Words that run a command inside. */
    List<String> enter(String name) {
        return List.of("ip", "netns", "exec", BRIDGE + "-" + name);
    }

    /** Drops everything between this namespace and the other addresses, both ways. */
    void cut(String name, List<String> others) throws Exception {
        List<String> nft = new ArrayList<>(enter(name));
        nft.addAll(List.of(
                "nft",
                "add table ip cut; add chain ip cut in { type filter hook input priority 0; };"
                        + " add chain ip cut out { type filter hook output priority 0; };"
                        + " add rule ip cut in ip saddr { " + String.join(", ", others) + " } drop;"
                        + " add rule ip cut out ip daddr { " + String.join(", ", others) + " } drop"));
        run(nft.toArray(new String[0]));
    }

    void heal(String name) throws Exception {
        List<String> nft = new ArrayList<>(enter(name));
        nft.addAll(List.of("nft", "delete table ip cut"));
        run(nft.toArray(new String[0]));
    }

    static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IOException(String.join(" ", command) + ": " + out);
        }
    }

    @Override
    public void close() throws Exception {
        Process list = new ProcessBuilder("ip", "netns", "list").start();
        for (String line : new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
            String namespace = line.split(" ")[0];
            if (namespace.startsWith(BRIDGE + "-")) {
                run("ip", "netns", "del", namespace);
            }
        }
        if (new ProcessBuilder("ip", "link", "show", BRIDGE).start().waitFor() == 0) {
            run("ip", "link", "del", BRIDGE);
        }
    }
}
