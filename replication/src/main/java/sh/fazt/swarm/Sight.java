package sh.fazt.swarm;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkState;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.SyncService;

/** What group, membership, sync and links say at one moment, put together. Immutable. */
record Sight(
        RaftStatus status,
        MembersSnapshot snapshot,
        Instant now,
        Map<NodeId, SyncService.Progress> progress,
        List<LinkState> links,
        long configVersion,
        int schemaLevel,
        String fenced) {

    SwarmView view(SwarmView.Named swarm, SwarmView.Named here, Map<NodeId, MemberRecord> members) {
        NodeId leader = status.leader();
        Map<NodeId, LinkState> state = new HashMap<>();
        links.forEach(link -> state.put(link.peer(), link));
        List<SwarmView.Member> list = new ArrayList<>();
        members.forEach(
                (id, member) -> list.add(member(id, member, id.toString().equals(here.id()), state.get(id))));
        MemberRecord leading = leader == null ? null : members.get(leader);
        return new SwarmView(
                swarm,
                here,
                leader == null
                        ? null
                        : new SwarmView.Named(leader.toString(), leading == null ? "" : leading.getName()),
                status.quorum(),
                list,
                configVersion,
                schemaLevel,
                fenced);
    }

    private @Nullable Duration sinceHeard(NodeId id) {
        Instant heard = snapshot.other(id).map(MembersSnapshot.Seen::lastHeard).orElse(null);
        if (heard == null) {
            return null;
        }
        // The snapshot may be older than this look, and a clock that is set back older than the snapshot.
        Duration since = Duration.between(heard, now);
        return since.isNegative() ? Duration.ZERO : since;
    }

    private SwarmView.Member member(NodeId id, MemberRecord member, boolean self, @Nullable LinkState link) {
        SyncService.Progress behind = progress.get(id);
        String other = self || link == null ? null : link.otherProtocol();
        return new SwarmView.Member(
                new SwarmView.Named(id.toString(), member.getName()),
                member.getObserver()
                        ? "observer"
                        : Objects.equals(id, status.leader())
                                ? "leader"
                                : status.voters().contains(id) ? "voter" : "joining",
                self
                        ? "alive"
                        : snapshot.state(id)
                                .map(known -> known.name().toLowerCase(Locale.ROOT))
                                .orElse("suspect"),
                member.getAddressesCount() == 0 ? "" : member.getAddresses(0),
                self || link == null || !link.up() ? null : link.roundTrip(),
                sinceHeard(id),
                self ? Long.valueOf(0) : behind == null ? null : Long.valueOf(behind.behind()),
                self || behind == null ? 0 : behind.behindBytes(),
                other == null ? "" : other,
                Levels.of(member));
    }
}
