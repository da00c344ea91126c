package sh.fazt.swarm;

/** The swarm could not do what was asked, and nothing changed; the message says why and what to do now. */
public final class SwarmException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public SwarmException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the caller can do. */
    public enum Reason {
        /** Too few voters answer; the message names who is missing. Later. */
        NO_QUORUM,
        /** The other side does not answer. Later. */
        UNREACHABLE,
        /** It was not done in time; it may still happen. */
        TIMEOUT,
        /** The token is none, is used, has expired, or is for another swarm. A new one. */
        BAD_TOKEN,
        /** This node is in a swarm of several: leave it first. */
        IN_SWARM,
        /** This node is alone. */
        ALONE,
        /** There is no such name. */
        NOT_FOUND,
        /** What was asked breaks a rule. */
        INVALID,
        /** Somebody else changed it at the same time. */
        CONFLICT
    }
}
