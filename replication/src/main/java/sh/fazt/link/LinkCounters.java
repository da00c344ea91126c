package sh.fazt.link;

/**
 * What the links of this node have counted since their start. Immutable.
 *
 * @param accepted      TCP connections that came in
 * @param authenticated of those, how many spoke TLS 1.3 and HTTP/2 to the end of the handshake
 * @param turnedAway    connections closed at once because too many were open
 * @param refused       streams and joins that were refused: no member, other swarm, other protocol
 * @param unknownFrames frames of a kind or channel that this fazt does not know
 * @param badFrames     frames that were damaged, oversized or out of place; each ends its lane's link
 * @param dropped       messages that found no room at their receiver
 * @param linksUp       links that came up
 * @param linksDown     links that went down
 * @param relayed       streams of other pairs that this node passed on
 * @param moved         links that went over to a better way without a gap
 * @param forgedBooks   address books that were refused
 */
public record LinkCounters(
        long accepted,
        long authenticated,
        long turnedAway,
        long refused,
        long unknownFrames,
        long badFrames,
        long dropped,
        long linksUp,
        long linksDown,
        long relayed,
        long moved,
        long forgedBooks) {}
