package sh.fazt.sync;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs.Amount;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/**
 * How far this node is with having everything that it lacks fetched. Immutable.
 *
 * @param running false when it has ended, and before the first time
 * @param scope   whose blobs; null for all
 * @param all     what was lacking when it began, as far as rows tell the sizes
 * @param got     what of that is here now
 * @param from    bytes of blobs that came from each peer meanwhile
 * @param missing hashes of the first hundred that can't be had
 * @param lost    how many can't be had
 */
public record Syncing(
        boolean running,
        @Nullable Scope scope,
        Amount all,
        Amount got,
        Map<NodeId, Long> from,
        List<String> missing,
        long lost) {
    public Syncing {
        from = Map.copyOf(from);
        missing = List.copyOf(missing);
    }
}
