package sh.fazt.swarm;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.sqlite.Function;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.Timings;
import sh.fazt.identity.NodeKey;

/** A node of a test: its cartridge with one table, its part in the swarm, and a foreign hand on its file. */
final class SwarmNode implements AutoCloseable {
    static final Scope APP = new Scope("fazt_app_000000000001");
    private static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "pair",
                            ReplicatedTable.Policy.REGISTER,
                            List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                            List.of(new ReplicatedTable.Column("value", ReplicatedTable.Type.TEXT))),
                    new ReplicatedTable(
                            "picture",
                            ReplicatedTable.Policy.REGISTER,
                            List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                            List.of(
                                    new ReplicatedTable.Column("body", ReplicatedTable.Type.BLOB_REFERENCE),
                                    new ReplicatedTable.Column("size", ReplicatedTable.Type.INTEGER)),
                            new ReplicatedTable.BlobRule(
                                    "size", key -> key.get(0).equals("eager")))));

    final String name;
    final NodeKey key;
    final int port;
    final SqliteCartridge cartridge;
    final Blobs blobs;
    final Swarm swarm;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService io = Executors.newFixedThreadPool(24);

    SwarmNode(Path folder, String name) {
        this.name = name;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        List<SchemaPart> schemas = new ArrayList<>(Swarm.schemas());
        schemas.add(ROOM);
        cartridge = SqliteCartridge.open(folder.resolve(name), CartridgeOptions.standard(), schemas);
        OwnKey own = OwnKey.open(cartridge, folder.resolve(name + ".key"));
        key = own.key();
        blobs = new Blobs(cartridge);
        swarm = new Swarm(
                own,
                new SwarmOptions(
                        name,
                        "test",
                        SwarmOptions.SCHEMA_LEVEL,
                        "",
                        "127.0.0.1",
                        port,
                        List.of("127.0.0.1:" + port),
                        false,
                        false,
                        folder.resolve(name + ".raft"),
                        Timings.LAN,
                        List.of(),
                        List.of()),
                cartridge,
                blobs,
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

    void join(SwarmNode other) {
        swarm.join(other.swarm.token(Duration.ofHours(1)).token().text());
    }

    void set(String key, String value) {
        cartridge
                .write(APP, tx -> {
                    tx.put("pair", List.of(key), Map.of("value", value));
                    return true;
                })
                .toCompletableFuture()
                .join();
    }

    /** Stores some bytes and a row that refers to them; answers their hash. */
    String show(String name, byte[] bytes) {
        String hash = blobs.put(bytes);
        refer(name, hash, bytes.length);
        return hash;
    }

    /** Stores a row that refers to a blob. */
    void refer(String name, String hash, long size) {
        cartridge
                .write(APP, tx -> {
                    tx.put("picture", List.of(name), Map.of("body", hash, "size", size));
                    return true;
                })
                .toCompletableFuture()
                .join();
    }

    Map<String, String> pairs() {
        Map<String, String> pairs = new TreeMap<>();
        cartridge
                .read(rows -> rows.query(
                        "SELECT name, value FROM pair_live WHERE scope = ?",
                        row -> Map.entry(row.text(0), row.text(1)),
                        APP.id()))
                .forEach(pair -> pairs.put(pair.getKey(), pair.getValue()));
        return pairs;
    }

    /** Writes the file past the guard, as a foreign program that means ill. */
    void tamper(String sql) {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + cartridge.file())) {
            Function.create(connection, "fazt_writer", new Function() {
                @Override
                protected void xFunc() throws SQLException {
                    result(1);
                }
            });
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA busy_timeout = 5000");
                if (statement.executeUpdate(sql) == 0) {
                    throw new AssertionError("nothing was changed by: " + sql);
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        swarm.close();
        thread.shutdownNow();
        io.shutdownNow();
        cartridge.close();
    }
}
