package sh.fazt.link;

import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.JoinRequest;

/** The versions of the peer protocol that a node speaks. Immutable. */
record Protocols(int oldest, int newest) {
    /** What this fazt speaks. */
    static final Protocols SPOKEN = new Protocols(Wire.OLDEST_PROTOCOL, Wire.NEWEST_PROTOCOL);

    static Protocols of(Hello hello) {
        return new Protocols(hello.getOldestProtocol(), hello.getNewestProtocol());
    }

    static Protocols of(JoinRequest request) {
        return new Protocols(Math.max(1, request.getOldestProtocol()), Math.max(1, request.getNewestProtocol()));
    }

    /** Whether two nodes have one in common. */
    boolean meet(Protocols other) {
        return oldest <= other.newest && newest >= other.oldest;
    }

    boolean isBehind(Protocols other) {
        return newest < other.oldest;
    }

    @Override
    public String toString() {
        return oldest + " to " + newest;
    }
}
