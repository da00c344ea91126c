package sh.fazt.identity;

/** A node key or a join token that can't be used; the message says what to do. */
public final class IdentityException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public IdentityException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public IdentityException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What is wrong. */
    public enum Reason {
        /** There is no key file at that path. */
        KEY_MISSING,
        /** There is one already: it is never overwritten. */
        KEY_EXISTS,
        /** The file is there and can't be read, written or protected. */
        KEY_UNREADABLE,
        /** The file was read and is not a whole key. */
        KEY_DAMAGED,
        /** The text is something else. */
        NOT_A_TOKEN,
        /** A join token with a character lost or changed. */
        TOKEN_DAMAGED,
        /** A join token of a newer fazt. */
        TOKEN_NEWER
    }
}
