package sh.fazt.swarm;

import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;

/**
 * A cartridge that was put back without the key that it was run with: a backup holds the SQLite file only. Nobody lets
 * the old node in without its key, so the cartridge is a new node's, a swarm of one with its data, aliases and name.
 * Thread-safe.
 */
final class Restored {
    private static final Logger LOG = LoggerFactory.getLogger(Restored.class);
    private static final String NAME = "restored";

    private final NodeId self;
    private final SqliteCartridge cartridge;
    private final Path raft;
    private final Records records;
    private final PendingJoin joining;
    private final Members members;
    private volatile String text = "";

    /** @param raft where the log of the node's group is */
    Restored(NodeId self, SqliteCartridge cartridge, Path raft, Records records, PendingJoin joining, Members members) {
        this.self = self;
        this.cartridge = cartridge;
        this.raft = raft;
        this.records = records;
        this.joining = joining;
        this.members = members;
    }

    /**
     * Takes a cartridge over that another node ran, before anything follows from what that node knew to be agreed. Each
     * step can be repeated: until this node has founded its swarm it is no member here, and all of it is done again.
     * Blocking.
     */
    void begin() {
        takeOver();
        text = cartridge.read(
                rows -> rows.first("SELECT value FROM swarm_state WHERE name = ?", row -> row.text(0), NAME)
                        .orElse(""));
    }

    private void takeOver() {
        boolean foreign = (records.swarm() != null || joining.pending())
                && !members.all().containsKey(self)
                && !records.evicted().containsKey(self);
        if (!foreign) {
            return;
        }
        String swarm = members.swarmName();
        int others = members.all().size() - 1;
        LOG.warn(
                "this cartridge was run with another key: it goes on as a new node, alone swarm={} members={}",
                swarm,
                others + 1);
        if (others > 0) {
            String told =
                    "this cartridge was restored without its key: it is a new node, and a swarm of one. To get back"
                            + " into swarm " + swarm + ", in which it had "
                            + (others == 1 ? "one other" : others + " others")
                            + ", \"fazt swarm token\" there and \"fazt swarm join\" here; they list its old identity until"
                            + " \"fazt swarm evict\" there";
            local(tx -> tx.execute(
                    "INSERT INTO swarm_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    NAME,
                    told));
        }
        SwarmRaft.detach(cartridge, raft, Records.KEPT);
        joining.forget();
        local(tx -> {
            LinkLedger.forget(tx);
            return true;
        });
    }

    /** What the owner has to know of it; empty when this node was not restored, or is in a swarm with others. */
    String text() {
        return members.isAlone() ? text : "";
    }

    /** It is in a swarm with others again. */
    static void forget(LocalTx tx) {
        tx.execute("DELETE FROM swarm_state WHERE name = ?", NAME);
    }

    private void local(Cartridge.LocalBody<Object> body) {
        cartridge.writeLocal(body).toCompletableFuture().join();
    }
}
