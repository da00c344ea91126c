package sh.fazt.swarm;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import sh.fazt.discovery.Discovered;
import sh.fazt.identity.NodeId;
import sh.fazt.link.AddressSource;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.HostPort;
import sh.fazt.link.LinkState;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MembershipService;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.sync.SyncService;

/**
 * What follows from what is agreed: whom the links trust, who is probed, what is kept where, who is told. Thread-safe:
 * one at a time.
 */
final class Consequences {
    private final NodeId self;
    private final Members members;
    private final Records records;
    private final PendingJoin joining;
    private final Evictions evictions;
    private final LinkLedger ledger;
    private final Levels levels;
    private final Placements placements;
    private final Surroundings surroundings;
    private final MembershipService membership;
    private final SyncService sync;
    private final GrpcLinks links;
    private final AgreedWatch agreed;
    private final BooleanSupplier closed;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile String swarmId = "";
    private volatile boolean online = true;

    Consequences(
            NodeId self,
            Members members,
            Records records,
            PendingJoin joining,
            Evictions evictions,
            LinkLedger ledger,
            Levels levels,
            Placements placements,
            Surroundings surroundings,
            MembershipService membership,
            SyncService sync,
            GrpcLinks links,
            AgreedWatch agreed,
            BooleanSupplier closed) {
        this.self = self;
        this.members = members;
        this.records = records;
        this.joining = joining;
        this.evictions = evictions;
        this.ledger = ledger;
        this.levels = levels;
        this.placements = placements;
        this.surroundings = surroundings;
        this.membership = membership;
        this.sync = sync;
        this.links = links;
        this.agreed = agreed;
        this.closed = closed;
    }

    /** The swarm that this node is in, or enters; empty while it is in none. */
    String swarmId() {
        return swarmId;
    }

    /** Lets everything follow. Blocking. */
    synchronized void follow() {
        if (closed.getAsBoolean()) {
            return;
        }
        evictions.follow(joining.pending());
        evictions.successors().forEach(ledger::follow);
        Map<NodeId, MemberRecord> all = members.all();
        nameSwarm(all);
        Map<NodeId, List<String>> trusted = new HashMap<>();
        Map<NodeId, MemberMetadata> admitted = new LinkedHashMap<>();
        all.forEach((id, member) -> {
            admitted.put(id, MemberMetadata.named(member.getName()));
            if (!id.equals(self) && online) {
                trusted.put(id, List.copyOf(member.getAddressesList()));
            }
        });
        for (LinkState state : links.states()) {
            if (!all.containsKey(state.peer())) {
                sync.forget(state.peer());
            }
        }
        levels.follow(links);
        links.evicted(evictions.told(members.swarmName()));
        links.trust(trusted);
        // What the surroundings say comes after: only members have addresses.
        for (Discovered near : surroundings.heard()) {
            if (trusted.containsKey(near.node())) {
                links.candidates(near.node(), AddressSource.LAN, hostPorts(near.addresses()));
            }
        }
        links.candidates(self, AddressSource.MAPPED, hostPorts(surroundings.mapped()));
        membership.admitted(admitted);
        if (all.size() <= 1 && !joining.pending()) {
            sync.alone();
        }
        placements.follow();
        agreed.look();
        changed();
    }

    private void nameSwarm(Map<NodeId, MemberRecord> all) {
        SwarmRecord record = records.swarm();
        String before = swarmId;
        if (joining.pending()) {
            swarmId = joining.swarm().getId();
        } else if (record != null && !all.isEmpty()) {
            swarmId = record.getId();
        }
        if (!swarmId.equals(before)) {
            surroundings.refresh();
        }
    }

    private static List<HostPort> hostPorts(List<String> addresses) {
        return addresses.stream().map(HostPort::parse).toList();
    }

    /** Cuts this node's links, which are down when this returns, or lets them come up again. Blocking. */
    void online(boolean on) {
        online = on;
        follow();
        links.settle();
        if (on) {
            links.redial();
        }
    }

    /** Tells listeners that members, links, the leader or names changed. */
    void changed() {
        listeners.forEach(Runnable::run);
    }

    /** Told, on any thread, that something changed; must hand over and return. */
    void listen(Runnable listener) {
        listeners.add(listener);
    }
}
