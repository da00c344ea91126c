package sh.fazt.swarm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.sync.Holders;
import sh.fazt.sync.SyncService;

/**
 * Whether the others can do without a member: what it keeps has to be with one of those who stay, all of it. What is
 * agreed says only who shall keep an app. Whoever leaves asks them then and there, as what they told earlier may not
 * hold any more; of a member that is shut out it counts what it told. Thread-safe; methods block.
 */
final class Handover {
    /** How long what was just written may take to be with another: somebody may write all the time. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(200);
    /** The others are counted. */
    private static final int NAMED = 5;

    private final NodeId self;
    private final ReplicaStore store;
    private final SyncService sync;
    private final Holders holders;
    private final Members members;
    private final Links links;
    private final LongSupplier nanos;

    Handover(
            NodeId self,
            ReplicaStore store,
            SyncService sync,
            Holders holders,
            Members members,
            Links links,
            LongSupplier nanos) {
        this.self = self;
        this.store = store;
        this.sync = sync;
        this.holders = holders;
        this.members = members;
        this.links = links;
        this.nanos = nanos;
    }

    /**
     * What is here of which no member that stays says that it has all, in words; empty when this node can go.
     *
     * @param called what an owner calls a scope
     */
    String lacking(Function<Scope, String> called) {
        Set<Scope> open = new TreeSet<>();
        store.vectors().forEach((scope, vector) -> {
            if (!vector.isEmpty()) {
                open.add(scope);
            }
        });
        long end = nanos.getAsLong() + PATIENCE.toNanos();
        while (true) {
            // Whoever does not answer is not waited for again and again.
            Set<NodeId> silent = new HashSet<>();
            open.removeIf(scope -> keepers(scope).stream().anyMatch(member -> keeps(member, scope, silent)));
            if (open.isEmpty() || nanos.getAsLong() > end) {
                return listed(open.stream()
                        .map(scope -> called.apply(scope) + " (" + why(scope) + ")")
                        .toList());
            }
            LockSupport.parkNanos(PAUSE);
        }
    }

    /** Those who stay and shall keep a scope. */
    private List<NodeId> keepers(Scope scope) {
        return members.all().keySet().stream()
                .filter(member -> !member.equals(self) && holders.holds(member, scope))
                .toList();
    }

    private boolean keeps(NodeId member, Scope scope, Set<NodeId> silent) {
        if (!isUp(member) || silent.contains(member)) {
            return false;
        }
        try {
            return sync.keeps(member, scope, store.vector(scope))
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            silent.add(member);
            return false;
        }
    }

    private boolean isUp(NodeId member) {
        return links.states().stream()
                .filter(LinkState::up)
                .anyMatch(state -> state.peer().equals(member));
    }

    private String why(Scope scope) {
        Map<NodeId, Long> behind = sync.behind(scope).toCompletableFuture().join();
        Map<NodeId, MemberRecord> all = members.all();
        List<NodeId> keepers = keepers(scope);
        if (keepers.isEmpty()) {
            return "nobody else keeps it";
        }
        return keepers.stream()
                .map(member -> Members.named(member, all).name() + " " + why(member, behind))
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private String why(NodeId member, Map<NodeId, Long> behind) {
        Long lacks = behind.get(member);
        if (!isUp(member)) {
            return "is not linked";
        } else if (lacks == null) {
            return "has told nothing yet";
        }
        return lacks == 0 ? "does not vouch for all of it: files of it may lack there" : "lacks " + changes(lacks);
    }

    /**
     * What only this member has of all who stay, as far as they have told, in words; empty when nothing is known of the
     * kind.
     */
    String onlyAt(NodeId member, Function<Scope, String> called) {
        List<String> only = new ArrayList<>();
        sync.onlyAt(member)
                .toCompletableFuture()
                .join()
                .forEach((scope, changes) -> only.add(changes(changes) + " of " + called.apply(scope)));
        return listed(only);
    }

    private static String changes(long count) {
        return count + (count == 1 ? " change" : " changes");
    }

    private static String listed(List<String> all) {
        return all.stream().limit(NAMED).collect(Collectors.joining(", "))
                + (all.size() > NAMED ? " and " + (all.size() - NAMED) + " more" : "");
    }
}
