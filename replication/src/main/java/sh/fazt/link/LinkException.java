package sh.fazt.link;

/** A message could not be taken to a peer, or the peer refused it. */
public final class LinkException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public LinkException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public LinkException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the caller can do. */
    public enum Reason {
        /** No link came up, or none had room, before the deadline: retry later. */
        UNREACHABLE,
        /** The link went away while the message was under way; it may have arrived. */
        BROKEN,
        /** The peer did not answer in time; it may have acted. */
        TIMEOUT,
        /** The peer answered that it won't: the message says why. */
        REFUSED,
        /** Larger than a message may be: never. */
        TOO_LARGE,
        /** This node is stopping. */
        CLOSED
    }
}
