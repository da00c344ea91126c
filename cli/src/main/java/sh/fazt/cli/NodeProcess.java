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

/** A node as a child process. Confined to its maker's thread, but for the end, which any may bring. */
final class NodeProcess implements AutoCloseable {
    private static final String READY = "ready http://";

    private final Process process;
    private final Path cartridge;
    private final List<String> facts = new ArrayList<>();

    private NodeProcess(Process process, Path cartridge) {
        this.process = process;
        this.cartridge = cartridge;
    }

    /** Launches a node on free ports, with more environment as given; it serves once {@link #awaitReady} returns. */
    static NodeProcess launch(Path cartridge, String name, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(Executable.command(
                "server", "start", "--db", cartridge.toString(), "--port", "0", "--swarm-port", "0", "--name", name));
        builder.environment().putAll(environment);
        builder.environment().put("FAZT_ARCHIVE", "off");
        builder.redirectError(cartridge.resolveSibling(name + ".log").toFile());
        Process process = builder.start();
        process.getOutputStream().close();
        return new NodeProcess(process, cartridge);
    }

    /** Returns once it serves; fails when it ends instead. */
    void awaitReady() throws IOException {
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            facts.add(line);
            if (line.startsWith(READY)) {
                return;
            }
        }
        close();
        throw Failure.failed("the node on " + cartridge + " did not start; its log lies beside it, its output was:\n"
                + String.join("\n", facts));
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
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
