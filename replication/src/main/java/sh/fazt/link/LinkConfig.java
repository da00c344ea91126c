package sh.fazt.link;

import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import sh.fazt.identity.NodeKey;

/**
 * What the links of one node need. Immutable; {@link #of} gives the smallest one and the {@code with}
 * methods change it.
 *
 * @param key          who this node is
 * @param bindAddress  the interface to listen on; {@code 0.0.0.0} is every one
 * @param port         the swarm port; 0 takes a free one, which {@code GrpcLinks.port()} tells
 * @param advertised   {@code host:port} where peers can dial this node; may be empty
 * @param swarmId      the swarm as of now; links to nodes of another are refused
 * @param bootNonce    drawn anew at each start of the process
 * @param threads      makes the two threads of the network, {@code link-N}
 * @param handlers     where {@link Links.Handler} and {@link Links.Listener} run; never blocked by us
 * @param mayBlock     where names are looked up and the extra services run
 * @param services     served on the same port to callers without a certificate; they see to their own access
 * @param interceptors around the extra services only
 * @param desk         decides who may join
 * @param onCopy       told when a member reports another live process with this node's key that was started
 *     before; the text names both and is for the operator
 * @param wall         wall time, for clock offsets
 * @param nanos        time that never jumps
 * @param chance       jitter; no secrets come from it
 */
public record LinkConfig(
        NodeKey key,
        String bindAddress,
        int port,
        List<String> advertised,
        Supplier<String> swarmId,
        long bootNonce,
        ThreadFactory threads,
        Executor handlers,
        Executor mayBlock,
        List<BindableService> services,
        List<ServerInterceptor> interceptors,
        JoinDesk desk,
        Consumer<String> onCopy,
        InstantSource wall,
        LongSupplier nanos,
        RandomGenerator chance) {
    public LinkConfig {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
        }
        advertised = List.copyOf(advertised);
        services = List.copyOf(services);
        interceptors = List.copyOf(interceptors);
        advertised.forEach(HostPort::parse);
    }

    /** Listens on a free port of every interface, advertises nothing and lets nobody join. */
    public static LinkConfig of(
            NodeKey key,
            Supplier<String> swarmId,
            ThreadFactory threads,
            Executor handlers,
            Executor mayBlock,
            InstantSource wall,
            LongSupplier nanos,
            RandomGenerator chance) {
        JoinDesk closed = application -> CompletableFuture.completedStage(
                new JoinAnswer.Refused(JoinRefusal.BUSY, "this node lets nobody join"));
        return new LinkConfig(
                key,
                "0.0.0.0",
                0,
                List.of(),
                swarmId,
                chance.nextLong(),
                threads,
                handlers,
                mayBlock,
                List.of(),
                List.of(),
                closed,
                text -> {},
                wall,
                nanos,
                chance);
    }

    /** Where to listen and where peers can dial that. */
    public LinkConfig withAddress(String bind, int atPort, List<String> advertise) {
        return new LinkConfig(
                key,
                bind,
                atPort,
                advertise,
                swarmId,
                bootNonce,
                threads,
                handlers,
                mayBlock,
                services,
                interceptors,
                desk,
                onCopy,
                wall,
                nanos,
                chance);
    }

    /** What else is served on the port. */
    public LinkConfig withServices(List<BindableService> extra, List<ServerInterceptor> around) {
        return new LinkConfig(
                key,
                bindAddress,
                port,
                advertised,
                swarmId,
                bootNonce,
                threads,
                handlers,
                mayBlock,
                extra,
                around,
                desk,
                onCopy,
                wall,
                nanos,
                chance);
    }

    /** Who decides on joins. */
    public LinkConfig withDesk(JoinDesk decides) {
        return new LinkConfig(
                key,
                bindAddress,
                port,
                advertised,
                swarmId,
                bootNonce,
                threads,
                handlers,
                mayBlock,
                services,
                interceptors,
                decides,
                onCopy,
                wall,
                nanos,
                chance);
    }

    /** Who hears of a second process with this key. */
    public LinkConfig withOnCopy(Consumer<String> hears) {
        return new LinkConfig(
                key,
                bindAddress,
                port,
                advertised,
                swarmId,
                bootNonce,
                threads,
                handlers,
                mayBlock,
                services,
                interceptors,
                desk,
                hears,
                wall,
                nanos,
                chance);
    }
}
