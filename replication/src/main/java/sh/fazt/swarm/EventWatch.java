package sh.fazt.swarm;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Fault;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MemberState;
import sh.fazt.membership.MembersSnapshot;

/**
 * Makes events of what changes in the swarm: of members, the leader, the clock and the disk by looking a few times a
 * second, of links and conflicts as they happen. {@link #look} is confined to its caller's thread.
 */
final class EventWatch implements Links.Listener, CommitListener {
    private static final String CONFLICTS = "fazt_conflict";

    private final SwarmEvents events;
    private final Map<NodeId, MemberState> members = new HashMap<>();
    private final Map<NodeId, Optional<NodeId>> relays = new HashMap<>();
    private final Map<NodeId, String> protocols = new HashMap<>();
    private @Nullable NodeId leader;
    private boolean correcting;
    private boolean refused;

    EventWatch(SwarmEvents events) {
        this.events = events;
    }

    /** Compares with what was seen last. */
    void look(
            MembersSnapshot snapshot,
            RaftStatus raft,
            List<LinkState> links,
            long clockOffsetMillis,
            boolean corrects,
            @Nullable String notWritable) {
        Map<NodeId, MemberState> now = new HashMap<>();
        snapshot.others()
                .forEach(seen -> now.put(seen.member().id(), seen.member().state()));
        now.forEach(this::member);
        members.keySet().removeIf(id -> {
            boolean gone = !now.containsKey(id);
            if (gone) {
                events.add("member-left", id, "is no member any more", "it left, or was taken off the list");
            }
            return gone;
        });
        if (!Objects.equals(leader, raft.leader())) {
            leader = raft.leader();
            events.add(
                    "leader",
                    leader,
                    leader == null ? "no leader is known" : "leads the swarm",
                    leader == null ? "members and names can't be changed until one is elected" : "term " + raft.term());
        }
        links.forEach(this::way);
        protocols(links);
        if (corrects != correcting) {
            correcting = corrects;
            events.add(
                    "clock",
                    null,
                    corrects ? "this machine's clock is off" : "this machine's clock is right again",
                    "it differs from its peers' by " + clockOffsetMillis + " ms");
        }
        if (notWritable == null == refused) {
            refused = notWritable != null;
            events.add(
                    "disk",
                    null,
                    refused ? "this node's disk refuses writes" : "this node's disk takes writes again",
                    notWritable == null ? "none was refused for a minute" : notWritable);
        }
    }

    private void member(NodeId id, MemberState state) {
        MemberState before = members.put(id, state);
        if (before == null) {
            events.add("member-joined", id, "is a member", "");
        }
        if (state == before) {
            return;
        }
        switch (state) {
            case ALIVE -> events.add("member-up", id, "answers", "");
            case SUSPECT -> events.add("member-suspect", id, "has not answered yet", "it may still refute");
            case AWAY -> events.add("member-away", id, "is away", "it said so: it sleeps, or pays for what it sends");
            case DEAD -> events.add("member-down", id, "does not answer", "nobody got an answer in time");
            case LEFT -> events.add("member-down", id, "has stopped", "it said so");
        }
    }

    private void way(LinkState link) {
        if (!link.up()) {
            relays.remove(link.peer());
            return;
        }
        NodeId via = link.via();
        Optional<NodeId> before = relays.put(link.peer(), Optional.ofNullable(via));
        if (via != null && (before == null || !before.equals(Optional.of(via)))) {
            events.add("link-relayed", link.peer(), "is reached through another member", "by way of " + via);
        } else if (via == null && before != null && before.isPresent()) {
            events.add("link-direct", link.peer(), "is reached directly again", "");
        }
    }

    /** Once for each member and each change, not each time that one of the two dials. */
    private void protocols(List<LinkState> links) {
        Map<NodeId, String> now = new HashMap<>();
        for (LinkState link : links) {
            String other = link.otherProtocol();
            if (other != null) {
                now.put(link.peer(), other);
            }
        }
        now.forEach((id, why) -> {
            if (!why.equals(protocols.put(id, why))) {
                events.add("protocol", id, "can't be linked before it or this node is updated", why);
            }
        });
        protocols.keySet().retainAll(now.keySet());
    }

    @Override
    public void up(NodeId peer) {
        events.add("link-up", peer, "is linked", "");
    }

    @Override
    public void down(NodeId peer, String reason) {
        events.add("link-down", peer, "is not linked any more", reason);
    }

    @Override
    public void misbehaves(NodeId peer, Fault kind, long times, String what) {
        String sofar = " (" + times + (times == 1 ? " time" : " times") + " so far)";
        events.add(kind == Fault.FLOOD ? "flood" : "offence", peer, kind.text() + sofar, what);
    }

    @Override
    public void committed(Commit commit) {
        // A record that came from elsewhere was told there.
        if (commit.local() && commit.scope() != null) {
            long records = commit.changed().stream()
                    .filter(change -> change.table().equals(CONFLICTS))
                    .count();
            if (records > 0) {
                events.add(
                        "conflict",
                        null,
                        records + (records == 1 ? " row" : " rows") + " of scope " + commit.scope() + " lost to others",
                        "two nodes wrote the same without knowing of each other; see \"fazt swarm conflicts\"");
            }
        }
    }
}
