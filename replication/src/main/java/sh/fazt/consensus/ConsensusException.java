package sh.fazt.consensus;

/** The group could not do what was asked. */
public class ConsensusException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Reason reason;

    public ConsensusException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public ConsensusException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the caller can do. */
    public enum Reason {
        /** Too few voters answer: later. The message names who is missing. */
        NO_QUORUM,
        /** This node is in no group: initialise or join first. */
        NOT_MEMBER,
        /** What lies on the disk is not of this cartridge: rejoin under a new incarnation. */
        STORAGE,
        /** A change of voters is under way or failed: try again. */
        CHANGE_FAILED
    }
}
