package sh.fazt.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.jmdns.JmDNS;
import javax.jmdns.ServiceEvent;
import javax.jmdns.ServiceInfo;
import javax.jmdns.ServiceListener;
import javax.jmdns.impl.DNSStatefulObject;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;

/**
 * Announces this node on the networks that it is in and hears of others, by multicast DNS ({@code _fazt._tcp}). It
 * speaks when it begins, when a network or what it says changes, and then as rarely as the records expire, hourly.
 * Thread-safe: looks at the networks happen one at a time, what was heard is in a concurrent map.
 */
public final class LocalDiscovery implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalDiscovery.class);
    private static final String TYPE = "_fazt._tcp.local.";
    private static final long LOOK_SECONDS = 5;
    private static final long CLOSE_SECONDS = 2;
    /** Whoever floods the network with names gets no more room than this. */
    private static final int MOST_HEARD = 512;

    private static final int MOST_ADDRESSES = 4;
    private static final int MOST_NETWORKS = 8;

    /**
     * The library prints stack traces about networks that went away. Held here because the JDK's loggers are
     * collected when nobody holds them.
     */
    private static final java.util.logging.Logger LIBRARY = java.util.logging.Logger.getLogger("javax.jmdns");

    static {
        LIBRARY.setLevel(java.util.logging.Level.SEVERE);
    }

    private final Supplier<Announcement> self;
    private final Predicate<InetAddress> listensOn;
    private final Runnable changed;
    private final Executor mayBlock;
    private final ScheduledExecutorService timer;
    private final Map<LocalNetwork, Station> stations = new HashMap<>();
    private final Map<String, Heard> heard = new ConcurrentHashMap<>();
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile boolean asked;
    private volatile boolean closed;

    private record Heard(Announcement said, List<String> addresses) {}

    private record Station(JmDNS dns, @Nullable ServiceInfo service) {}

    /**
     * @param self      what to announce, as of now
     * @param listensOn whether this node's swarm port is open at that address of its own: announced only there
     * @param changed   told, on any thread, that {@link #nodes} changed; hands over and returns
     */
    public LocalDiscovery(
            Supplier<Announcement> self,
            Predicate<InetAddress> listensOn,
            Runnable changed,
            Executor mayBlock,
            ScheduledExecutorService timer) {
        this.self = self;
        this.listensOn = listensOn;
        this.changed = changed;
        this.mayBlock = mayBlock;
        this.timer = timer;
    }

    /** Begins to announce and to listen, where the node listens; elsewhere it is silent until {@link #ask}. */
    public void start() {
        look();
        timer.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    /** What is announced has changed. */
    public void refresh() {
        look();
    }

    /** Somebody wants to know: listen on every network from now on, also where nobody could call this node. */
    public void ask() {
        if (!asked) {
            asked = true;
            look();
        }
    }

    private void look() {
        if (!closed && looking.compareAndSet(false, true)) {
            try {
                mayBlock.execute(() -> {
                    try {
                        lookNow();
                    } finally {
                        looking.set(false);
                    }
                });
            } catch (RejectedExecutionException e) {
                // The next look is seconds away.
                looking.set(false);
            }
        }
    }

    private synchronized void lookNow() {
        if (closed) {
            return;
        }
        Set<LocalNetwork> wanted = new LinkedHashSet<>();
        for (LocalNetwork network : LocalNetwork.read()) {
            if ((asked || listensAt(network)) && wanted.size() < MOST_NETWORKS) {
                wanted.add(network);
            }
        }
        for (LocalNetwork gone : List.copyOf(stations.keySet())) {
            if (!wanted.contains(gone)) {
                Station station = stations.remove(gone);
                if (station != null) {
                    closeSoon(station, () -> {});
                }
                forget(gone);
            }
        }
        for (LocalNetwork network : wanted) {
            Station station = stations.get(network);
            if (station == null) {
                open(network);
            } else if (station.service() != null) {
                Map<String, String> text = self.get().text();
                // The library loses a service whose text changes before it is announced: a later look changes it.
                if (!text.equals(properties(station.service())) && isAnnounced(station.service())) {
                    station.service().setText(text);
                }
            }
        }
    }

    private static boolean isAnnounced(ServiceInfo service) {
        return service instanceof DNSStatefulObject state && state.isAnnounced();
    }

    private boolean listensAt(LocalNetwork network) {
        return network.own().stream().anyMatch(prefix -> listensOn.test(prefix.address()));
    }

    private void open(LocalNetwork network) {
        Announcement said = self.get();
        try {
            JmDNS dns = JmDNS.create(
                    network.address(), "fazt-" + said.node().toString().substring(0, 12));
            ServiceInfo service = null;
            dns.addServiceListener(TYPE, new Listener(network, dns));
            if (listensAt(network)) {
                // Named by the id, which is nobody else's; people read the name inside.
                service = ServiceInfo.create(
                        TYPE, said.node().toString().substring(0, 32), said.port(), 0, 0, said.text());
                dns.registerService(service);
            }
            stations.put(network, new Station(dns, service));
            LOG.info(
                    "local discovery interface={} address={} announced={}",
                    network.name(),
                    network.address().getHostAddress(),
                    service != null);
        } catch (IOException | IllegalStateException e) {
            LOG.warn("no local discovery interface={} why={}", network.name(), e.toString());
        }
    }

    private void forget(LocalNetwork network) {
        if (heard.keySet().removeIf(key -> key.startsWith(network.name() + "/"))) {
            changed.run();
        }
    }

    private final class Listener implements ServiceListener {
        private final LocalNetwork network;
        private final JmDNS dns;

        Listener(LocalNetwork network, JmDNS dns) {
            this.network = network;
            this.dns = dns;
        }

        @Override
        public void serviceAdded(ServiceEvent event) {
            // Asks for the rest of what it is; the answer comes as serviceResolved.
            dns.requestServiceInfo(event.getType(), event.getName(), false, 1);
        }

        @Override
        public void serviceRemoved(ServiceEvent event) {
            if (heard.remove(network.name() + "/" + event.getName()) != null) {
                changed.run();
            }
        }

        @Override
        public void serviceResolved(ServiceEvent event) {
            ServiceInfo info = event.getInfo();
            Announcement said = Announcement.read(properties(info), info.getPort());
            if (closed || said == null || said.node().equals(self.get().node())) {
                return;
            }
            List<String> addresses = new ArrayList<>();
            for (InetAddress address : info.getInetAddresses()) {
                if (network.holds(address) && addresses.size() < MOST_ADDRESSES) {
                    addresses.add(network.text(address, said.port()));
                }
            }
            String key = network.name() + "/" + event.getName();
            if (!addresses.isEmpty() && (heard.size() < MOST_HEARD || heard.containsKey(key))) {
                Heard now = new Heard(said, List.copyOf(addresses));
                if (!now.equals(heard.put(key, now))) {
                    changed.run();
                }
            }
        }
    }

    private static Map<String, String> properties(ServiceInfo info) {
        Map<String, String> properties = new LinkedHashMap<>();
        for (Enumeration<String> names = info.getPropertyNames(); names.hasMoreElements(); ) {
            String name = names.nextElement();
            String value = info.getPropertyString(name);
            properties.put(name, value == null ? "" : value);
        }
        return properties;
    }

    /** Who was heard of, by id; an immutable snapshot. */
    public List<Discovered> nodes() {
        Map<NodeId, Discovered> nodes = new TreeMap<>();
        heard.forEach((key, one) -> {
            Announcement said = one.said();
            nodes.merge(
                    said.node(),
                    new Discovered(said.node(), said.name(), said.swarm(), one.addresses()),
                    LocalDiscovery::both);
        });
        return List.copyOf(nodes.values());
    }

    private static Discovered both(Discovered one, Discovered other) {
        Set<String> addresses = new LinkedHashSet<>(one.addresses());
        addresses.addAll(other.addresses());
        return new Discovered(
                one.node(),
                one.name(),
                one.swarm(),
                addresses.stream().limit(MOST_ADDRESSES).toList());
    }

    /** Elsewhere: on a network that is gone the library waits ten seconds for its good-byes to leave. */
    private void closeSoon(Station station, Runnable then) {
        try {
            mayBlock.execute(() -> {
                try {
                    station.dns().close();
                } catch (IOException e) {
                    LOG.debug("closing local discovery", e);
                } finally {
                    then.run();
                }
            });
        } catch (RejectedExecutionException e) {
            then.run();
        }
    }

    /** Says good-bye, so that others forget this node at once; at most two seconds. */
    @Override
    public void close() {
        closed = true;
        List<Station> open;
        synchronized (this) {
            open = List.copyOf(stations.values());
            stations.clear();
        }
        CountDownLatch left = new CountDownLatch(open.size());
        open.forEach(station -> closeSoon(station, left::countDown));
        try {
            if (!left.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.info("local discovery was still saying good-bye at the stop");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
