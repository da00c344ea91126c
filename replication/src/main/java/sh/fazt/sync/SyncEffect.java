package sh.fazt.sync;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
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

    /** This cartridge is an old copy: open a new epoch before anything else is written. */
    record OpenEpoch() implements SyncEffect {}

    /** A peer did what no honest member does. @param detail what exactly, for the log */
    record Offence(NodeId peer, sh.fazt.sync.Offence kind, String detail) implements SyncEffect {}

    /** Equal vectors and unequal digests: a bug, to be shouted about. */
    record Alarm(NodeId peer, Scope scope) implements SyncEffect {}
}
