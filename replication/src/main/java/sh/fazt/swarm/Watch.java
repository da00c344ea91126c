package sh.fazt.swarm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.AuditResult;

/** What an owner watches of the swarm: whether replicas are equal, and what happens. Thread-safe. */
public final class Watch {
    private final SwarmEvents events;
    private final Verification verification;
    private final PeerFigures.Source figures;
    private final NodeId self;
    private final Supplier<Map<NodeId, MemberRecord>> members;

    /**
     * What a member's replica of a scope came to.
     *
     * @param member the member, be it this node
     */
    public record Verified(SwarmView.Named member, boolean self, AuditResult result) {}

    Watch(
            SwarmEvents events,
            Verification verification,
            PeerFigures.Source figures,
            NodeId self,
            Supplier<Map<NodeId, MemberRecord>> members) {
        this.events = events;
        this.verification = verification;
        this.figures = figures;
        this.self = self;
        this.members = members;
    }

    public SwarmEvents events() {
        return events;
    }

    /** Every known peer in figures. Never waits. */
    public Map<NodeId, PeerFigures> peers() {
        return figures.peers();
    }

    /** This node in figures. Blocking. */
    public PeerFigures.Totals totals() {
        return figures.totals();
    }

    /** How many rows wait here, by what they wait for, the most first. Blocking. */
    public Map<String, Long> parked() {
        return figures.parked();
    }

    /** What people call a member; empty when it has no name or is none. */
    public SwarmView.Named named(NodeId id) {
        MemberRecord member = members.get().get(id);
        return new SwarmView.Named(id.toString(), member == null ? "" : member.getName());
    }

    /**
     * Compares every member's rows with what is here, and this node's with what it wrote. Blocking, for as long as
     * reading everything takes.
     *
     * @param scope  null for all
     * @param repair whether to put right what differs
     */
    public List<Verified> verify(@Nullable Scope scope, boolean repair) {
        List<Verified> verified = new ArrayList<>();
        for (AuditResult result : verification.run(members.get().keySet(), scope, repair)) {
            verified.add(new Verified(named(result.peer()), result.peer().equals(self), result));
        }
        return verified;
    }
}
