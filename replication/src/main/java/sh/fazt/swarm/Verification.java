package sh.fazt.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.sync.AuditResult;
import sh.fazt.sync.AuditResult.State;
import sh.fazt.sync.Holders;
import sh.fazt.sync.SyncService;

/**
 * Compares what is stored here with every member, scope by scope, and this node's rows with what was kept count of.
 * Thread-safe; blocks.
 */
final class Verification {
    /** How long two nodes may take to have seen the same: a write or two is always on its way. */
    private static final Duration IN_STEP = Duration.ofSeconds(5);
    /** How long a repair may take to be everywhere. */
    private static final Duration REPAIR = Duration.ofSeconds(30);

    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(200);

    private final NodeId self;
    private final ReplicaStore store;
    private final SyncService sync;
    private final Holders holders;
    private final Links links;
    private final LongSupplier nanos;

    Verification(NodeId self, ReplicaStore store, SyncService sync, Holders holders, Links links, LongSupplier nanos) {
        this.self = self;
        this.store = store;
        this.sync = sync;
        this.holders = holders;
        this.links = links;
        this.nanos = nanos;
    }

    /**
     * @param members everybody; this node's own rows are looked at last
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
        for (Scope scope : scopes) {
            results.add(alone(scope, repair));
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

    /** What can be said without any peer. */
    private AuditResult alone(Scope scope, boolean repair) {
        ReplicaStore.Scan scan = store.scan(scope, null, row -> {});
        boolean repaired = false;
        String why = "";
        if (!scan.sound() && repair) {
            repaired = store.repair(
                            scope,
                            new ReplicaStore.Repair(scan.vector(), scan.found(), List.of(), List.of(), List.of()))
                    .toCompletableFuture()
                    .join();
            why = repaired
                    ? "what no member has is gone; what is stored counts from now on"
                    : "it was written meanwhile: verify again";
        }
        return new AuditResult(
                self,
                scope,
                scan.sound() ? State.EQUAL : State.DIFFERENT,
                List.of(),
                false,
                scan.sound()
                        ? ""
                        : scan.foreign() > 0
                                ? scan.foreign() + " rows were not written by this node"
                                : "the stored rows are not those that were written",
                repaired,
                why);
    }
}
