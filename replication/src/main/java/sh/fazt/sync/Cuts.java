package sh.fazt.sync;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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
 *
 * <p>News of one eviction may come before that of another, or of a later admission: who has what is gone here, and whose
 * rows count, is known only once all that is agreed came here. So the group is asked first, while nothing is taken: then
 * this node knows of every node that wrote what is here.
 */
public final class Cuts {
    private static final Logger LOG = LoggerFactory.getLogger(Cuts.class);

    /** Each turn that does something has the group agree on something. */
    private static final int MOST_PAUSE = 31;

    private final FencedReplica replica;
    private final SyncService sync;
    private final Links links;
    private final Group group;
    private volatile boolean underWay;
    /** How many turns pass before the next one that does something: twice as many after each that failed. */
    private int pause;

    private int passed;

    /** What this room has to know of the group. */
    public interface Group {
        /** The others that count: one that was not heard of for very long is not waited for. */
        Set<NodeId> counting();

        /**
         * Has this node follow everything that was agreed before this call. Blocking, for seconds at most.
         *
         * @return false where nobody is reached who knows
         */
        boolean catchUp();
    }

    public Cuts(FencedReplica replica, SyncService sync, Links links, Group group) {
        this.replica = replica;
        this.sync = sync;
        this.links = links;
        this.group = group;
    }

    /** Begins with what is left over, if anything is. To be called about once a second; may block for seconds. */
    public synchronized void turn() {
        List<Scope> overrun = replica.overrun();
        if (overrun.isEmpty()) {
            pause = 0;
            return;
        }
        if (underWay || passed++ < pause) {
            return;
        }
        passed = 0;
        pause = Math.min(2 * pause + 1, MOST_PAUSE);
        underWay = true;
        overrun.forEach(replica::still);
        begin(overrun).whenComplete((done, failed) -> {
            overrun.forEach(replica::resume);
            underWay = false;
            if (failed != null) {
                LOG.warn("rows of an evicted node could not be replaced; it is tried again", failed);
            }
        });
    }

    private CompletionStage<Boolean> begin(List<Scope> overrun) {
        CompletionStage<Boolean> all = CompletableFuture.completedFuture(true);
        try {
            if (group.catchUp()) {
                Set<NodeId> counting = group.counting();
                for (Scope scope : overrun) {
                    all = all.thenCompose(done -> cut(scope, counting));
                }
            } else {
                LOG.debug("rows of an evicted node are replaced once the group is reached");
            }
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        return all;
    }

    private CompletionStage<Boolean> cut(Scope scope, Set<NodeId> counting) {
        Iterator<NodeId> linked = links.states().stream()
                .filter(LinkState::up)
                .map(LinkState::peer)
                // The link of one that is evicted ends only now, and what it is asked is not answered any more.
                .filter(counting::contains)
                .iterator();
        return cut(scope, counting, new Instead(), linked);
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
