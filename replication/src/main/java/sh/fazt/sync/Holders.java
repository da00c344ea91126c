package sh.fazt.sync;

import java.util.Set;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/** Which members keep which scope. Thread-safe; answers at once. */
public interface Holders {
    /** Everybody keeps everything. */
    Holders EVERYBODY = (node, scope) -> true;

    /** Whether a member keeps a scope, as far as this node knows what is agreed. */
    boolean holds(NodeId node, Scope scope);

    /** The scopes whose blobs this node leaves with others until somebody asks for them. */
    default Set<Scope> lazy() {
        return Set.of();
    }
}
