package sh.fazt.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What clients did with one register and were told of it, and whether that is linearizable: whether there is an order of
 * all this that respects real time and explains every answer. After Wing and Gong, "Testing and Verifying Concurrent
 * Objects", 1993, with what Lowe added to it in "Testing for Linearizability", 2017: what was done in another order and
 * came to the same is looked at once. Thread-safe: one client an operation, checked when all have ended.
 */
public final class RegisterHistory {
    private final List<Operation> operations = new ArrayList<>();

    /** One client's compare-and-set, or read. One that is never answered may have happened or not, or happen yet. */
    public static final class Operation {
        private final @Nullable String expected;
        /** Null of a read, and of a change that was refused, which is one. */
        private @Nullable String next;

        private final long invoked;
        private long answered = Long.MAX_VALUE;
        private @Nullable String seen;

        private Operation(@Nullable String expected, @Nullable String next, long invoked) {
            this.expected = expected;
            this.next = next;
            this.invoked = invoked;
        }

        /** It happened. */
        public void done(long now) {
            answered = now;
        }

        /** A read saw this; a change was refused because of it. */
        public void saw(@Nullable String value, long now) {
            if (next != null && Objects.equals(value, expected)) {
                throw new AssertionError("a change of " + expected + " was refused because of " + value);
            }
            next = null;
            seen = value;
            answered = now;
        }

        private boolean isRead() {
            return next == null;
        }

        private boolean fits(@Nullable String value) {
            return Objects.equals(isRead() ? seen : expected, value);
        }
    }

    /** A read begins. */
    public Operation read(long now) {
        return add(new Operation(null, null, now));
    }

    /** A compare-and-set begins; to a value that no other writes. Null is nothing. */
    public Operation change(@Nullable String expected, String next, long now) {
        return add(new Operation(expected, next, now));
    }

    private synchronized Operation add(Operation operation) {
        operations.add(operation);
        return operation;
    }

    /** What was begun did certainly not happen. */
    public synchronized void drop(Operation operation) {
        operations.remove(operation);
    }

    /** How many were answered. */
    public synchronized long answered() {
        return operations.stream()
                .filter(operation -> operation.answered != Long.MAX_VALUE)
                .count();
    }

    /** Whether it is linearizable, for a register that holds nothing at first. */
    public synchronized boolean isLinearizable() {
        List<Operation> all = new ArrayList<>(operations);
        // A read that nobody was told of changes nothing.
        all.removeIf(operation -> operation.isRead() && operation.answered == Long.MAX_VALUE);
        all.sort(Comparator.comparingLong(operation -> operation.invoked));
        return new Search(all).explains(null);
    }

    private static final class Search {
        private final List<Operation> all;
        private final BitSet done = new BitSet();
        private final Set<State> seen = new HashSet<>();

        private record State(BitSet done, @Nullable String value) {}

        Search(List<Operation> all) {
            this.all = all;
        }

        boolean explains(@Nullable String value) {
            // Only what began before the first answer that is left can come next.
            long first = Long.MAX_VALUE;
            List<Integer> next = new ArrayList<>();
            for (int i = done.nextClearBit(0); i < all.size() && all.get(i).invoked <= first; i++) {
                if (!done.get(i)) {
                    next.add(i);
                    first = Math.min(first, all.get(i).answered);
                }
            }
            if (first == Long.MAX_VALUE) {
                return true;
            }
            for (int i : next) {
                Operation operation = all.get(i);
                if (operation.invoked <= first && operation.isRead() && operation.fits(value)) {
                    // It stands in nobody's way: where there is an order, there is one in which it comes now.
                    return goesOn(i, value);
                }
            }
            for (int i : next) {
                Operation operation = all.get(i);
                if (operation.invoked <= first
                        && !operation.isRead()
                        && operation.fits(value)
                        && goesOn(i, operation.next)) {
                    return true;
                }
            }
            return false;
        }

        private boolean goesOn(int i, @Nullable String value) {
            done.set(i);
            boolean explained = seen.add(new State((BitSet) done.clone(), value)) && explains(value);
            done.clear(i);
            return explained;
        }
    }
}
