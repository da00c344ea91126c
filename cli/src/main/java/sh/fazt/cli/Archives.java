package sh.fazt.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The class-data archives that make this executable start fast on this machine's Java: one for the command,
 * one for the node (a common one would slow the command). A JVM accepts an archive only for the very file
 * that it was made from, so they can't be shipped: the first node that runs makes them, in the background,
 * by using the executable as a user does. The launcher takes them when they are there.
 */
final class Archives {
    /** The node's own start comes first; on a small machine this would slow it. */
    private static final int DELAY_SECONDS = 5;

    /** A machine that is busy with something else is slow for minutes, seldom for longer. */
    private static final int TRIES = 5;

    private final Path executable;
    private final Path directory;

    private Archives(Path executable, Path directory) {
        this.executable = executable;
        this.directory = directory;
    }

    /** Null when run from class files, or when {@code FAZT_ARCHIVE=off}. */
    static @Nullable Archives ofThisExecutable() {
        Path executable = Executable.file();
        String directory = System.getProperty("fazt.archives", "");
        return executable == null || directory.isEmpty() || "off".equals(System.getenv("FAZT_ARCHIVE"))
                ? null
                : new Archives(executable, Path.of(directory));
    }

    /** Makes what is missing, on a thread of its own that does not keep the process alive. */
    void makeSoon() {
        if (complete()) {
            return;
        }
        CountDownLatch stopping = new CountDownLatch(1);
        Thread maker = new Thread(
                () -> {
                    try {
                        for (int i = 0; i < TRIES && !complete(); i++) {
                            if (stopping.await(DELAY_SECONDS, TimeUnit.SECONDS)) {
                                return;
                            }
                            tryToMake();
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "fazt-archives");
        maker.setDaemon(true);
        maker.setPriority(Thread.MIN_PRIORITY);
        maker.start();
    }

    /** What fails costs only the speed of the next start. */
    private void tryToMake() throws InterruptedException {
        try {
            make();
        } catch (IOException | RuntimeException e) {
            if (System.getenv("FAZT_DEBUG") != null) {
                e.printStackTrace();
            }
        }
    }

    private boolean complete() {
        return Files.exists(directory.resolve("cli.jsa")) && Files.exists(directory.resolve("node.jsa"));
    }

    /** Makes both archives now; returns at once when another process is at it. */
    void make() throws IOException, InterruptedException {
        Files.createDirectories(directory);
        try (FileChannel channel = FileChannel.open(
                        directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock == null || complete()) {
                return;
            }
            Path work = Files.createTempDirectory("fazt-archives-");
            Thread cleaner = new Thread(() -> deleteQuietly(work));
            Runtime.getRuntime().addShutdownHook(cleaner);
            try {
                train(work);
                Files.move(
                        work.resolve("node.jsa"), directory.resolve("node.new"), StandardCopyOption.REPLACE_EXISTING);
                Files.move(
                        directory.resolve("node.new"), directory.resolve("node.jsa"), StandardCopyOption.ATOMIC_MOVE);
                Files.move(work.resolve("cli.jsa"), directory.resolve("cli.new"), StandardCopyOption.REPLACE_EXISTING);
                Files.move(directory.resolve("cli.new"), directory.resolve("cli.jsa"), StandardCopyOption.ATOMIC_MOVE);
                forgetOlderBuilds();
            } finally {
                Executable.delete(work);
            }
        }
    }

    /** One of everything that a node and a command do at their start, so that those classes are archived. */
    private void train(Path work) throws IOException, InterruptedException {
        Path cartridge = work.resolve("data.db");
        Path app = Sample.writeTo(Files.createDirectory(work.resolve("guestbook")));
        try (NodeProcess node = NodeProcess.launch(
                cartridge,
                "archive",
                Map.of("FAZT_ARCHIVE_OUT", work.resolve("node.jsa").toString()))) {
            Thread stopper = new Thread(node::close);
            Runtime.getRuntime().addShutdownHook(stopper);
            node.awaitReady();
            AppCommands.deploy(node.client(), Folder.read(app), "archive");
            Http visitor = new Http(node.http().replace("127.0.0.1", "archive.localhost"), "");
            for (int i = 0; i < 20; i++) {
                visitor.exchange("GET", "/", "", 0, null, 10_000);
                visitor.exchange("GET", "/api/entries", "", 0, null, 10_000);
            }
            ProcessBuilder command = new ProcessBuilder(
                    executable.toString(), "swarm", "status", "--format", "table", "--db", cartridge.toString());
            command.environment()
                    .put("FAZT_ARCHIVE_OUT", work.resolve("cli.jsa").toString());
            command.redirectErrorStream(true);
            command.redirectOutput(work.resolve("command.log").toFile());
            Process process = command.start();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            Runtime.getRuntime().removeShutdownHook(stopper);
        }
    }

    /** The archives of builds that stood at this path before. */
    private void forgetOlderBuilds() throws IOException {
        String current = String.valueOf(directory.getFileName());
        String build = current.substring(0, current.lastIndexOf('-') + 1);
        Files.writeString(directory.resolve("executable"), executable.toString());
        try (Stream<Path> siblings = Files.list(directory.getParent())) {
            for (Path sibling : siblings.toList()) {
                Path madeFor = sibling.resolve("executable");
                if (!String.valueOf(sibling.getFileName()).startsWith(build)
                        && Files.isRegularFile(madeFor)
                        && Files.readString(madeFor).equals(executable.toString())) {
                    Executable.delete(sibling);
                }
            }
        }
    }

    private static void deleteQuietly(Path folder) {
        try {
            Executable.delete(folder);
        } catch (IOException e) {
            // A temporary folder: the system clears it.
        }
    }
}
