package sh.fazt.discovery;

import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a port of the router open that leads to this node: by PCP or NAT-PMP, else by UPnP. Asked for an hour at a
 * time, renewed at half of that, anew when the network changes, given back at the stop. Thread-safe: one look at a
 * time, its outcome is one reference.
 */
public final class PortMapping implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PortMapping.class);
    private static final Duration LEASE = Duration.ofHours(1);
    /** A router that grants next to nothing is not asked more often than this. */
    private static final Duration LEAST_RENEWAL = Duration.ofSeconds(5);

    private static final Duration AGAIN = Duration.ofMinutes(5);
    private static final long LOOK_SECONDS = 5;
    private static final long CLOSE_SECONDS = 3;

    private final int port;
    private final Predicate<InetAddress> listensOn;
    private final Runnable changed;
    private final Executor mayBlock;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanos;
    private final SecureRandom random;
    private final Supplier<@Nullable Gateway> gateways;
    private final AtomicBoolean looking = new AtomicBoolean();

    private @Nullable Gateway gateway;
    private @Nullable PortMapper mapper;
    private @Nullable Mapping mapping;
    private long dueNanos;
    private volatile Status status = new Status("", "", "not asked yet");
    private volatile boolean closed;

    /**
     * How it stands. Immutable.
     *
     * @param protocol that the router understood; empty when none
     * @param address  {@code host:port} outside that leads here; empty when there is none
     * @param why      there is none; empty when there is
     */
    public record Status(String protocol, String address, String why) {}

    /**
     * @param port      the swarm port
     * @param listensOn whether that port is open at this address of ours
     * @param changed   told, on any thread, that {@link #status} changed; hands over and returns
     */
    public PortMapping(
            int port,
            Predicate<InetAddress> listensOn,
            Runnable changed,
            Executor mayBlock,
            ScheduledExecutorService timer,
            LongSupplier nanos,
            SecureRandom random) {
        this(port, listensOn, changed, mayBlock, timer, nanos, random, Gateway::find);
    }

    PortMapping(
            int port,
            Predicate<InetAddress> listensOn,
            Runnable changed,
            Executor mayBlock,
            ScheduledExecutorService timer,
            LongSupplier nanos,
            SecureRandom random,
            Supplier<@Nullable Gateway> gateways) {
        this.port = port;
        this.listensOn = listensOn;
        this.changed = changed;
        this.mayBlock = mayBlock;
        this.timer = timer;
        this.nanos = nanos;
        this.random = random;
        this.gateways = gateways;
    }

    /** Begins to ask, in the background. */
    public void start() {
        look();
        timer.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    /** How it stands. */
    public Status status() {
        return status;
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
        Gateway now = gateways.get();
        if (now == null || !listensOn.test(now.own()) || !Gateway.isPrivate(now.own())) {
            gateway = now;
            mapping = null;
            mapper = null;
            tell(new Status("", "", why(now)));
            return;
        }
        boolean moved = !now.equals(gateway);
        if (moved || nanos.getAsLong() - dueNanos >= 0) {
            gateway = now;
            mapper = moved ? null : mapper;
            ask(now);
        }
    }

    private static String why(@Nullable Gateway now) {
        if (now == null) {
            return "there is no way out of this machine's networks";
        }
        return Gateway.isPrivate(now.own())
                ? "the swarm port is not open at " + now.own().getHostAddress()
                : "this machine's address is public: it needs no router's help";
    }

    private void ask(Gateway now) {
        List<PortMapper> mappers = new ArrayList<>();
        if (mapper != null) {
            mappers.add(mapper);
        } else {
            if (now.router() != null) {
                mappers.add(new PcpMapper(now.router(), now.own(), random));
            }
            mappers.add(new UpnpMapper(now.own(), nanos));
        }
        int wanted = mapping == null ? port : mapping.port();
        List<String> failures = new ArrayList<>();
        for (PortMapper each : mappers) {
            try {
                Mapping made = each.map(port, wanted, LEASE);
                mapper = each;
                mapping = made;
                Duration half = made.lease().isZero()
                        ? LEASE.dividedBy(2)
                        : made.lease().dividedBy(2);
                due(half.compareTo(LEAST_RENEWAL) > 0 ? half : LEAST_RENEWAL);
                tell(mapped(made));
                return;
            } catch (MappingException e) {
                failures.add(String.valueOf(e.getMessage()));
            }
        }
        // Perhaps the router was started anew and speaks something else now: all are tried next time.
        boolean renewal = mapper != null;
        mapper = null;
        mapping = null;
        due(renewal ? Duration.ZERO : AGAIN);
        tell(new Status("", "", String.join("; ", failures)));
    }

    private void due(Duration in) {
        dueNanos = nanos.getAsLong() + in.toNanos();
    }

    private static Status mapped(Mapping made) {
        String host = made.external().getHostAddress();
        String address = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + made.port();
        return Gateway.isPrivate(made.external())
                ? new Status(
                        made.protocol(),
                        "",
                        "the router's own address " + host + " is private: another router stands before it")
                : new Status(made.protocol(), address, "");
    }

    private void tell(Status now) {
        Status before = status;
        if (!now.equals(before)) {
            status = now;
            if (!now.protocol().isEmpty() || !before.protocol().isEmpty()) {
                LOG.info("port mapping protocol={} address={} why={}", now.protocol(), now.address(), now.why());
            }
            changed.run();
        }
    }

    /** Gives the port back; at most three seconds. */
    @Override
    public void close() {
        closed = true;
        CountDownLatch done = new CountDownLatch(1);
        try {
            mayBlock.execute(() -> {
                giveBack();
                done.countDown();
            });
            if (!done.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.info("the router did not answer at the stop: its port closes when the lease ends");
            }
        } catch (RejectedExecutionException e) {
            LOG.info("the router's port closes when the lease ends");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void giveBack() {
        if (mapper != null && mapping != null) {
            try {
                mapper.unmap(port, mapping.port());
            } catch (MappingException e) {
                LOG.info("the router's port closes when the lease ends why={}", e.getMessage());
            }
        }
        mapper = null;
        mapping = null;
    }
}
