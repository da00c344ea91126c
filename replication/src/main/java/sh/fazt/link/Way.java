package sh.fazt.link;

import sh.fazt.identity.NodeId;

/** How a peer may be reached. Immutable. */
sealed interface Way {
    /** How good it is, before anything is measured: LAN, WAN or RELAYED. */
    LinkClass rank();

    /** For people: {@code host:port}, or {@code via} a node. */
    String text();

    /** Straight to that address. */
    record Direct(HostPort to, LinkClass rank) implements Way {
        @Override
        public String text() {
            return to.toString();
        }
    }

    /** Through a member that is linked to both. */
    record Via(NodeId relay) implements Way {
        @Override
        public LinkClass rank() {
            return LinkClass.RELAYED;
        }

        @Override
        public String text() {
            return "via " + relay.shortText();
        }
    }
}
