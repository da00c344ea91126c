package sh.fazt.node.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Conflict;
import sh.fazt.node.error.Refusal;

/**
 * The port through which the control plane sees and steers the swarm; {@code Node} implements it over
 * {@code sh.fazt.swarm}. Thread-safe. What answers at once reads a snapshot; what has to agree with others
 * answers by a stage, which never fails for a reason that {@link Refusal} names.
 */
public interface SwarmControl {
    /** How the swarm looks from here. */
    Status status();

    /** Names the swarm that this node is by itself. */
    CompletionStage<Outcome<Status>> init(Optional<String> name);

    /** Makes a join token, good for one node. */
    CompletionStage<Outcome<Token>> token(Duration timeToLive);

    /** Joins the swarm that issued the token; completes when this node is a member and has caught up. */
    CompletionStage<Outcome<Status>> join(String token);

    /** Leaves; this node is a swarm of one again. */
    CompletionStage<Outcome<Status>> leave();

    /** After the majority is lost for good: makes this node the only voter. */
    CompletionStage<Outcome<Status>> recover();

    /** Cuts this node's links, or lets them come up again: for rehearsing a split. */
    CompletionStage<Outcome<Boolean>> online(boolean online);

    /** What lost when two nodes wrote the same, newest first, at most so many. */
    List<Conflict> conflicts(int most);

    /** The agreed names, by name; one with an empty app leads nowhere. */
    List<Alias> aliases();

    /** Lets a name lead to an app, by its id. */
    CompletionStage<Outcome<Alias>> setAlias(String name, String app);

    /** Lets a name lead nowhere. */
    CompletionStage<Outcome<Alias>> removeAlias(String name);

    /** Told, on any thread, that members, links, the leader or names changed; must hand over and return. */
    void listen(Runnable listener);

    /** A swarm, a node: its id and what people call it. */
    record Named(String id, String name) {}

    /**
     * How the swarm looks from one node. Immutable.
     *
     * @param leader null while none is known
     * @param quorum whether members and names can be changed from here
     */
    record Status(Named swarm, Named self, @Nullable Named leader, boolean quorum, List<Member> members) {
        public Status {
            members = List.copyOf(members);
        }
    }

    /**
     * One member. Immutable.
     *
     * @param role      {@code voter}, {@code listener} or {@code leader}
     * @param state     {@code alive, suspect, dead, left} or {@code away}
     * @param address   {@code host:port}, or empty when it can't be dialled
     * @param roundTrip null before the first measurement, and for this node itself
     * @param behind    how far that member lags behind this node, null when unknown
     */
    record Member(
            Named node,
            String role,
            String state,
            String address,
            @Nullable Duration roundTrip,
            @Nullable Lag behind) {}

    /** What a member has not yet got of what this node has. */
    record Lag(long changes, long bytes) {}

    /** A join token and when it ceases to be good. */
    record Token(String text, Instant expiresAt) {}

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
