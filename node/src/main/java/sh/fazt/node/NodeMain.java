package sh.fazt.node;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** What {@code fazt server start} launches. */
public final class NodeMain {
    private NodeMain() {}

    /** Libraries that tell of every step. Held here, for java.util.logging forgets loggers that nobody holds. */
    private static final List<Logger> CHATTY = Stream.of("org.apache.ratis", "io.grpc", "io.netty")
            .map(Logger::getLogger)
            .toList();

    /** Says with a stack trace, for each try, that a member does not answer; links and membership say it once. */
    private static final Logger APPENDERS = Logger.getLogger("org.apache.ratis.server.leader");

    /** One line an event, and of libraries only what somebody has to look at. */
    private static void quiet() {
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL %4$s %3$s: %5$s%6$s%n");
        }
        CHATTY.forEach(logger -> logger.setLevel(Level.WARNING));
        APPENDERS.setLevel(Level.SEVERE);
    }

    /**
     * Runs a node until the process is told to stop.
     *
     * @param args {@code --db FILE} and the flags of {@code server start}, checked by the command
     * @return the exit code
     * @throws IllegalStateException when it has to stop, with the reason for its owner
     */
    public static int run(String[] args) throws Exception {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            flags.put(args[i].substring(2), args[i + 1]);
        }
        Path file = Path.of(flags.remove("db"));
        PrintStream out =
                new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
        quiet();
        Node node = Node.start(file, flags);
        Node[] running = {node};
        CompletableFuture<String> stopped = new CompletableFuture<>();
        Thread hook = new Thread(
                () -> {
                    // Not between the end of a node and the start of the one that takes its place.
                    synchronized (running) {
                        running[0].close();
                        stopped.complete("");
                    }
                },
                "stop");
        java.lang.Runtime.getRuntime().addShutdownHook(hook);
        tell(node, out);
        while (!ends(node, stopped)) {
            synchronized (running) {
                if (!stopped.isDone()) {
                    flags.putAll(node.ports());
                    node.close();
                    node = Node.start(file, flags);
                    running[0] = node;
                    tell(node, out);
                }
            }
        }
        String why = stopped.join();
        if (!why.isEmpty()) {
            throw new IllegalStateException(why);
        }
        return 0;
    }

    /** Waits; answers false when a node has to be started again, as it has a new key. */
    private static boolean ends(Node node, CompletableFuture<String> stopped) {
        node.copied().thenAccept(stopped::complete);
        CompletableFuture.anyOf(stopped, node.rotated().toCompletableFuture()).join();
        return stopped.isDone();
    }

    private static void tell(Node node, PrintStream out) {
        out.println("cartridge " + node.file());
        out.println("node " + node.name());
        out.println("swarm port " + node.swarmAddress());
        out.println("admin " + node.adminUrl());
        if (node.newPassword() != null) {
            out.println("owner password " + node.newPassword() + "  (user name \"owner\"; shown this once)");
        }
        out.println("ready http://" + node.address());
        LoggerFactory.getLogger(NodeMain.class).info("serving address={} version={}", node.address(), Node.version());
    }
}
