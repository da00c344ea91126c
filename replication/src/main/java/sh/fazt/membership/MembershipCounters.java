package sh.fazt.membership;

/**
 * What membership has counted since start. Immutable.
 *
 * @param garbage     messages that could not be read, or were of an unknown kind
 * @param strangers   messages of nodes that are not admitted
 * @param suspicions  how often this node itself found a member unreachable
 * @param deaths      how often this node itself declared a member dead
 * @param refutations how often this node had to say that it lives
 * @param late        how often this node's own thread ran late
 * @param localHealth 0 when this node trusts itself; its timeouts are this plus one times as long
 */
public record MembershipCounters(
        long sent,
        long received,
        long garbage,
        long strangers,
        long suspicions,
        long deaths,
        long refutations,
        long late,
        int localHealth) {}
