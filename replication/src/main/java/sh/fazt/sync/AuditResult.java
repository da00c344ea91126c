package sh.fazt.sync;

import java.util.List;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/**
 * What came of comparing one scope with one member. Immutable.
 *
 * @param state    how the two stand
 * @param rows     the rows that differ, as far as they were looked at
 * @param more     whether there are more than those
 * @param damaged  what is wrong with the rows stored here, whatever the member holds; empty when nothing is
 * @param repaired whether what was wrong here has been put right
 * @param why      why nothing could be said; empty else
 */
public record AuditResult(
        NodeId peer,
        Scope scope,
        State state,
        List<Difference> rows,
        boolean more,
        String damaged,
        boolean repaired,
        String why) {
    public AuditResult {
        rows = List.copyOf(rows);
    }

    /** How two replicas of a scope stand to each other. */
    public enum State {
        /** One vector, the same rows. */
        EQUAL,
        /** One has seen what the other has not: nothing can be said of the rows. */
        BEHIND,
        /** One vector, other rows: a bug, a damaged file, or a foreign hand. */
        DIFFERENT,
        /** No link, or no answer. */
        UNREACHABLE
    }

    /**
     * One row that differs.
     *
     * @param key  its key columns
     * @param what what is wrong and where, in words
     */
    public record Difference(String table, List<Object> key, String what) {
        @Override
        public String toString() {
            return table + key + ": " + what;
        }
    }

    static AuditResult of(NodeId peer, Scope scope, State state, String why) {
        return new AuditResult(peer, scope, state, List.of(), false, "", false, why);
    }
}
