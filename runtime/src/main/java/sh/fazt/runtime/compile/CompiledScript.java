package sh.fazt.runtime.compile;

import java.util.Objects;

/**
 * One file, ready for the engine: an expression whose value is a function. Immutable; thread-safe.
 */
public final class CompiledScript {
    private final String hash;
    private final String code;
    private final LineTable lines;

    CompiledScript(String hash, String code, LineTable lines) {
        this.hash = Objects.requireNonNull(hash);
        this.code = Objects.requireNonNull(code);
        this.lines = Objects.requireNonNull(lines);
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
    public int originalLine(int line) {
        return lines.originalLine(line);
    }

    int weight() {
        return code.length() + 4 * lines.size();
    }
}
