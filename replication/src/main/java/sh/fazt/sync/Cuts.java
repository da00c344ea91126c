package sh.fazt.sync;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;

/**
 * Has rows replaced that this node took of an evicted node before it heard of the eviction. What stood in their place, or
 * should by now, is gone here: linked members are asked for what they hold, one after the other, until nothing is missing
 * that a member has written and this node has seen. Until then nobody pulls the scope from this node; and while they are
 * asked it takes nothing of it itself, or it would always have seen more than they had. Thread-safe: one turn at a time.
 */
public final class Cuts {
    private static final Logger LOG = LoggerFactory.getLogger(Cuts.class);

    private final FencedReplica replica;
    private final SyncService sync;
    private final Links links;
    private final Supplier<Set<NodeId>> members;
    private final AtomicBoolean underWay = new AtomicBoolean();

    /** @param members the others that count: one that was not heard of for very long is not waited for */
    public Cuts(FencedReplica replica, SyncService sync, Links links, Supplier<Set<NodeId>> members) {
        this.replica = replica;
        this.sync = sync;
        this.links = links;
        this.members = members;
    }

    /** Begins with what is left over, if anything is. To be called about once a second; never blocks. */
    public void turn() {
        List<Scope> overrun = replica.overrun();
        if (overrun.isEmpty() || !underWay.compareAndSet(false, true)) {
            return;
        }
        Set<NodeId> counting = members.get();
        CompletionStage<Boolean> all = CompletableFuture.completedFuture(true);
        for (Scope scope : overrun) {
            all = all.thenCompose(done -> cut(scope, counting));
        }
        all.whenComplete((done, failed) -> {
            underWay.set(false);
            if (failed != null) {
                LOG.warn("rows of an evicted node could not be replaced; it is tried again", failed);
            }
        });
    }

    private CompletionStage<Boolean> cut(Scope scope, Set<NodeId> counting) {
        replica.still(scope);
        Iterator<NodeId> linked = links.states().stream()
                .filter(LinkState::up)
                .map(LinkState::peer)
                .iterator();
        return cut(scope, counting, new Instead(), linked).whenComplete((done, failed) -> replica.resume(scope));
    }

    private CompletionStage<Boolean> cut(Scope scope, Set<NodeId> counting, Instead instead, Iterator<NodeId> peers) {
        if (!peers.hasNext()) {
            return CompletableFuture.completedFuture(false);
        }
        NodeId peer = peers.next();
        return sync.fetch(peer, scope)
                .thenAccept(theirs -> replica.add(scope, instead, peer, theirs))
                .exceptionally(failed -> {
                    LOG.debug("{} does not tell what it holds of {}", peer.shortText(), scope, failed);
                    return null;
                })
                .thenCompose(added -> replace(peer, scope, counting, instead))
                .thenCompose(
                        done -> done ? CompletableFuture.completedFuture(true) : cut(scope, counting, instead, peers));
    }

    private CompletionStage<Boolean> replace(NodeId peer, Scope scope, Set<NodeId> counting, Instead instead) {
        return replica.cut(scope, counting, instead).thenCompose(outcome -> switch (outcome) {
            case DONE -> {
                LOG.warn(
                        "rows of an evicted node came before the news of its eviction; they are put back as the other"
                                + " members hold them scope={} peer={}",
                        scope.id(),
                        peer.shortText());
                yield replace(peer, scope, counting, instead);
            }
            case KNOWN -> CompletableFuture.completedFuture(true);
            case NEEDS_PULL -> CompletableFuture.completedFuture(false);
        });
    }
}
