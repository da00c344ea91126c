package sh.fazt.node.error;

/** Why the swarm refused a request, and thereby what the caller can do. */
public enum Refusal {
    /** Too few voters are reachable; the message names who is missing. Later. */
    NO_QUORUM,
    /** The other side does not answer. Later. */
    UNREACHABLE,
    /** It was not agreed in time; it may still happen. Look, then retry. */
    TIMEOUT,
    /** The token is not one, was used, has expired, or is for another swarm. Ask for a new one. */
    BAD_TOKEN,
    /** This node is in a swarm of more than one: leave it first. */
    IN_SWARM,
    /** This node is alone: there is nothing to leave or to recover. */
    ALONE,
    /** There is no such app, name or member. */
    NOT_FOUND,
    /** What was sent breaks a rule; the message names it. */
    INVALID,
    /** Somebody else changed it at the same time. Look, then retry. */
    CONFLICT
}
