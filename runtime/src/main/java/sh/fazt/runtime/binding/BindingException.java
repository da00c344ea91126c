package sh.fazt.runtime.binding;

import java.util.Objects;

/** An expected failure of a port, shown to the script as an {@code Error} with {@code code} and {@code message}. */
public final class BindingException extends RuntimeException {
    /** The code of a write that the disk has no room for: uncaught, it is {@code Result.Reason.NO_STORAGE}. */
    public static final String NOT_WRITABLE = "not_writable";

    private final String code;

    /**
     * @param code a stable word such as {@code quota_exceeded}
     * @param message what was tried, on what, and what to do
     */
    public BindingException(String code, String message) {
        super(message, null, false, false);
        this.code = Objects.requireNonNull(code);
    }

    public String code() {
        return code;
    }
}
