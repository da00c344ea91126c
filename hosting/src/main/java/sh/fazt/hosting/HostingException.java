package sh.fazt.hosting;

/** Hosting could not do what was asked; the message says what to do now. */
public final class HostingException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public HostingException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the caller can do. */
    public enum Reason {
        /** There is no such app, release or key. */
        NOT_FOUND,
        /** What was sent breaks a rule; the message names it. */
        INVALID,
        /** There is one by this name already. */
        EXISTS,
        /** A limit was reached. */
        TOO_LARGE,
        /** User name or password are wrong. */
        BAD_CREDENTIALS,
        /** Too many wrong passwords: later. */
        TOO_MANY_ATTEMPTS
    }
}
