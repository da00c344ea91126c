package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * Lets go of scopes that are placed elsewhere. What is here of one goes once a holder says that it has all of it. It has
 * to say so then and there: what it told earlier may not hold any more. Pure; confined to its caller's thread.
 */
final class Parting {
    /** How long a holder may take to say whether it has all of a scope, and when it is asked again. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration AGAIN = Duration.ofSeconds(5);

    private final SyncCore.View view;
    private final BiFunction<Scope, VersionVector, Stream<NodeId>> having;
    /** While a holder is asked whether it has all of it. */
    private final Map<Scope, Asked> asked = new HashMap<>();
    /** From when on a scope may be let go of, after a holder said no. */
    private final Map<Scope, Long> notBefore = new HashMap<>();
    /** Holders that would not vouch for a scope, the last one last. */
    private final Map<Scope, List<NodeId>> refusedBy = new HashMap<>();

    private record Asked(NodeId holder, VersionVector vector, long since) {}

    /** @param having the linked peers that keep a scope, and have told that they have all of a vector */
    Parting(SyncCore.View view, BiFunction<Scope, VersionVector, Stream<NodeId>> having) {
        this.view = view;
        this.having = having;
    }

    private boolean isOurs(Scope scope) {
        return view.holders().holds(view.origin().node(), scope);
    }

    /** Time passed. */
    void tick(Scope scope, VersionVector vector, long nanos, List<SyncEffect> effects) {
        Asked under = asked.get(scope);
        if (under != null && nanos - under.since() < PATIENCE.toNanos()) {
            return;
        }
        asked.remove(scope);
        if (vector.isEmpty() || isOurs(scope)) {
            notBefore.remove(scope);
            refusedBy.remove(scope);
            return;
        }
        Long later = notBefore.get(scope);
        if (later != null && nanos - later < 0) {
            return;
        }
        // Whoever said no comes last: it may lack blobs for long, as a holder that fetches them on first use does.
        List<NodeId> refused = refusedBy.getOrDefault(scope, List.of());
        having.apply(scope, vector)
                .min(Comparator.comparing(refused::lastIndexOf))
                .ifPresent(holder -> {
                    asked.put(scope, new Asked(holder, vector, nanos));
                    effects.add(new SyncEffect.AskKeeps(holder, scope, vector));
                });
    }

    /**
     * Whether another node may let go of a scope since all of it is here and stays. Never while this node is about to
     * let go of it too: each of two would rely on the other.
     */
    boolean keeps(Scope scope, VersionVector all) {
        return isOurs(scope) && !asked.containsKey(scope) && view.vector(scope).covers(all);
    }

    /** A holder said whether it has all of a scope. @param keeps false too when no answer came */
    List<SyncEffect> kept(NodeId holder, Scope scope, VersionVector all, boolean keeps, long nanos) {
        Asked under = asked.get(scope);
        if (under == null || !under.holder().equals(holder) || !under.vector().equals(all)) {
            return List.of();
        }
        if (keeps && !isOurs(scope)) {
            // Until it is gone nobody is told that it is kept here.
            asked.put(scope, new Asked(holder, all, nanos));
            return List.of(new SyncEffect.Forget(scope, all));
        }
        asked.remove(scope);
        notBefore.put(scope, nanos + AGAIN.toNanos());
        List<NodeId> refused = refusedBy.computeIfAbsent(scope, none -> new ArrayList<>());
        refused.remove(holder);
        refused.add(holder);
        return List.of();
    }

    /** It is gone, or something was written meanwhile. */
    void ended(Scope scope) {
        asked.remove(scope);
    }
}
