package sh.fazt.sync;

import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkState;

/** A key with links. */
class Wire implements AutoCloseable {
    final NodeKey key;
    final ExecutorService io = Executors.newFixedThreadPool(8);
    final GrpcLinks links;

    Wire() {
        this(NodeKey.generate());
    }

    Wire(NodeKey key) {
        this.key = key;
        links = new GrpcLinks(LinkConfig.of(
                        key,
                        () -> "swarm-of-tests",
                        task -> {
                            Thread thread = new Thread(task, "test-link");
                            thread.setDaemon(true);
                            return thread;
                        },
                        io,
                        io,
                        Clock.systemUTC(),
                        System::nanoTime,
                        new Random())
                .withAddress("127.0.0.1", 0, List.of()));
    }

    void trust(Wire... others) {
        Map<NodeId, List<String>> trusted = new HashMap<>();
        for (Wire other : others) {
            trusted.put(other.key.id(), List.of("127.0.0.1:" + other.links.port()));
        }
        links.trust(trusted);
    }

    boolean linked(int peers) {
        return links.states().stream().filter(LinkState::up).count() == peers;
    }

    @Override
    public void close() {
        links.close();
        io.shutdownNow();
    }
}
