package sh.fazt.swarm;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;

/**
 * An admission that this node has not made full use of yet: it is no voter, or has not heard the whole log. Until then
 * the members that the admission names count beside those that the log has told of, since the log is told from its
 * beginning and may know none of those who tell it. Kept in the cartridge, so that an interrupted join goes on.
 * Thread-safe.
 */
final class PendingJoin {
    private static final Logger LOG = LoggerFactory.getLogger(PendingJoin.class);
    static final SchemaPart SCHEMA = new SchemaPart(
            "swarm",
            List.of("CREATE TABLE swarm_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"),
            List.of());
    private static final String NAME = "admission";

    private final Cartridge cartridge;
    private volatile Admission admission = Admission.getDefaultInstance();
    private volatile Map<NodeId, MemberRecord> members = Map.of();

    PendingJoin(Cartridge cartridge) {
        this.cartridge = cartridge;
        restore();
    }

    /** Reads what an earlier run left. */
    private void restore() {
        String kept = cartridge.read(
                rows -> rows.first("SELECT value FROM swarm_state WHERE name = ?", row -> row.text(0), NAME)
                        .orElse(""));
        if (!kept.isEmpty()) {
            try {
                use(Admission.parseFrom(Base64.getDecoder().decode(kept)));
            } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
                LOG.warn("a kept admission is damaged and ignored", e);
            }
        }
    }

    void keep(Admission admitted) {
        cartridge
                .writeLocal(tx -> {
                    keep(tx, admitted);
                    return true;
                })
                .toCompletableFuture()
                .join();
        use(admitted);
    }

    /** Keeps one for the next start. */
    static void keep(LocalTx tx, Admission admitted) {
        Restored.forget(tx);
        tx.execute(
                "INSERT INTO swarm_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                NAME,
                Base64.getEncoder().encodeToString(admitted.toByteArray()));
    }

    private void use(Admission admitted) {
        Map<NodeId, MemberRecord> named = new LinkedHashMap<>();
        admitted.getMembersMap().forEach((id, member) -> named.put(NodeId.parse(id), member));
        members = Map.copyOf(named);
        admission = admitted;
    }

    void forget() {
        use(Admission.getDefaultInstance());
        cartridge
                .writeLocal(tx -> tx.execute("DELETE FROM swarm_state WHERE name = ?", NAME))
                .toCompletableFuture()
                .join();
    }

    /** Forgets one that an earlier run left. */
    static void forget(LocalTx tx) {
        tx.execute("DELETE FROM swarm_state WHERE name = ?", NAME);
    }

    /** Whether there is one. */
    boolean pending() {
        return !admission.getGroup().isEmpty();
    }

    /** The group to enter; empty when none is pending. */
    String group() {
        return admission.getGroup();
    }

    /** The swarm to enter, as it was then; without an id when none is pending. */
    SwarmRecord swarm() {
        return admission.getSwarm();
    }

    Map<NodeId, MemberRecord> members() {
        return members;
    }
}
