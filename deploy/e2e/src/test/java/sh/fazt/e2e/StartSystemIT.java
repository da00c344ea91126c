package sh.fazt.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.testkit.Await;

/** Starts that can't be say why, end with 1 and leave what they found as it was; and one that is to be fast. */
class StartSystemIT {
    private static final List<String> FREE = List.of("--port", "0", "--swarm-port", "0");

    @TempDir
    Path folder;

    private NodeUnderTest node(String name) {
        return new NodeUnderTest(folder, name, List.of(), FREE);
    }

    private static void refused(NodeUnderTest node, String message, String... flags) throws Exception {
        String[] words = new String[flags.length + 2];
        words[0] = "server";
        words[1] = "start";
        System.arraycopy(flags, 0, words, 2, flags.length);
        NodeUnderTest.Run run = node.fazt(words);
        assertThat(run.err()).contains(message).doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
        assertThat(run.code()).isEqualTo(1);
    }

    private TreeSet<String> names() throws Exception {
        try (var files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void whatIsNoCartridgeStaysAsItWas() throws Exception {
        Files.writeString(folder.resolve("letter.db"), "Dear reader, this is a letter and no database. ".repeat(9));
        refusedUntouched(node("letter"), "is no cartridge");
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("diary.db"));
                var statement = db.createStatement()) {
            statement.executeUpdate("CREATE TABLE entry (day TEXT, text TEXT)");
        }
        refusedUntouched(node("diary"), "a database of another program");
        Files.createDirectory(folder.resolve("album.db"));
        refused(node("album"), "is a folder, not a cartridge");
        assertThat(names()).containsExactly("album.db", "diary.db", "letter.db");
    }

    private static void refusedUntouched(NodeUnderTest node, String message) throws Exception {
        byte[] before = Files.readAllBytes(node.cartridge);
        refused(node, message);
        assertThat(node.cartridge).hasBinaryContent(before);
    }

    @Test
    void aCartridgeOfANewerFaztAndADamagedOneAreRefused() throws Exception {
        NodeUnderTest node = node("one");
        try (node) {
            node.start();
            node.ok("app", "deploy", Path.of("src/test/resources/ledger").toString(), "--name", "ledger");
            node.stop();
            level(node, "level + 98");
            refusedUntouched(node, "was written by a newer fazt");
            level(node, "level - 98");
            byte[] good = Files.readAllBytes(node.cartridge);
            byte[] damaged = good.clone();
            Arrays.fill(damaged, 100, 3 * 4096, (byte) 0xa5);
            Files.write(node.cartridge, damaged);
            refused(node, "damaged");
            Files.write(node.cartridge, Arrays.copyOf(good, good.length / 2));
            refused(node, "damaged");
            Files.write(node.cartridge, good);
            node.start();
            assertThat(node.get("ledger", "/")).as("nothing was lost by trying").contains("First release");
        }
    }

    private static void level(NodeUnderTest node, String next) throws Exception {
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + node.cartridge);
                var statement = db.createStatement()) {
            statement.executeUpdate("UPDATE fazt_migration SET level = " + next + " WHERE room = 'cartridge'");
            statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    @Test
    void aFolderThatCanNotBeWrittenIsNamed() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        refused(readOnly(closed, "one"), "can't lock the cartridge " + closed.resolve("one.db"));
        refused(readOnly(closed, "below/one"), "can't make the folder " + closed.resolve("below"));
        try (var inside = Files.list(closed)) {
            assertThat(inside).isEmpty();
        }
    }

    /** Permissions don't stop root: for it the folder is mounted so that nobody can write. */
    private static NodeUnderTest readOnly(Path folder, String name) throws Exception {
        if (!System.getProperty("user.name").equals("root")) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
            return new NodeUnderTest(folder, name, List.of(), FREE);
        }
        String mount = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
        return new NodeUnderTest(
                folder, name, List.of("unshare", "--mount", "sh", "-c", mount, folder.toString()), FREE);
    }

    @Test
    void aPortInUseIsNamedAndTheNextStartShowsThePassword() throws Exception {
        NodeUnderTest node = node("one");
        try (node;
                ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            refused(node, "another process listens there", "--port", port, "--swarm-port", "0");
            refused(node, "the swarm port 127.0.0.1:" + port, "--port", "0", "--swarm-port", port);
            assertThat(names()).doesNotContain("one.db.run", "one.db-wal");
            node.start();
            assertThat(node.password()).isNotEmpty();
            refused(node, "in use by process " + node.pid(), "--port", "0", "--swarm-port", "0");
            assertThat(node.ok("server", "status").isObject()).isTrue();
        }
    }

    @Test
    void theFirstNodeMakesWhatLetsTheNextStartFast() throws Exception {
        Path cache = folder.resolve("cache");
        NodeUnderTest node = node("one");
        node.environment.put("FAZT_CACHE", cache.toString());
        try (node) {
            node.start();
            Await.until(
                    "both archives are made",
                    // In the background, and a loaded machine has more to do.
                    Duration.ofSeconds(300),
                    () -> archives(cache).equals(List.of("cli.jsa", "node.jsa")));
            node.stop();
            node.start();
            assertThat(Files.readString(Path.of("/proc", Long.toString(node.pid()), "maps")))
                    .contains("node.jsa");
        }
    }

    private static List<String> archives(Path cache) throws Exception {
        if (!Files.exists(cache)) {
            return List.of();
        }
        try (var files = Files.walk(cache)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(".jsa"))
                    .sorted()
                    .toList();
        }
    }
}
