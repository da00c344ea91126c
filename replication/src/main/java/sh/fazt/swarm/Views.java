package sh.fazt.swarm;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.discovery.Discovered;
import sh.fazt.identity.NodeId;
import sh.fazt.link.ClockOffsets;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MembershipService;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.SyncService;

/**
 * How the swarm looks from here, put together from its parts.
 *
 * @param self    this node, by id and by the name that it was started with
 * @param swarmId the swarm that this node is in
 */
record Views(
        SwarmView.Named self,
        Supplier<String> swarmId,
        Members members,
        SwarmRaft raft,
        Roles roles,
        Restored restored,
        Rotation rotation,
        Levels levels,
        MembershipService membership,
        SyncService sync,
        Links links,
        SqliteCartridge cartridge,
        InstantSource clock,
        Surroundings surroundings) {

    /** Never waits. */
    SwarmView swarm() {
        Map<NodeId, MemberRecord> all = members.all();
        MemberRecord me = all.get(NodeId.parse(self.id()));
        return new Sight(
                        raft.status(),
                        membership.snapshot(),
                        clock.instant(),
                        sync.progress(),
                        links.states(),
                        raft.configVersion(),
                        levels.agreed(),
                        warning())
                .view(
                        new SwarmView.Named(swarmId.get(), members.swarmName()),
                        me == null ? self : new SwarmView.Named(self.id(), me.getName()),
                        all);
    }

    private String warning() {
        return Stream.of(levels.tooOld(), rotation.text(), roles.fenced(), restored.text())
                .filter(text -> !text.isEmpty())
                .findFirst()
                .orElse("");
    }

    /** Every member's link as it stands, with the member's name. Never waits. */
    Map<SwarmView.Named, LinkState> linkStates() {
        Map<NodeId, MemberRecord> all = members.all();
        Map<SwarmView.Named, LinkState> states = new LinkedHashMap<>();
        for (LinkState state : links.states()) {
            states.put(Members.named(state.peer(), all), state);
        }
        return states;
    }

    /** This node's clock beside its peers'; never waits. */
    TimeView time() {
        Map<NodeId, MemberRecord> all = members.all();
        List<LinkState> states = links.states();
        List<TimeView.Peer> peers = new ArrayList<>();
        for (LinkState state : states) {
            Duration roundTrip = state.roundTrip();
            if (state.up() && roundTrip != null) {
                peers.add(new TimeView.Peer(Members.named(state.peer(), all), state.clockOffsetMillis(), roundTrip));
            }
        }
        return new TimeView(
                clock.instant(),
                cartridge.clock().now(),
                ClockOffsets.offsetMillis(states),
                ClockOffsets.correctionMillis(states) != 0,
                peers);
    }

    /** What lies around this node; the first time it waits for answers, a second or two. Blocking. */
    SurroundingsView neighbours() {
        Map<NodeId, MemberRecord> all = members.all();
        List<SurroundingsView.Node> nodes = new ArrayList<>();
        for (Discovered near : surroundings.discover()) {
            MemberRecord member = all.get(near.node());
            nodes.add(new SurroundingsView.Node(
                    new SwarmView.Named(near.node().toString(), member == null ? near.name() : member.getName()),
                    near.swarm(),
                    near.addresses().get(0),
                    member != null));
        }
        return new SurroundingsView(nodes, surroundings.mapping());
    }
}
