package sh.fazt.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
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

/**
 * B11: members of a swarm that do nothing else, many in one process, for a node in another to have as peers:
 * {@code IdlePeers FOLDER TOKEN COUNT}. They stay until they are killed.
 */
public final class IdlePeers {
    private static final Duration TOKEN_LIFE = Duration.ofHours(1);
    private static final int IO_THREADS = 64;

    private IdlePeers() {}

    public static void main(String[] args) throws Exception {
        Path folder = Files.createDirectories(Path.of(args[0]));
        String token = args[1];
        int count = Integer.parseInt(args[2]);
        ExecutorService io =
                new ThreadPoolExecutor(IO_THREADS, IO_THREADS, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        List<Swarm> peers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Swarm peer = member(folder, folder.getFileName() + "-" + i, io);
            peer.join(i == 0 ? token : peers.get(0).token(TOKEN_LIFE).token().text());
            peers.add(peer);
        }
        System.out.println("ready");
    }

    private static Swarm member(Path folder, String name, ExecutorService io) throws IOException {
        List<SchemaPart> schemas = new ArrayList<>(List.of(
                Settings.SCHEMA, Apps.SCHEMA, Deployments.SCHEMA, KeyValues.SCHEMA, Documents.SCHEMA, Accounts.SCHEMA));
        schemas.addAll(Swarm.schemas());
        SqliteCartridge cartridge =
                SqliteCartridge.open(folder.resolve(name + ".db"), CartridgeOptions.standard(), schemas);
        int port = freePort();
        Swarm member = new Swarm(
                OwnKey.open(cartridge, folder.resolve(name + ".key")),
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
                Thread::new,
                new ScheduledThreadPoolExecutor(1),
                io);
        member.start();
        return member;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
