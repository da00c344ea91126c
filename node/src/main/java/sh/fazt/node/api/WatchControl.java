package sh.fazt.node.api;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;

/**
 * The port through which the control plane watches the swarm; {@code Node} implements it over {@code
 * sh.fazt.swarm}. Thread-safe.
 */
public interface WatchControl {
    /**
     * Compares every member's rows with this node's, and those with what this node wrote.
     *
     * @param app    an app's name or id, or null for everything
     * @param repair whether to put right what differs
     */
    CompletionStage<Outcome<List<Verified>>> verify(@Nullable String app, boolean repair);

    /** What happened after the event of that number, oldest first. */
    List<Event> events(long since);

    /** Told each event, on any thread; must hand over and return. What is answered ends it. */
    Runnable listen(Consumer<Event> listener);

    /**
     * One scope as one member has it. Immutable.
     *
     * @param app      the name of the app whose scope it is; empty where it is none's
     * @param state    {@code equal, behind, different} or {@code unreachable}
     * @param more     whether more rows differ than are named
     * @param damaged  what is wrong with the rows stored on this node; empty when nothing is
     * @param repaired whether what was wrong has been put right
     * @param why      more, for people; may be empty
     */
    record Verified(
            Named member,
            String scope,
            String app,
            String state,
            List<Row> rows,
            boolean more,
            String damaged,
            boolean repaired,
            String why) {
        public Verified {
            rows = List.copyOf(rows);
        }

        /** Whether it is not as it should be, still. */
        public boolean wrong() {
            return (state.equals("different") || !damaged.isEmpty()) && !repaired;
        }

        /** Whether it can't be said how the two stand. */
        public boolean incomplete() {
            return state.equals("behind") || state.equals("unreachable");
        }
    }

    /** A row that differs, by its key columns. */
    record Row(String table, List<Object> key, String what) {}

    /** Something that happened. @param node null for this node or the swarm */
    record Event(
            long number, Instant at, String kind, @Nullable Named node, String what, String why) {}
}
