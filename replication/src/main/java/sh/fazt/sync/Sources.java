package sh.fazt.sync;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * Who handed in what, since the start: changes carry no signature, so this is how it is found out who made some up in
 * another's name. Whoever did has them from nobody; whoever passed them on can tell from whom. Confined to its
 * caller's thread.
 */
final class Sources {
    /** Of one origin; the oldest are forgotten. */
    private static final int MOST_RUNS = 64;
    /** Scopes times origins. */
    private static final int MOST_ORIGINS = 1 << 14;

    private static final int MOST_NAMED = 1 << 12;

    private final Map<Key, Deque<Run>> runs = new HashMap<>();
    private final Set<Named> named = new HashSet<>();

    private record Key(Scope scope, Origin origin) {}

    private record Named(Origin origin, NodeId from) {}

    /** Changes of one origin that came from one peer: those behind {@code after} up to {@code upTo}. */
    private record Run(long after, long upTo, NodeId from) {}

    /** A peer's changeset was applied here. */
    void pushed(NodeId from, Dot dot) {
        note(from, dot.scope(), dot.origin(), dot.sequence() - 1, dot.sequence());
    }

    /** A pull brought all that this vector has and that one lacks. */
    void pulled(NodeId from, Scope scope, VersionVector since, VersionVector theirs) {
        theirs.entries().forEach((origin, upTo) -> note(from, scope, origin, since.get(origin), upTo));
    }

    private void note(NodeId from, Scope scope, Origin origin, long after, long upTo) {
        Key key = new Key(scope, origin);
        Deque<Run> known = runs.get(key);
        if (known == null) {
            if (upTo <= after || runs.size() >= MOST_ORIGINS) {
                return;
            }
            known = new ArrayDeque<>(2);
            runs.put(key, known);
        }
        Run last = known.peekLast();
        long begin = last == null ? after : Math.max(after, last.upTo());
        if (upTo <= begin) {
            return;
        }
        if (last != null && last.from().equals(from) && last.upTo() == begin) {
            known.removeLast();
            begin = last.after();
        } else if (known.size() >= MOST_RUNS) {
            known.removeFirst();
        }
        known.addLast(new Run(begin, upTo, from));
    }

    /** Who handed in the first change of an origin behind a sequence; null where that is not known. */
    @Nullable
    NodeId beyond(Scope scope, Origin origin, long sequence) {
        for (Run run : runs.getOrDefault(new Key(scope, origin), new ArrayDeque<>())) {
            if (run.upTo() > sequence) {
                return run.from();
            }
        }
        return null;
    }

    /** Whether that is to be told: once. */
    boolean isNews(Origin origin, NodeId from) {
        if (named.size() >= MOST_NAMED) {
            named.clear();
        }
        return named.add(new Named(origin, from));
    }

    /** A member that is gone for good. */
    void forget(NodeId id) {
        runs.keySet().removeIf(key -> key.origin().node().equals(id));
    }

    /** A scope that is here no more. */
    void forget(Scope scope) {
        runs.keySet().removeIf(key -> key.scope().equals(scope));
    }
}
