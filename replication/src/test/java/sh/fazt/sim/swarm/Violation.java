package sh.fazt.sim.swarm;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A promise was broken, and which checker found it. */
final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    /** What is checked; see the classes that do it. */
    enum Checker {
        /** No sequence is used twice. */
        SEQUENCE,
        /** At any moment each cell is what an independent model makes of the node's vector. */
        ORACLE,
        /** The conflict records are the ones that the model wants. */
        CONFLICTS,
        /** Every acknowledged insert is on every node in the end, and what was deleted stays away. */
        SET_FULL,
        /** What a client did and saw is never unseen, and no effect comes before its cause. */
        SESSION,
        /** Rows of one transaction are never seen apart. */
        ATOMICITY,
        /** Nothing acknowledged vanishes, and memory says what the disk says. */
        COMPLETENESS,
        /** No increment is lost. */
        COUNTERS,
        /** Queues, spools and what is kept stay bounded. */
        BOUNDS,
        /** Nobody sound is held for dead, and all views agree after the faults. */
        MEMBERSHIP,
        /** Nodes hold the same agreed records, and answers about them are linearizable. */
        CONFIG,
        /** Of an evicted node all is kept up to its fence and nothing beyond, and nobody who heard of it listens to it. */
        FENCING,
        /** Replicas agree within minutes of the last fault. */
        CONVERGENCE
    }

    /** The checkers that look; the tests of the checkers leave one alone at a time. */
    private static final ThreadLocal<Set<Checker>> LOOKING =
            ThreadLocal.withInitial(() -> EnumSet.allOf(Checker.class));

    final Checker checker;

    Violation(Checker checker, String message) {
        super(checker + ": " + message);
        this.checker = checker;
    }

    /** Runs while only this checker looks, on this thread. */
    static void only(Checker checker, Runnable task) {
        LOOKING.set(EnumSet.of(checker));
        try {
            task.run();
        } finally {
            LOOKING.remove();
        }
    }

    static void require(boolean holds, Checker checker, String message, @Nullable Object... arguments) {
        if (!holds && LOOKING.get().contains(checker)) {
            throw new Violation(checker, String.format(message, arguments));
        }
    }
}
