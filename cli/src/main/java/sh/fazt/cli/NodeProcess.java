package sh.fazt.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A node as a child process. Confined to its maker's thread. */
final class NodeProcess implements AutoCloseable {
    private static final String READY = "ready http://";

    private final Process process;
    private final Path cartridge;
    private final List<String> facts = new ArrayList<>();

    private NodeProcess(Process process, Path cartridge) {
        this.process = process;
        this.cartridge = cartridge;
    }

    /** Starts a node on free ports, with more words and environment as given; returns once it serves. */
    static NodeProcess start(Path cartridge, String name, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(Executable.command(
                "server", "start", "--db", cartridge.toString(), "--port", "0", "--swarm-port", "0", "--name", name));
        builder.environment().putAll(environment);
        builder.environment().put("FAZT_ARCHIVE", "off");
        builder.redirectError(cartridge.resolveSibling(name + ".log").toFile());
        Process process = builder.start();
        process.getOutputStream().close();
        NodeProcess node = new NodeProcess(process, cartridge);
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            node.facts.add(line);
            if (line.startsWith(READY)) {
                return node;
            }
        }
        node.close();
        throw Failure.failed("the node \"" + name + "\" did not start; its log is "
                + cartridge.resolveSibling(name + ".log") + ", its output was:\n" + String.join("\n", node.facts));
    }

    /** {@code host:port} of its HTTP surface. */
    String http() {
        return facts.get(facts.size() - 1).substring(READY.length()).replaceAll("/.*", "");
    }

    /** The lines that it printed when it started. */
    List<String> facts() {
        return facts;
    }

    NodeClient client() {
        return NodeClient.of(cartridge);
    }

    /** Asks it to stop; makes it stop after 30 s. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
