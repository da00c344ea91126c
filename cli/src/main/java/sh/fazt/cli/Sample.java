package sh.fazt.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The sample app that {@code fazt demo} deploys: a guest book. */
final class Sample {
    private static final List<String> FILES =
            List.of("index.html", "style.css", "book.js", "404.html", "api/main.js", "api/entries.js");

    private Sample() {}

    /** Writes its files into a folder. */
    static Path writeTo(Path folder) {
        try {
            for (String file : FILES) {
                Path target = folder.resolve(file);
                Files.createDirectories(target.getParent());
                try (InputStream in = Sample.class.getResourceAsStream("guestbook/" + file)) {
                    if (in == null) {
                        throw new IllegalStateException("this fazt was built without its sample file " + file);
                    }
                    Files.copy(in, target);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
