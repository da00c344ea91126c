package sh.fazt.swarm;

import io.grpc.BindableService;
import io.grpc.ServerInterceptor;
import java.nio.file.Path;
import java.util.List;
import sh.fazt.consensus.Timings;
import sh.fazt.membership.MembershipConfig;

/**
 * How this node takes part. Immutable.
 *
 * @param name         what this node is called
 * @param version      of the software, for others to see
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
        String httpAddress,
        String bind,
        int port,
        List<String> addresses,
        boolean discovery,
        boolean portMapping,
        Path raft,
        MembershipConfig membership,
        Timings timings,
        List<BindableService> services,
        List<ServerInterceptor> interceptors) {
    public SwarmOptions {
        addresses = List.copyOf(addresses);
        services = List.copyOf(services);
        interceptors = List.copyOf(interceptors);
    }
}
