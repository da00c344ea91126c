package sh.fazt.link;

/** Why a node was not let in. The numbers are on the wire: never reuse one. */
public enum JoinRefusal {
    /** The token's time is over: ask for a new one. */
    EXPIRED(1),
    /** A node has joined with this token already: ask for a new one. */
    USED(2),
    /** The issuer's swarm has no such token: withdrawn, or of another swarm that the issuer was in. */
    UNKNOWN_TOKEN(3),
    /** The token's secret is not the one that the swarm knows. */
    BAD_PROOF(5),
    /** Too few members are reachable to decide: try again when they are. The token is still good. */
    NO_QUORUM(6),
    /** The issuer is starting, stopping or has too many applicants: try again. */
    BUSY(8),
    /** The issuer could not read the application, or a reason that this fazt does not know. */
    NOT_UNDERSTOOD(9),
    /** Decided here: none of the token's addresses answered. */
    UNREACHABLE(10),
    /** Decided here: who answers has another key than the token says. */
    WRONG_KEY(11),
    /** The applicant's key was evicted from the swarm and is never let in again: it needs a new one. */
    EVICTED(12),
    /**
     * Either node's fazt is older than what the swarm has agreed on, or than any that the other can talk to: update it.
     * The token is still good.
     */
    TOO_OLD(13),
    /** Decided here: the issuer answers at none of the token's addresses, and what does is no node. */
    STRANGER(14);

    private final int number;

    JoinRefusal(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    static JoinRefusal of(int number) {
        for (JoinRefusal refusal : values()) {
            if (refusal.number == number) {
                return refusal;
            }
        }
        return NOT_UNDERSTOOD;
    }
}
