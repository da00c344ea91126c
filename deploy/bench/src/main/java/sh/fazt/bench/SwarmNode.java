package sh.fazt.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.Timings;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.app.Apps;
import sh.fazt.hosting.data.KeyValues;
import sh.fazt.hosting.document.Documents;
import sh.fazt.hosting.release.Deployments;
import sh.fazt.node.config.Settings;
import sh.fazt.swarm.OwnKey;
import sh.fazt.swarm.Swarm;
import sh.fazt.swarm.SwarmOptions;

/** A member of a swarm on loopback: it keeps what the others host, serves nothing and is not administered. */
final class SwarmNode implements AutoCloseable {
    final SqliteCartridge cartridge;
    final Swarm swarm;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService io = Executors.newFixedThreadPool(8);

    /** Starts it, or starts it again, from its files in the folder. */
    SwarmNode(Path folder, String name) throws IOException {
        List<SchemaPart> schemas = new ArrayList<>(List.of(
                Settings.SCHEMA, Apps.SCHEMA, Deployments.SCHEMA, KeyValues.SCHEMA, Documents.SCHEMA, Accounts.SCHEMA));
        schemas.addAll(Swarm.schemas());
        cartridge = SqliteCartridge.open(folder.resolve(name + ".db"), CartridgeOptions.standard(), schemas);
        OwnKey key = OwnKey.open(cartridge, folder.resolve(name + ".key"));
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        swarm = new Swarm(
                key,
                new SwarmOptions(
                        name,
                        "bench",
                        SwarmOptions.SCHEMA_LEVEL,
                        "",
                        "127.0.0.1",
                        port,
                        List.of("127.0.0.1:" + port),
                        false,
                        false,
                        folder.resolve(name + ".raft"),
                        Timings.STANDARD,
                        List.of(),
                        List.of()),
                cartridge,
                new Blobs(cartridge),
                Clock.systemUTC(),
                new SecureRandom(),
                body -> {
                    Thread made = new Thread(body, name + "-link");
                    made.setDaemon(true);
                    return made;
                },
                thread,
                io);
        swarm.start();
    }

    @Override
    public void close() {
        swarm.close();
        thread.shutdownNow();
        io.shutdownNow();
        cartridge.close();
    }
}
