package sh.fazt.link;

/** How a candidate address of a node became known. The numbers are on the wire: never reuse one. */
public enum AddressSource {
    /** The owner has named it: in the swarm's config or as this node's advertised address. */
    CONFIGURED(1),
    /** Of an interface of the node, or found on the local network. */
    LAN(2),
    /** A router forwards it to the node. */
    MAPPED(3),
    /** Where others saw the node's connections come from, with the node's own port. */
    OBSERVED(4),
    /** What the peer itself said when a link came up, or in its signed book. */
    TOLD(5);

    private final int number;

    AddressSource(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static AddressSource of(int number) {
        for (AddressSource source : values()) {
            if (source.number == number) {
                return source;
            }
        }
        return TOLD;
    }
}
