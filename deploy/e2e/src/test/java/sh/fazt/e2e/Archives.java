package sh.fazt.e2e;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import sh.fazt.testkit.Await;

/**
 * The class-data archives of the executable under test, as every start of a user's but the first has them. They are
 * made once for all tests, by a node as it makes them for a user: without them each start of a node takes a half more of
 * the processor's time.
 */
final class Archives {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String OPTION = "-Dfazt.archives=";

    private Archives() {}

    /** Made at the first use; what tests at the same time wait for it in other processes. */
    private static final class Made {
        static final Path CACHE = make();
    }

    /** Lets a process have them. */
    static void lend(Map<String, String> environment) {
        environment.put("FAZT_CACHE", Made.CACHE.toString());
    }

    private static Path make() {
        Path cache = Path.of("target", "archives").toAbsolutePath();
        try {
            Files.createDirectories(cache);
            try (FileChannel channel = FileChannel.open(
                            cache.resolve("making"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                // Whoever comes second finds them there.
                make(cache);
            }
        } catch (IOException e) {
            throw new IllegalStateException("making the archives of " + NodeUnderTest.executable(), e);
        }
        return cache;
    }

    private static void make(Path cache) throws IOException {
        Path folder = Files.createTempDirectory(cache, "node-");
        Path log = folder.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(
                        NodeUnderTest.executable().toString(),
                        "server",
                        "start",
                        "--db",
                        folder.resolve("one.db").toString(),
                        "--port",
                        "0",
                        "--swarm-port",
                        "0")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("FAZT_CACHE", cache.toString());
        Process node = builder.start();
        try {
            Await.until("both archives are made", PATIENCE, () -> {
                if (!node.isAlive()) {
                    throw new IllegalStateException("the node that makes the archives has ended, see " + log);
                }
                Path of = of(node);
                return Files.exists(of.resolve("cli.jsa")) && Files.exists(of.resolve("node.jsa"));
            });
        } finally {
            node.destroy();
            try {
                if (!node.waitFor(60, TimeUnit.SECONDS)) {
                    node.destroyForcibly();
                }
            } catch (InterruptedException e) {
                node.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Where they belong, which goes by the build and the Java: the launcher tells its program. */
    private static Path of(Process node) throws IOException {
        String line = Files.readString(Path.of("/proc", Long.toString(node.pid()), "cmdline"), StandardCharsets.UTF_8);
        for (String word : line.split("\0")) {
            if (word.startsWith(OPTION)) {
                return Path.of(word.substring(OPTION.length()));
            }
        }
        throw new IllegalStateException("the launcher has not come to its program yet");
    }
}
