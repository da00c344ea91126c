package sh.fazt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code fazt demo}: three nodes on this machine, one sample app, and a network to cut and heal. Confined to main,
 * but for the end: Ctrl-C may bring it at any time, on a thread of its own.
 */
final class Demo {
    private static final List<String> NAMES = List.of("home", "vps", "phone");
    private static final String APP = "guestbook";

    private final Terminal terminal;
    private final List<NodeProcess> nodes = new ArrayList<>();
    private boolean ended;

    private Demo(Terminal terminal) {
        this.terminal = terminal;
    }

    static int run(Arguments arguments, Terminal terminal) throws Exception {
        Path folder = Files.createTempDirectory("fazt-demo-");
        Demo demo = new Demo(terminal);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> demo.end(folder)));
        try {
            demo.begin(folder);
            demo.prompt();
        } catch (Failure | IOException e) {
            if (!demo.hasEnded()) {
                throw e;
            }
            // Ctrl-C took the nodes away: what then fails is not worth a word.
        } finally {
            demo.end(folder);
        }
        return 0;
    }

    private void begin(Path folder) throws IOException {
        for (String name : NAMES) {
            terminal.say("starting " + name);
            launch(folder.resolve(name + ".db"), name).awaitReady();
        }
        NodeClient home = nodes.get(0).client();
        home.send("POST", "/api/swarm/init", Map.of("name", "demo"));
        for (int i = 1; i < nodes.size(); i++) {
            terminal.say(NAMES.get(i) + " joins");
            String token = Json.text(home.send("POST", "/api/swarm/token", Map.of("ttl_seconds", 300L)), "token");
            nodes.get(i).client().send("POST", "/api/swarm/join", Map.of("token", token), SwarmCommands.JOIN);
        }
        terminal.say("deploying a guest book on home");
        Path app = Sample.writeTo(Files.createDirectory(folder.resolve(APP)));
        AppCommands.deploy(home, Folder.read(app), APP);
        Table table = new Table("NODE", "THE APP THERE", "ADMIN PAGE");
        for (int i = 0; i < nodes.size(); i++) {
            String port = nodes.get(i).http().substring(nodes.get(i).http().lastIndexOf(':'));
            table.row(NAMES.get(i), "http://" + APP + ".localhost" + port, "http://admin.localhost" + port);
        }
        terminal.result(table.toString());
        for (String fact : nodes.get(0).facts()) {
            if (fact.startsWith("owner") || fact.contains("password")) {
                terminal.result(fact);
            }
        }
        terminal.result(
                "Write in the guest book on any of them and watch it appear on the others.\n"
                        + "split   cuts phone off\nheal    brings it back\nstatus  what each side thinks\nquit    ends the demo");
    }

    /** On the list before it runs, so that the end finds every node. */
    private synchronized NodeProcess launch(Path cartridge, String name) throws IOException {
        if (ended) {
            throw Failure.failed("the demo has ended");
        }
        NodeProcess node = NodeProcess.launch(cartridge, name, Map.of());
        nodes.add(node);
        return node;
    }

    private synchronized boolean hasEnded() {
        return ended;
    }

    private void prompt() {
        for (String line = terminal.ask("demo> "); line != null; line = terminal.ask("demo> ")) {
            try {
                switch (line.strip()) {
                    case "split" -> {
                        online(false);
                        terminal.result("phone is cut off: write on both sides, then heal");
                    }
                    case "heal" -> {
                        online(true);
                        terminal.result("phone is back: both sides hear what the other wrote");
                    }
                    case "status" -> status();
                    case "quit", "exit" -> {
                        return;
                    }
                    case "" -> {}
                    default -> terminal.result("split, heal, status or quit; not \"" + line.strip() + "\"");
                }
            } catch (Failure failure) {
                terminal.say(String.valueOf(failure.getMessage()));
            }
        }
    }

    private void online(boolean online) {
        nodes.get(2).client().send("PUT", "/api/swarm/links", Map.of("online", online));
    }

    private void status() {
        for (int i = 0; i < nodes.size(); i++) {
            terminal.result("-- as " + NAMES.get(i) + " sees it\n"
                    + SwarmCommands.table(nodes.get(i).client().get("/api/swarm/status")));
        }
    }

    /** Stops every node and removes what they wrote; the second time there is nothing to do. */
    private synchronized void end(Path folder) {
        if (ended) {
            return;
        }
        ended = true;
        terminal.say("stopping");
        // All at once: each takes a moment to hand over.
        List<Thread> stopping = new ArrayList<>();
        for (NodeProcess node : nodes) {
            Thread thread = new Thread(node::close, "fazt-demo-stop");
            thread.start();
            stopping.add(thread);
        }
        try {
            for (Thread thread : stopping) {
                thread.join();
            }
            Executable.delete(folder);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            terminal.say("could not remove " + folder + ": " + e.getMessage());
        }
    }
}
