package sh.fazt.sync;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** What {@link SyncCore} wants done. Immutable. */
public sealed interface SyncEffect {
    /** Send the changeset to a peer. */
    record Push(NodeId to, Changeset changeset) implements SyncEffect {}

    /** Tell a peer what is held here: of these scopes, or of all when null; and ask it to tell the same. */
    record Tell(NodeId to, @Nullable Map<Scope, VersionVector> scopes, boolean asks) implements SyncEffect {}

    /** Tell a peer whom this node is linked with. */
    record TellReach(NodeId to, Set<NodeId> linked) implements SyncEffect {}

    /** Ask a peer for what the vector lacks. @param number tells it from another pull of the same */
    record Pull(NodeId from, Scope scope, long number) implements SyncEffect {}

    /** Ask a holder whether it has all of a scope that this node lets go of. */
    record AskKeeps(NodeId holder, Scope scope, VersionVector all) implements SyncEffect {}

    /** Let go of a scope, unless it has moved on from this vector. */
    record Forget(Scope scope, VersionVector at) implements SyncEffect {}

    /** Hand a peer's changeset to the replica. */
    record Apply(NodeId from, Changeset changeset) implements SyncEffect {}

    /** Others hold more of this node's origin than was written here: open another before anything else is written. */
    record OpenEpoch() implements SyncEffect {}

    /** Nobody else holds what is in doubt here: it may be told. */
    record Settle() implements SyncEffect {}

    /**
     * Tell the owner that a peer holds more of what this node is said to have written than this node knows.
     *
     * @param known how far this node knows its own origin
     * @param held  how far the peer does
     */
    record Claimed(NodeId from, Scope scope, Origin origin, long known, long held) implements SyncEffect {}

    /** Tell a peer how far this node knows what it wrote itself, where others hold more. */
    record Deny(NodeId to, Map<Scope, Map<Origin, Long>> known) implements SyncEffect {}

    /**
     * Tell the owner that a member does not know what is here under its name.
     *
     * @param known how far it does
     * @param from  who handed in the first of what lies beyond; the member itself where it has forgotten
     */
    record Disowned(Scope scope, Origin origin, long known, NodeId from) implements SyncEffect {}

    /** A peer did what no honest member does. @param detail what exactly, for the log */
    record Offence(NodeId peer, sh.fazt.sync.Offence kind, String detail) implements SyncEffect {}

    /** Equal vectors and unequal digests: a bug, to be shouted about. */
    record Alarm(NodeId peer, Scope scope) implements SyncEffect {}
}
