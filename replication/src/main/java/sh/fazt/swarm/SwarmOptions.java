package sh.fazt.swarm;

import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import java.nio.file.Path;
import java.util.List;
import sh.fazt.consensus.Timings;

/**
 * How this node takes part. Immutable.
 *
 * @param name         what this node is called
 * @param version      of the software, for others to see
 * @param schemaLevel  of the software: {@link #SCHEMA_LEVEL}
 * @param httpAddress  where its sites are, for others to see
 * @param bind         the address that the swarm port listens on
 * @param port         the swarm port
 * @param addresses    {@code host:port} where others can dial it
 * @param discovery    whether to announce this node on its networks and to listen for others there
 * @param portMapping  whether to ask the router for a port
 * @param raft         where the log of the group is kept
 * @param services     served on the swarm port beside the links, with what stands before them
 */
public record SwarmOptions(
        String name,
        String version,
        int schemaLevel,
        String httpAddress,
        String bind,
        int port,
        List<String> addresses,
        boolean discovery,
        boolean portMapping,
        Path raft,
        Timings timings,
        List<BindableService> services,
        List<ServerInterceptor> interceptors) {
    /**
     * What this release reads and writes of rows, records and messages. It grows by one when a release is to write what
     * the one before would misread, and the new is then written from the agreed level on only (see {@link Levels}).
     * Level 1 are releases that don't tell theirs, nor read what is pushed in streams.
     */
    public static final int SCHEMA_LEVEL = 2;

    public SwarmOptions {
        addresses = List.copyOf(addresses);
        services = List.copyOf(services);
        interceptors = List.copyOf(interceptors);
    }
}
