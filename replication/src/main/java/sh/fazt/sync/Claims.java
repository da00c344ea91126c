package sh.fazt.sync;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * What others hold of this node's live origin and this node does not: its cartridge is an old copy, or somebody has
 * made up changes in its name, and only the others can find out which; see {@link Sources}. Either way it goes on
 * under another origin, as its next changes would be taken for seen, and takes what the others hold like anything
 * else: so all agree again. Confined to its caller's thread.
 */
final class Claims {
    /** Whoever goes on making up changes shall not make this node open one epoch after another. */
    static final Duration EPOCH_AFTER = Duration.ofSeconds(1);

    static final Duration EPOCH_AT_LEAST = Duration.ofMinutes(10);

    /** How often a denial is told again, as it may be lost, and for how long after the last claim. */
    static final Duration TELL_EVERY = Duration.ofMinutes(1);

    static final Duration TELL_FOR = Duration.ofMinutes(10);

    private static final int MOST = 64;

    private final SyncCore.View view;
    private final Map<Claim, Known> denied = new LinkedHashMap<>();
    private @Nullable Origin left;
    private long leftAt;
    private Duration pause = Duration.ZERO;
    private long toldAt;
    private boolean untold;

    private record Claim(Scope scope, Origin origin) {}

    private static final class Known {
        final long sequence;
        long heard;

        Known(long sequence) {
            this.sequence = sequence;
        }
    }

    Claims(SyncCore.View view) {
        this.view = view;
    }

    /** A peer says that it has seen this of a scope. Answers whether that is more than is known here. */
    boolean heard(NodeId from, Scope scope, VersionVector theirs, long nanos, List<SyncEffect> effects) {
        Origin self = view.origin();
        long held = theirs.get(self);
        long known = view.certain(scope).get(self);
        if (held <= known) {
            return false;
        }
        Claim claim = new Claim(scope, self);
        Known before = denied.get(claim);
        if (before == null) {
            if (denied.size() >= MOST) {
                denied.remove(denied.keySet().iterator().next());
            }
            before = new Known(known);
            denied.put(claim, before);
            untold = true;
            effects.add(new SyncEffect.Claimed(from, scope, self, known, held));
        }
        before.heard = nanos;
        // Once, though many peers say so; again where it came to nothing.
        boolean asked = self.equals(left) && nanos - leftAt <= SyncCore.PULL_PATIENCE.toNanos();
        if (!asked && (left == null || nanos - leftAt >= pause.toNanos())) {
            boolean calm = left == null
                    || nanos - leftAt > EPOCH_AT_LEAST.multipliedBy(2).toNanos();
            pause = calm ? EPOCH_AFTER : pause.multipliedBy(2);
            if (pause.compareTo(EPOCH_AT_LEAST) > 0) {
                pause = EPOCH_AT_LEAST;
            }
            left = self;
            leftAt = nanos;
            effects.add(new SyncEffect.OpenEpoch());
        }
        return true;
    }

    /** Whether it is time to deny it to everybody. */
    boolean isDue(long nanos) {
        if (!untold && nanos - toldAt < TELL_EVERY.toNanos()) {
            return false;
        }
        untold = false;
        toldAt = nanos;
        return true;
    }

    /** How far this node knew its own origins when others held more, lately; empty where there was nothing. */
    Map<Scope, Map<Origin, Long>> denied(long nanos) {
        Map<Scope, Map<Origin, Long>> known = new HashMap<>();
        denied.forEach((claim, one) -> {
            if (nanos - one.heard <= TELL_FOR.toNanos()) {
                known.computeIfAbsent(claim.scope(), any -> new HashMap<>()).put(claim.origin(), one.sequence);
            }
        });
        return known;
    }
}
