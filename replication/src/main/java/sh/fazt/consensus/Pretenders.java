package sh.fazt.consensus;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * Whether a member that speaks as the leader can be it. Ratis follows whoever has the latest term, in the group or not (only
 * of candidates it asks whether they are); so one observer could have voters drop what they agree on.
 *
 * <p>What this node has of the group may be old: who was an observer when it stopped, or when the log that it is being
 * told was written, may lead by now. So nobody is refused whom this node's group or records call a voter, or whom it
 * follows already. Of an observer the voters are asked: when one of them has it in its group it is the leader; when
 * those that have a leader do not, it pretends. Where none of them can be asked it has to wait for as long as no group
 * with a majority takes to elect its leader, many times over; then all whom this node knew must have been replaced.
 * Thread-safe; blocks.
 */
final class Pretenders {
    /** How long what the voters said holds. */
    private static final Duration AGAIN = Duration.ofSeconds(5);

    private static final Duration LEADERLESS = Duration.ofMinutes(1);

    private final RaftHost host;
    private final Supplier<@Nullable ConfigFeed> feed;
    private final Consumer<NodeId> pretends;
    private final Map<NodeId, Heard> heard = new ConcurrentHashMap<>();
    private final AtomicBoolean asking = new AtomicBoolean();
    /** Since when nobody leads whom this node believes; 0 while somebody does. */
    private volatile long leaderless;

    private enum Word {
        LEADS,
        PRETENDS,
        /** It voted before a survivor was made to decide alone, and may not know yet: no offence. */
        GIVEN_UP,
        UNKNOWN
    }

    private record Heard(Word word, long at) {}

    /**
     * @param feed     what this node knows of who votes; null before it is known
     * @param pretends told of a member for each time that it does
     */
    Pretenders(RaftHost host, Supplier<@Nullable ConfigFeed> feed, Consumer<NodeId> pretends) {
        this.host = host;
        this.feed = feed;
        this.pretends = pretends;
    }

    /**
     * Lets what a leader says pass.
     *
     * @param term of the leader; an earlier one than this node's Ratis refuses itself
     */
    void check(NodeId from, long term) throws IOException {
        RaftServer.Division division = host.division();
        ConfigFeed known = feed.get();
        if (division == null
                || known == null
                || term < division.getInfo().getCurrentTerm()
                || votes(division, from)
                || !known.facts().observers().contains(from)) {
            return;
        }
        switch (word(known, from)) {
            case LEADS -> {}
            case PRETENDS -> {
                pretends.accept(from);
                throw refused(from);
            }
            case GIVEN_UP -> throw refused(from);
            case UNKNOWN -> {
                if (!isLeaderless()) {
                    throw refused(from);
                }
            }
        }
    }

    private static IOException refused(NodeId from) {
        return new IOException(from.shortText() + " speaks as the leader, and has no vote as far as this node knows");
    }

    /** As far as this node's group goes; whom it follows it has found to be the leader before. */
    private static boolean votes(RaftServer.Division division, NodeId node) {
        RaftPeerId leader = division.getInfo().getLeaderId();
        if (leader != null && LinkTransport.PeerNames.node(leader).equals(node)) {
            return true;
        }
        for (RaftPeer peer : division.getGroup().getPeers()) {
            if (LinkTransport.PeerNames.node(peer.getId()).equals(node)) {
                return true;
            }
        }
        return false;
    }

    private Word word(ConfigFeed known, NodeId from) {
        Heard last = heard.get(from);
        if (last != null && System.nanoTime() - last.at() < AGAIN.toNanos()) {
            return last.word();
        }
        if (!asking.compareAndSet(false, true)) {
            return last == null ? Word.UNKNOWN : last.word();
        }
        try {
            Word word = ask(known, from);
            heard.put(from, new Heard(word, System.nanoTime()));
            return word;
        } finally {
            asking.set(false);
        }
    }

    private Word ask(ConfigFeed known, NodeId from) {
        RaftStatus status = host.status();
        if (known.facts().former().contains(from)) {
            return Word.GIVEN_UP;
        }
        if (status.leads() && status.voters().equals(List.of(host.self()))) {
            return Word.PRETENDS;
        }
        Word word = Word.UNKNOWN;
        for (ConfigFeed.Standing standing : known.standings()) {
            if (standing.epoch() >= known.facts().epoch()) {
                if (standing.voters().contains(from)) {
                    return Word.LEADS;
                }
                if (standing.quorum()) {
                    word = Word.PRETENDS;
                }
            }
        }
        return word;
    }

    private boolean isLeaderless() {
        long now = System.nanoTime();
        if (host.status().quorum()) {
            leaderless = 0;
        } else if (leaderless == 0) {
            leaderless = now;
        }
        return leaderless != 0 && now - leaderless > LEADERLESS.toNanos();
    }
}
