package sh.fazt.node.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.error.Refusal;

/**
 * The port through which the control plane sees and steers the swarm; {@code Node} implements it over
 * {@code sh.fazt.swarm}. Thread-safe. What answers at once reads a snapshot; what has to agree with others
 * answers by a stage, which never fails for a reason that {@link Refusal} names.
 */
public interface SwarmControl {
    /** How long a join token is good for when nobody says otherwise. */
    Duration TOKEN_LASTS = Duration.ofMinutes(15);

    /** How the swarm looks from here. */
    Status status();

    /** Names the swarm that this node is by itself. */
    CompletionStage<Outcome<Status>> init(Optional<String> name);

    /** Makes a join token, good for one node. */
    CompletionStage<Outcome<Token>> token(Duration timeToLive);

    /**
     * Joins the swarm that issued the token, given as text or words; completes when this node is a member and has
     * caught up.
     *
     * @param observer without a vote; else as the swarm chooses
     */
    CompletionStage<Outcome<Status>> join(String token, boolean observer);

    /** Lets a member, by name or id, vote; completes when it does. */
    CompletionStage<Outcome<Status>> promote(String node);

    /** Lets a member, by name or id, observe; completes when it votes no more. */
    CompletionStage<Outcome<Status>> demote(String node);

    /**
     * Leaves; this node is a swarm of one again. When forced also without the others, and though they lack some of what
     * is here.
     */
    CompletionStage<Outcome<Status>> leave(boolean force);

    /**
     * Shuts a member, by name or id, out for good; when forced also if by what is agreed it alone keeps some app, which is
     * lost then. The status warns of what only that member is known to have had.
     */
    CompletionStage<Outcome<Status>> evict(String node, boolean force);

    /**
     * Gives this node a new key; completes, with what it was and is called, when it is agreed. Then the node starts
     * again, under the new one.
     */
    CompletionStage<Outcome<NewKey>> rotateKey();

    /** What a member said of this node's own eviction; empty while it is none. */
    String evicted();

    /** What this node leaves with its peers until somebody asks for it. */
    HeldBack heldBack();

    /**
     * Blobs that are not here on purpose.
     *
     * @param bytes as far as their sizes are known
     */
    record HeldBack(long blobs, long bytes) {}

    /** Rows that have come here and wait, by what they wait for, the most first. Blocking. */
    List<Parked> parked();

    /** Rows that wait for the same. */
    record Parked(String reason, long rows) {}

    /** After the majority is lost for good: makes this node the only voter. */
    CompletionStage<Outcome<Status>> recover();

    /** This node's clock beside its peers'. */
    Time time();

    /** Who announces itself on the local network, and what the router maps. */
    CompletionStage<Outcome<Around>> discover();

    /** Cuts this node's links, or lets them come up again: for rehearsing a split. */
    CompletionStage<Outcome<Boolean>> online(boolean online);

    /** The agreed names, by name; one with an empty app leads nowhere. */
    List<Alias> aliases();

    /** Lets a name lead to an app, by its id. */
    CompletionStage<Outcome<Alias>> setAlias(String name, String app);

    /** Lets a name lead nowhere. */
    CompletionStage<Outcome<Alias>> removeAlias(String name);

    /** Told, on any thread, that members, links, the leader or names changed; must hand over and return. */
    void listen(Runnable listener);

    /** A node that has a new key. */
    record NewKey(Named before, Named after) {}

    /** A swarm, a node: its id and what people call it. */
    record Named(String id, String name) {}

    /**
     * How the swarm looks from one node. Immutable.
     *
     * @param leader null while none is known
     * @param quorum whether members and names can be changed from here
     * @param configVersion of what is agreed, as known here
     * @param schemaLevel that the swarm has agreed on; 0 while nothing is agreed
     * @param warning that this node was fenced, restored or is too old, or what the number of voters is not good for; or empty.
     *     In the answer to an eviction first what it has cost
     */
    record Status(
            Named swarm,
            Named self,
            @Nullable Named leader,
            boolean quorum,
            List<Member> members,
            long configVersion,
            int schemaLevel,
            String warning) {
        public Status {
            members = List.copyOf(members);
        }

        /** The same with one warning more, before that which it has. */
        public Status warnedOf(String text) {
            return new Status(
                    swarm,
                    self,
                    leader,
                    quorum,
                    members,
                    configVersion,
                    schemaLevel,
                    warning.isEmpty() ? text : text + ". " + warning);
        }
    }

    /**
     * One member. Immutable.
     *
     * @param role      {@code voter, leader} or {@code observer}; {@code joining} until a voter votes
     * @param state     {@code alive, suspect, dead, left} or {@code away}
     * @param address   {@code host:port}, or empty when it can't be dialled
     * @param roundTrip null before the first measurement, and for this node itself
     * @param sinceHeard how long ago something came from it; null for this node itself and when nothing ever did
     * @param behind    how far that member lags behind this node, null when unknown
     * @param problem   why it can't be linked before somebody sees to it; empty when there is nothing of the kind
     * @param schemaLevel of the release that it runs
     * @param figures   null for this node itself
     */
    record Member(
            Named node,
            String role,
            String state,
            String address,
            @Nullable Duration roundTrip,
            @Nullable Duration sinceHeard,
            @Nullable Lag behind,
            String problem,
            int schemaLevel,
            @Nullable Figures figures) {}

    /**
     * A member in more figures, as the metrics have them; null for this node itself.
     *
     * @param linkClass   empty while it is not linked
     * @param rows        rows that it lacks
     * @param bytes       about their bytes
     * @param oldest      the age of the oldest transaction that it lacks
     * @param ahead       transactions of it that are lacking here; -1 while it has told nothing
     * @param offences    how often it did what no honest member does
     * @param floods      how often it sent faster than this node took it
     */
    record Figures(
            String linkClass,
            long clockOffsetMillis,
            long rows,
            long bytes,
            Duration oldest,
            long ahead,
            long pushed,
            long received,
            long pulls,
            long failedPulls,
            long offences,
            long floods) {}

    /** What a member has not yet got of what this node has. */
    record Lag(long changes, long bytes) {}

    /**
     * A join token and when it ceases to be good.
     *
     * @param words the same as words with a space between them
     */
    record Token(String text, String words, Instant expiresAt) {}

    /**
     * This node's clock. Immutable.
     *
     * @param now          by the machine's clock
     * @param corrected    what writes are stamped with
     * @param offsetMillis what would have to be added to the machine's clock
     * @param correcting   whether that is so much that it is added
     */
    record Time(Instant now, Instant corrected, long offsetMillis, boolean correcting, List<PeerClock> peers) {
        public Time {
            peers = List.copyOf(peers);
        }
    }

    /**
     * A peer's clock as measured.
     *
     * @param offsetMillis its clock minus ours
     */
    record PeerClock(Named node, long offsetMillis, Duration roundTrip) {}

    /** What lies around this node. Immutable. */
    record Around(List<Neighbour> nodes, PortMapping mapping) {
        public Around {
            nodes = List.copyOf(nodes);
        }
    }

    /**
     * A node that announces itself; nothing of it is proven.
     *
     * @param swarm a digest of its swarm's id: equal for nodes of one swarm
     */
    record Neighbour(Named node, String swarm, String address, boolean member) {}

    /**
     * What the router maps.
     *
     * @param protocol that it understood; empty when none
     * @param address  {@code host:port} outside that leads here; empty when there is none
     * @param why      there is none
     */
    record PortMapping(String protocol, String address, String why) {}

    /** A name and the id of the app that it leads to, empty for none. */
    record Alias(String name, String app) {}

    /** What came of a request. */
    sealed interface Outcome<T> {
        /** It is done and agreed. */
        record Done<T>(T value) implements Outcome<T> {}

        /**
         * It was refused and nothing changed.
         *
         * @param message what was tried, why it can't be, who is missing, what to do now
         */
        record Refused<T>(Refusal reason, String message) implements Outcome<T> {}
    }
}
