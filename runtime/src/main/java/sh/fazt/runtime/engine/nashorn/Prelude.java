package sh.fazt.runtime.engine.nashorn;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.nashorn.internal.runtime.Source;

/** The parts of the language that the engine lacks, written in the part that it has. Immutable. */
final class Prelude {
    /** In the order in which they run. */
    private static final List<String> FILES =
            List.of("language.js", "promise.js", "generators.js", "collections.js", "strings.js", "web.js");

    static final String PREFIX = "fazt:";

    private final List<Source> sources;

    Prelude() {
        List<Source> read = new ArrayList<>();
        for (String file : FILES) {
            // Through a parent-side class: this class's own loader serves classes, the parent serves resources.
            try (InputStream in = sh.fazt.runtime.engine.Engines.class.getResourceAsStream(file)) {
                if (in == null) {
                    throw new IllegalStateException("the resource " + file + " is missing from the runtime");
                }
                read.add(Source.sourceFor(PREFIX + file, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
            } catch (IOException e) {
                throw new IllegalStateException("the resource " + file + " can't be read", e);
            }
        }
        sources = List.copyOf(read);
    }

    List<Source> sources() {
        return sources;
    }
}
