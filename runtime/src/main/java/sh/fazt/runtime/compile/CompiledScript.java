package sh.fazt.runtime.compile;

import com.google.debugging.sourcemap.SourceMapConsumerV3;
import com.google.debugging.sourcemap.SourceMapParseException;
import com.google.debugging.sourcemap.proto.Mapping.OriginalMapping;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One file, ready for the engine: an expression whose value is a function without parameters. Immutable apart from
 * the map, which is read on first use; thread-safe.
 */
public final class CompiledScript {
    private final String hash;
    private final String code;
    private final String map;
    private final int originalLines;
    private @Nullable SourceMapConsumerV3 lines;

    CompiledScript(String hash, String code, String map, int originalLines) {
        this.hash = Objects.requireNonNull(hash);
        this.code = Objects.requireNonNull(code);
        this.map = Objects.requireNonNull(map);
        this.originalLines = originalLines;
    }

    /** Names content and kind: equal hashes, equal code. */
    public String hash() {
        return hash;
    }

    /** What the engine runs. */
    public String code() {
        return code;
    }

    /** The line of the original file for a line of {@link #code}, or 0 when it belongs to no line. */
    public synchronized int originalLine(int line) {
        if (lines == null) {
            SourceMapConsumerV3 consumer = new SourceMapConsumerV3();
            try {
                consumer.parse(map);
            } catch (SourceMapParseException e) {
                throw new IllegalStateException("the compiler wrote a source map that it can't read", e);
            }
            lines = consumer;
        }
        // Pretty printing puts one statement on a line: the first mapping after the indent is the statement's.
        for (int column = 1; column < 400; column += column < 40 ? 1 : 8) {
            OriginalMapping mapping = lines.getMappingForLine(line, column);
            if (mapping != null && mapping.getLineNumber() > 1) {
                return Math.min(mapping.getLineNumber() - 1, originalLines);
            }
        }
        return 0;
    }

    int weight() {
        return code.length() + map.length();
    }
}
