package sh.fazt.runtime;

import java.util.Objects;

/**
 * A reason why a file can't be deployed. Immutable.
 *
 * @param file path in the bundle
 * @param line from 1
 * @param column from 1
 */
public record Problem(String file, int line, int column, String message) {
    public Problem {
        Objects.requireNonNull(file);
        Objects.requireNonNull(message);
    }

    @Override
    public String toString() {
        return file + ":" + line + ":" + column + ": " + message;
    }
}
