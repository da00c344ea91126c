package sh.fazt.runtime;

import java.util.Objects;

/** One header line. Immutable. */
public record Header(String name, String value) {
    public Header {
        Objects.requireNonNull(name);
        Objects.requireNonNull(value);
    }
}
