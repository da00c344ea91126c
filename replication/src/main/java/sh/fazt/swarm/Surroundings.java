package sh.fazt.swarm;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.discovery.Announcement;
import sh.fazt.discovery.Discovered;
import sh.fazt.discovery.LocalDiscovery;
import sh.fazt.discovery.PortMapping;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodePin;

/**
 * What lies around this node: who announces itself on its networks, and what the router maps. Either can be turned
 * off, and neither does anything by itself while the node listens on loopback only. Thread-safe.
 */
final class Surroundings implements AutoCloseable {
    /** Answers on a local network come within a second; the first question waits for a quarter of one. */
    private static final Duration ANSWERS = Duration.ofMillis(1500);

    /** A node that has just moved is announced again within five. */
    private static final Duration FOUND = Duration.ofSeconds(8);

    private static final PortMapping.Status OFF =
            new PortMapping.Status("", "", "off: \"fazt config set port-mapping on\" and a restart turn it on");

    private final SwarmOptions options;
    private final @Nullable LocalDiscovery discovery;
    private final @Nullable PortMapping mapping;
    private boolean asked;

    /**
     * @param swarmId as of now
     * @param changed told, on any thread, that something around is different; hands over and returns
     */
    Surroundings(
            NodeId self,
            SwarmOptions options,
            Supplier<String> swarmId,
            Runnable changed,
            Executor io,
            ScheduledExecutorService timer,
            SecureRandom random) {
        this.options = options;
        discovery = options.discovery()
                ? new LocalDiscovery(
                        () -> new Announcement(
                                self, Announcement.digest(swarmId.get()), options.name(), options.port()),
                        this::listensOn,
                        changed,
                        io,
                        timer)
                : null;
        mapping = options.portMapping()
                ? new PortMapping(options.port(), this::listensOn, changed, io, timer, System::nanoTime, random)
                : null;
    }

    private boolean listensOn(InetAddress own) {
        if (options.bind().equals("0.0.0.0") || options.bind().equals("::")) {
            return true;
        }
        try {
            return InetAddress.getByName(options.bind()).equals(own);
        } catch (UnknownHostException e) {
            return false;
        }
    }

    void start() {
        if (discovery != null) {
            discovery.start();
        }
        if (mapping != null) {
            mapping.start();
        }
    }

    /** The node's swarm is another now. */
    void refresh() {
        if (discovery != null) {
            discovery.refresh();
        }
    }

    /** Whom this node has heard of so far. */
    List<Discovered> heard() {
        return discovery == null ? List.of() : discovery.nodes();
    }

    /**
     * Whom there is: the first time it waits for answers. Blocking.
     *
     * @throws SwarmException when discovery is turned off
     */
    synchronized List<Discovered> discover() {
        LocalDiscovery on = discovery;
        if (on == null) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "this node does not look around: discovery is off. \"fazt config set discovery on\", then start the"
                            + " node again");
        }
        if (!asked) {
            asked = true;
            on.ask();
            until(() -> false, ANSWERS);
        }
        return on.nodes();
    }

    /**
     * Where the node with that pin was heard of, waiting for it a while; none when discovery is off. Blocking.
     *
     * @param but addresses that have been tried
     */
    List<String> find(NodePin pin, List<String> but) {
        LocalDiscovery on = discovery;
        if (on == null) {
            return List.of();
        }
        on.ask();
        until(() -> !addresses(pin, but).isEmpty(), FOUND);
        return addresses(pin, but);
    }

    private List<String> addresses(NodePin pin, List<String> but) {
        List<String> addresses = new ArrayList<>();
        heard().stream().filter(node -> pin.matches(node.node())).forEach(node -> addresses.addAll(node.addresses()));
        addresses.removeAll(but);
        return addresses;
    }

    private static void until(BooleanSupplier done, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (!done.getAsBoolean()
                && System.nanoTime() < end
                && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(50_000_000);
        }
    }

    PortMapping.Status mapping() {
        return mapping == null ? OFF : mapping.status();
    }

    /** {@code host:port} outside that leads here; none when there is none. */
    List<String> mapped() {
        String address = mapping().address();
        return address.isEmpty() ? List.of() : List.of(address);
    }

    @Override
    public void close() {
        if (mapping != null) {
            mapping.close();
        }
        if (discovery != null) {
            discovery.close();
        }
    }
}
