package sh.fazt.swarm;

import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkState;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.membership.MembershipService;

/**
 * How lively this node takes part in membership, by what its links are. One that pays for what it sends is away: it
 * asks nobody whether it is there, is asked by nobody, and is never declared dead. One with nobody near is more patient.
 * Confined to its caller's thread.
 */
final class Presence {
    private final GrpcLinks links;
    private final MembershipService membership;
    private boolean away;
    private boolean far;

    Presence(GrpcLinks links, MembershipService membership) {
        this.links = links;
        this.membership = membership;
    }

    /** Links may have come, gone or changed. */
    void look() {
        boolean pays = links.settings().metered();
        if (pays != away) {
            away = pays;
            membership.sleep(pays);
        }
        boolean linked = false;
        boolean near = false;
        for (LinkState state : links.states()) {
            linked |= state.up();
            near |= state.up() && state.linkClass() == LinkClass.LAN;
        }
        // Without any link there is nothing to tell it by: it stays as it was.
        boolean isFar = linked ? !near : far;
        if (isFar != far) {
            far = isFar;
            membership.pace(isFar ? MembershipConfig.wan() : MembershipConfig.lan());
        }
    }
}
