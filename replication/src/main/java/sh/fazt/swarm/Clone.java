package sh.fazt.swarm;

import java.nio.file.Path;
import java.util.Set;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/** Makes a node of its own out of a copied cartridge, or out of one whose key is not let in any more. Stateless. */
public final class Clone {
    private Clone() {}

    /**
     * Gives a cartridge that no node runs a new key, and with it a new origin for what it writes. It is in no swarm
     * after that; its data and its aliases stay. The old key is gone last but one: interrupted before, this can be
     * called again. Blocking.
     *
     * @param key  the file of the node's key
     * @param raft where the log of its group is
     * @return the new node
     */
    public static NodeId of(SqliteCartridge cartridge, Path key, Path raft) {
        SwarmRaft.detach(cartridge, raft, Set.of(Records.ALIAS));
        cartridge
                .writeLocal(tx -> {
                    PendingJoin.forget(tx);
                    LinkLedger.forget(tx);
                    return true;
                })
                .toCompletableFuture()
                .join();
        NodeId made = NodeKey.replace(key).id();
        cartridge.bind(made);
        return made;
    }
}
