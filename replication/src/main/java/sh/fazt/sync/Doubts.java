package sh.fazt.sync;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * Settles what this node wrote before it heard others, see {@link sh.fazt.cartridge.change.ReplicaStore#inDoubt}. While
 * it is in doubt nothing of it is told, and nothing of others is taken, so that it can have another origin yet. Once all
 * who are linked have told what they hold of every scope that is here, and none holds more of this node than is beyond
 * doubt, nothing is in doubt any more. Who holds more refutes it, see {@link Claims}. Confined to its caller's thread.
 */
final class Doubts {
    /** Once one has told all, the others are waited for so long: one that is slow shall not keep what is here from all. */
    static final Duration PATIENCE = Duration.ofSeconds(3);

    private final SyncCore.View view;
    /** Of which scopes each linked peer has told, on its present link. */
    private final Map<NodeId, Asked> asked = new TreeMap<>();

    private @Nullable Long firstAt;
    private boolean ending;

    private static final class Asked {
        final Set<Scope> told = new HashSet<>();
        boolean answered;
        long at;

        Asked(long at) {
            this.at = at;
        }
    }

    Doubts(SyncCore.View view) {
        this.view = view;
    }

    /** A link came up, and the peer is asked what it holds. */
    void up(NodeId id, long nanos) {
        asked.put(id, new Asked(nanos));
    }

    void down(NodeId id) {
        asked.remove(id);
    }

    /** A peer told what it holds of scopes. */
    void told(NodeId from, Set<Scope> scopes) {
        Asked one = asked.get(from);
        if (one != null) {
            one.answered = true;
            one.told.addAll(scopes);
        }
    }

    /** Somebody holds more of this node than is beyond doubt: another origin is opened. */
    void refuted() {
        ending = true;
    }

    /** It ended, or could not be ended: then all are asked again. */
    void ended() {
        ending = false;
        firstAt = null;
        asked.values().forEach(one -> {
            one.answered = false;
            one.told.clear();
        });
    }

    /** Ends it where that can be. */
    void look(long nanos, List<SyncEffect> effects) {
        Set<Scope> here = view.vectors().keySet();
        long all = asked.values().stream()
                .filter(one -> one.answered && one.told.containsAll(here))
                .count();
        if (ending || all == 0) {
            return;
        }
        long first = firstAt == null ? nanos : firstAt;
        firstAt = first;
        if (all == asked.size() || nanos - first >= PATIENCE.toNanos()) {
            ending = true;
            effects.add(new SyncEffect.Settle());
        }
    }

    /** Time passed. */
    void tick(long nanos, List<SyncEffect> effects) {
        asked.forEach((id, one) -> {
            if (nanos - one.at >= SyncCore.TELL_EVERY.toNanos()) {
                one.at = nanos;
                Map<Scope, VersionVector> lacking = new HashMap<>(view.vectors());
                lacking.keySet().removeAll(one.told);
                if (!one.answered || !lacking.isEmpty()) {
                    // Whoever is told of nothing answers with all.
                    effects.add(new SyncEffect.Tell(id, lacking, true));
                }
            }
        });
        look(nanos, effects);
    }
}
