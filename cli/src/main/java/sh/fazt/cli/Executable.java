package sh.fazt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How to start this same {@code fazt} again as a process of its own. Immutable. */
final class Executable {
    private Executable() {}

    /** The one executable file, as the launcher in front of it says; null when run from class files. */
    static @Nullable Path file() {
        String path = System.getProperty("fazt.executable");
        return path == null || path.isEmpty() ? null : Path.of(path);
    }

    /** The words that run a command of this {@code fazt}. */
    static List<String> command(String... words) {
        List<String> command = new ArrayList<>();
        Path file = file();
        if (file != null) {
            command.add(file.toString());
        } else {
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName()));
        }
        command.addAll(List.of(words));
        return command;
    }

    /** Removes a folder that this process made, and all in it. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
