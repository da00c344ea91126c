package sh.fazt.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A network of its own for each node: namespaces on a bridge, made here and removed here. The test's own process
 * is on the bridge too, so it reaches a node that is cut off from the others. Every name carries this process's
 * id, so that runs on one machine do not meet, and what a run left behind that was killed is known as such.
 */
final class Namespaces implements AutoCloseable {
    /** "fz", the id of the process that made it and, for a namespace, the node. */
    private static final Pattern OURS = Pattern.compile("fz(\\d+)(-\\w+)?");

    /** An interface lives on for a moment when its namespace is gone: no name is used twice. At most 15 characters. */
    private static final AtomicInteger INTERFACES = new AtomicInteger();

    private final String bridge = "fz" + ProcessHandle.current().pid();
    private final String network;
    private final List<String> names = new ArrayList<>();
    /** Whether the bridge has an IPv6 address too. */
    private boolean six;

    Namespaces() throws Exception {
        removeLeftovers();
        network = freeNetwork();
        run("ip", "link", "add", bridge, "type", "bridge");
        run("ip", "addr", "add", network + "1/24", "dev", bridge);
        run("ip", "link", "set", bridge, "up");
    }

    /**
     * The first three numbers of a network that this machine has no interface in and no way to. Two runs at a time
     * look far from each other, since between the look and the use lies a moment.
     */
    private static String freeNetwork() throws Exception {
        String taken = run("ip", "-4", "-o", "addr", "show") + "\n" + run("ip", "-4", "route", "show");
        long begin = ProcessHandle.current().pid() * 61;
        for (long i = begin; i < begin + 32_768; i++) {
            String candidate = "10." + (128 + (i >> 8 & 127)) + "." + (i & 255) + ".";
            if (!taken.contains(" " + candidate) && !taken.contains("\n" + candidate)) {
                return candidate;
            }
        }
        throw new IOException("no network in 10.128.0.0/9 is free: " + taken);
    }

    /** The address that this test's own process has on the bridge, and no other machine. */
    String own() {
        return network + "1";
    }

    /**
     * Makes a namespace that has an IPv6 address, and none of IPv4 but loopback's; answers the address.
     *
     * @param device what its interface is called inside
     */
    String addSix(String name, String device) throws Exception {
        // Within fd00::/8, and this run's own.
        long pid = ProcessHandle.current().pid();
        String prefix =
                "fd66:7a74:" + Long.toHexString(pid >>> 16 & 0xffff) + ":" + Long.toHexString(pid & 0xffff) + "::";
        if (!six) {
            six = true;
            run("ip", "addr", "add", prefix + "1/64", "dev", bridge, "nodad");
        }
        String namespace = bridge + "-" + name;
        String address = prefix + Integer.toHexString(0x10 + names.size());
        names.add(name);
        run("ip", "netns", "add", namespace);
        String end = bridge + "-" + INTERFACES.incrementAndGet();
        run("ip", "link", "add", end, "type", "veth", "peer", "name", device, "netns", namespace);
        run("ip", "link", "set", end, "master", bridge, "up");
        run("ip", "-n", namespace, "addr", "add", address + "/64", "dev", device, "nodad");
        run("ip", "-n", namespace, "link", "set", device, "up");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        return address;
    }

    /** Makes a namespace and answers its address. */
    String add(String name) throws Exception {
        String namespace = bridge + "-" + name;
        String address = network + (10 + names.size());
        names.add(name);
        run("ip", "netns", "add", namespace);
        String end = bridge + "-" + INTERFACES.incrementAndGet();
        run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        run("ip", "link", "set", end, "master", bridge, "up");
        run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", "eth0");
        run("ip", "-n", namespace, "link", "set", "eth0", "up");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        return address;
    }

    /**
     * Makes a router on the bridge with a network of its own behind it, which it hides: who is inside gets out under
     * the router's address, and nobody gets in but this test's own process.
     *
     * @return the first three numbers of the network inside
     */
    String addRouter(String name) throws Exception {
        String outside = add(name);
        String inside = freeNetwork();
        String namespace = bridge + "-" + name;
        run("ip", "-n", namespace, "link", "add", "lan0", "type", "bridge");
        run("ip", "-n", namespace, "addr", "add", inside + "1/24", "dev", "lan0");
        run("ip", "-n", namespace, "link", "set", "lan0", "up");
        in(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
        in(
                name,
                "nft",
                "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };"
                        + " add rule ip nat out oifname eth0 ip daddr != " + network + "1 masquerade;"
                        + " add chain ip nat through { type filter hook forward priority 0; };"
                        + " add rule ip nat through iifname eth0 ip saddr != " + network
                        + "1 ct state new drop");
        run("ip", "route", "add", inside + "0/24", "via", outside);
        return inside;
    }

    /** Makes a namespace inside a router's network and answers its address. */
    String addBehind(String router, String inside, String name) throws Exception {
        String namespace = bridge + "-" + name;
        String address = inside + (10 + names.size());
        names.add(name);
        run("ip", "netns", "add", namespace);
        run(
                "ip",
                "link",
                "add",
                name + "0",
                "netns",
                bridge + "-" + router,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                namespace);
        run("ip", "-n", bridge + "-" + router, "link", "set", name + "0", "master", "lan0", "up");
        run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", "eth0");
        run("ip", "-n", namespace, "link", "set", "eth0", "up");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        run("ip", "-n", namespace, "route", "add", "default", "via", inside + "1");
        return address;
    }

    /** Cuts a router off from the world but for this test's own process; its network inside goes on. */
    void offline(String router) throws Exception {
        in(
                router,
                "nft",
                "add table ip cut; add chain ip cut through { type filter hook forward priority -1; };"
                        + " add rule ip cut through iifname eth0 ip saddr != " + network + "1 drop;"
                        + " add rule ip cut through oifname eth0 ip daddr != " + network + "1 drop");
    }

    /** Gives the namespace another address in the place of those it has, as a router does to a laptop. */
    String move(String name, int last) throws Exception {
        String namespace = bridge + "-" + name;
        String address = network + last;
        run("ip", "-n", namespace, "addr", "flush", "dev", "eth0");
        run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", "eth0");
        return address;
    }

    /**
     * Makes one namespace the router of another: it has an address in a world outside, where a third namespace is
     * then, and nowhere else. What it forwards is up to what runs on it, in the chains of an nftables table "filter".
     */
    void route(String home, String router, String outer, String world, String far) throws Exception {
        String inside = bridge + "-" + home;
        String between = bridge + "-" + router;
        String outside = bridge + "-" + world;
        run("ip", "-n", inside, "route", "add", "default", "via", network + (10 + names.indexOf(router)));
        run("ip", "-n", outside, "link", "del", "eth0");
        run("ip", "link", "add", "wan0", "netns", between, "type", "veth", "peer", "name", "eth0", "netns", outside);
        run("ip", "-n", between, "addr", "add", outer + "/24", "dev", "wan0");
        run("ip", "-n", between, "link", "set", "wan0", "up");
        run("ip", "-n", outside, "addr", "add", far + "/24", "dev", "eth0");
        run("ip", "-n", outside, "link", "set", "eth0", "up");
        List<String> nft = new ArrayList<>(enter(router));
        nft.addAll(List.of(
                "sh",
                "-c",
                "echo 1 > /proc/sys/net/ipv4/ip_forward; nft 'add table inet filter;"
                        + " add chain inet filter forward { type filter hook forward priority 0; };"
                        + " add chain inet filter before { type nat hook prerouting priority -100; };"
                        + " add chain inet filter after { type nat hook postrouting priority 100; };"
                        + " add chain inet filter let_in; add chain inet filter redirected; add chain inet filter answered;"
                        + " add rule inet filter forward jump let_in; add rule inet filter before jump redirected;"
                        + " add rule inet filter after jump answered'"));
        run(nft.toArray(new String[0]));
    }

    /** What a namespace lets through and maps. */
    String rules(String name) throws Exception {
        List<String> nft = new ArrayList<>(enter(name));
        nft.addAll(List.of("nft", "list", "ruleset"));
        return run(nft.toArray(new String[0]));
    }

    /** Words that run a command inside. */
    List<String> enter(String name) {
        return List.of("ip", "netns", "exec", bridge + "-" + name);
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
        in(name, "nft", "delete table ip cut");
    }

    /** Loses so many of 100 packets that come in from other nodes; nothing of what this test's own process sends. */
    void lose(String name, int percent) throws Exception {
        rule(name, "ip saddr != " + network + "1 numgen random mod 100 < " + percent + " drop");
    }

    /** Drops what comes from one address: the other way stays open. */
    void deafen(String name, String from) throws Exception {
        rule(name, "ip saddr " + from + " drop");
    }

    private void rule(String name, String rule) throws Exception {
        in(
                name,
                "nft",
                "add table ip cut; add chain ip cut in { type filter hook input priority 0; }; add rule ip cut in "
                        + rule);
    }

    /** Slows what leaves to so many kilobits a second, with a buffer as a cheap router has it. */
    void slow(String name, int kilobits) throws Exception {
        in(
                name,
                "tc",
                "qdisc",
                "add",
                "dev",
                "eth0",
                "root",
                "tbf",
                "rate",
                kilobits + "kbit",
                "burst",
                "16kb",
                "latency",
                "300ms");
    }

    void unslow(String name) throws Exception {
        in(name, "tc", "qdisc", "del", "dev", "eth0", "root");
    }

    private void in(String name, String... command) throws Exception {
        List<String> words = new ArrayList<>(enter(name));
        words.addAll(List.of(command));
        run(words.toArray(new String[0]));
    }

    /** Runs a command of the machine's and answers what it printed. */
    static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IOException(String.join(" ", command) + ": " + out);
        }
        return out;
    }

    @Override
    public void close() throws Exception {
        for (String name : names) {
            run("ip", "netns", "del", bridge + "-" + name);
        }
        run("ip", "link", "del", bridge);
    }

    /** What runs left behind that are no more; another one may be at the same, so that failing is fine. */
    private static void removeLeftovers() throws Exception {
        for (String line : run("ip", "netns", "list").split("\n")) {
            String namespace = line.split(" ")[0];
            if (isLeftover(namespace)) {
                for (String pid : tried("ip", "netns", "pids", namespace).split("\\s+")) {
                    if (!pid.isEmpty()) {
                        ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
                    }
                }
                tried("ip", "netns", "del", namespace);
            }
        }
        for (String line : run("ip", "-o", "link", "show", "type", "bridge").split("\n")) {
            String[] words = line.split(":? ");
            if (words.length > 1 && isLeftover(words[1])) {
                tried("ip", "link", "del", words[1]);
            }
        }
    }

    private static boolean isLeftover(String name) {
        Matcher matcher = OURS.matcher(name);
        if (!matcher.matches()) {
            return false;
        }
        long pid = Long.parseLong(matcher.group(1));
        return pid == ProcessHandle.current().pid() || ProcessHandle.of(pid).isEmpty();
    }

    private static String tried(String... command) throws Exception {
        try {
            return run(command);
        } catch (IOException gone) {
            return "";
        }
    }
}
