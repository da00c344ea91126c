package sh.fazt.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Damage;
import sh.fazt.cartridge.Cartridge.Reference;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.sync.AuditResult;
import sh.fazt.sync.AuditResult.Difference;
import sh.fazt.sync.AuditResult.State;
import sh.fazt.sync.HeldBack.Outcome;
import sh.fazt.sync.Holders;
import sh.fazt.sync.SyncService;

/**
 * Compares what is stored here with every member, scope by scope, this node's rows with what was kept count of, and its
 * blobs with their hashes. Thread-safe; blocks.
 */
final class Verification {
    /** How long two nodes may take to have seen the same: a write or two is always on its way. */
    private static final Duration IN_STEP = Duration.ofSeconds(5);
    /** How long a repair may take to be everywhere. */
    private static final Duration REPAIR = Duration.ofSeconds(30);

    /** How long what is damaged may take to come from others; what is still on its way then is told. */
    private static final Duration HEAL = Duration.ofMinutes(5);

    private static final int HEAL_AT_A_TIME = 64;
    /** Rows that name damaged blobs, of one scope; the others are counted. */
    private static final int NAMED = 100;

    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(200);

    private final NodeId self;
    private final ReplicaStore store;
    private final Damage damage;
    private final SyncService sync;
    private final Holders holders;
    private final Links links;
    private final LongSupplier nanos;

    Verification(
            NodeId self,
            ReplicaStore store,
            Damage damage,
            SyncService sync,
            Holders holders,
            Links links,
            LongSupplier nanos) {
        this.self = self;
        this.store = store;
        this.damage = damage;
        this.sync = sync;
        this.holders = holders;
        this.links = links;
        this.nanos = nanos;
    }

    /**
     * @param members everybody; this node's own rows and blobs are looked at last
     * @param only    null for all scopes
     */
    List<AuditResult> run(Set<NodeId> members, @Nullable Scope only, boolean repair) {
        List<Scope> scopes = store.vectors().keySet().stream()
                .filter(scope -> (only == null || only.equals(scope)) && holders.holds(self, scope))
                .sorted()
                .toList();
        List<AuditResult> results = new ArrayList<>();
        for (NodeId member : members) {
            for (Scope scope : scopes) {
                if (!member.equals(self) && holders.holds(member, scope)) {
                    results.add(
                            isUp(member)
                                    ? compare(member, scope, repair)
                                    : new AuditResult(
                                            member,
                                            scope,
                                            State.UNREACHABLE,
                                            List.of(),
                                            false,
                                            "",
                                            false,
                                            "there is no link to it"));
                }
            }
        }
        Map<String, List<Reference>> damaged = damage.find(only, repair);
        Set<String> stuck = damage.stuck();
        Set<String> lacking = new HashSet<>(damaged.keySet());
        lacking.removeAll(stuck);
        Map<String, Outcome> outcomes = repair ? fetch(lacking) : Map.of();
        for (Scope scope : scopes) {
            results.add(alone(scope, Rot.of(scope, damaged, stuck, outcomes), repair));
        }
        return results;
    }

    private boolean isUp(NodeId member) {
        return links.states().stream().anyMatch(state -> state.peer().equals(member) && state.up());
    }

    private AuditResult compare(NodeId member, Scope scope, boolean repair) {
        AuditResult first = until(member, scope, repair, IN_STEP, Set.of(State.EQUAL, State.DIFFERENT));
        if (!repair || first.state() != State.DIFFERENT) {
            return first;
        }
        AuditResult after = until(member, scope, true, REPAIR, Set.of(State.EQUAL));
        boolean whole = after.state() == State.EQUAL;
        return new AuditResult(
                member,
                scope,
                State.DIFFERENT,
                first.rows(),
                first.more(),
                first.damaged(),
                whole,
                whole ? "" : "it still differs: look into the logs of both, and verify again in a minute");
    }

    private AuditResult until(NodeId member, Scope scope, boolean repair, Duration patience, Set<State> enough) {
        long end = nanos.getAsLong() + patience.toNanos();
        while (true) {
            AuditResult result =
                    sync.audit(member, scope, repair).toCompletableFuture().join();
            if (enough.contains(result.state()) || nanos.getAsLong() > end || !isUp(member)) {
                return result;
            }
            LockSupport.parkNanos(PAUSE);
        }
    }

    /** What came of each within the time; what is not asked for any more in it, is on its way. */
    private Map<String, Outcome> fetch(Set<String> blobs) {
        Map<String, Outcome> outcomes = new HashMap<>();
        long end = nanos.getAsLong() + HEAL.toNanos();
        List<String> all = List.copyOf(blobs);
        for (int from = 0; from < all.size() && nanos.getAsLong() < end; from += HEAL_AT_A_TIME) {
            Map<String, CompletableFuture<Outcome>> coming = new HashMap<>();
            for (String blob : all.subList(from, Math.min(all.size(), from + HEAL_AT_A_TIME))) {
                coming.put(
                        blob,
                        sync.fetch(blob, Duration.ofNanos(end - nanos.getAsLong()))
                                .toCompletableFuture());
            }
            while (nanos.getAsLong() < end && !coming.values().stream().allMatch(CompletableFuture::isDone)) {
                LockSupport.parkNanos(PAUSE);
            }
            coming.forEach((blob, outcome) -> outcomes.put(blob, outcome.getNow(Outcome.LATE)));
        }
        return outcomes;
    }

    /**
     * The damaged blobs of a scope.
     *
     * @param rows those that name them
     * @param lost how many nobody has, where they were asked for
     * @param late how many are on their way
     * @param stuck how many lie on pages that can't be read, nor changed
     */
    private record Rot(int blobs, List<Difference> rows, boolean more, int lost, int late, int stuck) {
        static Rot of(
                Scope scope,
                Map<String, List<Reference>> damaged,
                Set<String> unreadable,
                Map<String, Outcome> outcomes) {
            int stuck = 0;
            int blobs = 0;
            int lost = 0;
            int late = 0;
            List<Difference> rows = new ArrayList<>();
            for (Map.Entry<String, List<Reference>> one : damaged.entrySet()) {
                List<Reference> here = one.getValue().stream()
                        .filter(reference -> reference.scope().equals(scope))
                        .toList();
                if (here.isEmpty()) {
                    continue;
                }
                blobs++;
                Outcome outcome = outcomes.isEmpty() ? null : outcomes.getOrDefault(one.getKey(), Outcome.LATE);
                String what = "names blob " + one.getKey() + ", which is damaged here";
                if (unreadable.contains(one.getKey())) {
                    stuck++;
                    what = "names blob " + one.getKey() + ", which can't be read here, nor replaced";
                } else if (outcome == Outcome.HERE) {
                    what = "names blob " + one.getKey() + ", which was damaged here";
                } else if (outcome == Outcome.NOBODY) {
                    lost++;
                    what += ", and no linked member has it";
                } else if (outcome == Outcome.LATE) {
                    late++;
                }
                for (Reference reference : here) {
                    rows.add(new Difference(reference.table(), reference.key(), what));
                }
            }
            return new Rot(
                    blobs, rows.subList(0, Math.min(NAMED, rows.size())), rows.size() > NAMED, lost, late, stuck);
        }

        boolean isHealed() {
            return lost == 0 && late == 0 && stuck == 0;
        }

        String damaged() {
            return blobs == 0 ? "" : blobs + (blobs == 1 ? " blob is" : " blobs are") + " damaged";
        }

        String why() {
            List<String> why = new ArrayList<>();
            if (stuck > 0) {
                why.add(stuck + " of the blobs lie on damaged pages of the cartridge, where nothing can be put: "
                        + Healing.WAY_OUT);
            }
            if (lost > 0) {
                why.add("no linked member has " + lost
                        + " of the blobs: what is left of them is kept, link a member that has them or upload them"
                        + " again");
            }
            if (late > 0) {
                why.add(late + " of the blobs are still on their way: verify again");
            }
            return String.join("; ", why);
        }
    }

    /** What can be said without any peer. */
    private AuditResult alone(Scope scope, Rot rot, boolean repair) {
        ReplicaStore.Scan scan = store.scan(scope, null, row -> {});
        boolean sound = scan.sound();
        boolean repaired = sound;
        String rows = sound
                ? ""
                : scan.foreign() > 0
                        ? scan.foreign() + " rows were not written by this node"
                        : "the stored rows are not those that were written";
        String why = "";
        if (!sound && repair) {
            repaired = store.repair(
                            scope,
                            new ReplicaStore.Repair(scan.vector(), scan.found(), List.of(), List.of(), List.of()))
                    .toCompletableFuture()
                    .join();
            why = repaired
                    ? "what no member has is gone; what is stored counts from now on"
                    : "it was written meanwhile: verify again";
        }
        boolean whole = sound && rot.blobs() == 0;
        return new AuditResult(
                self,
                scope,
                whole ? State.EQUAL : State.DIFFERENT,
                rot.rows(),
                rot.more(),
                joined(rows, rot.damaged()),
                repair && !whole && repaired && rot.isHealed(),
                joined(why, repair || rot.stuck() > 0 ? rot.why() : ""));
    }

    private static String joined(String one, String other) {
        return one + (one.isEmpty() || other.isEmpty() ? "" : "; ") + other;
    }
}
