package sh.fazt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code fazt server backup} and {@code restore}. */
final class BackupCommands {
    /** A large cartridge on a slow disk. */
    private static final Duration PATIENCE = Duration.ofHours(2);

    private BackupCommands() {}

    static int backup(Arguments arguments, Terminal terminal) {
        Path target = Path.of(arguments.operand(0)).toAbsolutePath().normalize();
        Path folder = target.getParent();
        if (Files.exists(target)) {
            throw Failure.failed(target
                    + (Files.isDirectory(target) ? " is a folder: name a file in it" : " exists:")
                    + (Files.isDirectory(target) ? "" : " a backup never overwrites a file; name another"));
        }
        if (folder == null || !Files.isDirectory(folder)) {
            throw Failure.failed("there is no folder " + folder + " for the backup: make it first");
        }
        Object made = NodeClient.of(arguments.cartridge()).send("POST", "/api/system/backup", Map.of(), PATIENCE);
        Path written = Path.of(Json.text(made, "file"));
        try {
            Files.move(written, target);
        } catch (IOException e) {
            throw Failure.failed("the backup could not be moved to " + target + " (" + e + "): it lies at " + written);
        }
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        result.put("file", target.toString());
        result.put("bytes", Json.member(made, "bytes"));
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(result)
                        : "wrote " + Table.bytes(Json.text(made, "bytes")) + " to " + target
                                + "\nThe node's key is not in it: keep " + arguments.cartridge()
                                + ".key too, somewhere safe, to come back as this node");
        return 0;
    }

    /** Needs the cartridge itself, which no node may run. */
    static int restore(Arguments arguments, Terminal terminal) throws Exception {
        String backup = arguments.operand(0);
        Object done = Door.run(
                "sh.fazt.node.RestoreMain", backup, arguments.cartridge().toString());
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(done));
            return 0;
        }
        String replaced = Json.text(done, "replaced");
        terminal.result("restored " + Json.text(done, "cartridge") + " from " + backup
                + (replaced.isEmpty() ? "" : "\nWhat was there before lies at " + replaced)
                + "\nStart it with \"fazt server start --db " + Json.text(done, "cartridge")
                + "\". In a swarm it then gets what the others have since: a backup takes nothing back there");
        return 0;
    }
}
