package sh.fazt.consensus;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.Links;

/** The same over the links that ship: TLS, lanes and credits; what is cut is cut above them. */
class RaftEdgesOverLinksIT extends RaftEdges {
    private static final int NODES = 3;

    private final Map<Integer, NodeKey> keys = new HashMap<>();
    private final Map<NodeId, Integer> ports = new HashMap<>();

    @BeforeEach
    void choosePorts() throws IOException {
        for (int i = 1; i <= NODES; i++) {
            NodeKey key = NodeKey.generate();
            keys.put(i, key);
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                ports.put(key.id(), socket.getLocalPort());
            }
        }
    }

    @Override
    NodeId id(int number) {
        return key(number).id();
    }

    private NodeKey key(int number) {
        return Objects.requireNonNull(keys.get(number));
    }

    private int port(NodeId node) {
        return Objects.requireNonNull(ports.get(node));
    }

    @Override
    Links links(Node node) {
        NodeKey own = keys.values().stream()
                .filter(key -> key.id().equals(node.id))
                .findFirst()
                .orElseThrow();
        GrpcLinks links = new GrpcLinks(LinkConfig.of(
                        own,
                        () -> "swarm",
                        task -> new Thread(task, node.name + "-link"),
                        node.io,
                        node.io,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", port(node.id), List.of()));
        return new Cut(network, node.id, links);
    }

    private final class Cut extends MemoryLinks {
        private final NodeId self;
        private final GrpcLinks links;

        Cut(Network network, NodeId self, GrpcLinks links) {
            super(network, self);
            this.self = self;
            this.links = links;
        }

        @Override
        CompletionStage<byte[]> deliver(NodeId to, Channel channel, byte[] request, Duration deadline) {
            return links.ask(to, channel, request, deadline);
        }

        /** Consensus names one handler, and after that they can start. */
        @Override
        public void handle(Channel channel, Handler handler) {
            links.handle(channel, handler);
            links.start();
            Map<NodeId, List<String>> others = new HashMap<>();
            ports.forEach((node, port) -> others.put(node, List.of("127.0.0.1:" + port)));
            others.remove(self);
            links.trust(others);
        }

        @Override
        public void close() {
            super.close();
            links.close();
        }
    }

    @Test
    void nobodyIsElectedWhoseVotersForgotWhatWasAgreed() throws IOException {
        oneOfTwoThatAgreedForgets(Forgotten.LOG_AND_END_OF_CARTRIDGE);
    }
}
