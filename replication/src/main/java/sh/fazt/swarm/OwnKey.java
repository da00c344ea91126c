package sh.fazt.swarm;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;

/**
 * This node's key in its file, and beside it the next one while the key is being changed. As long as a next key lies
 * there the node writes under the next id: nothing that it writes meanwhile lies beyond the fence of the old one, and
 * whatever comes of the change, it is kept. Thread-safe; what changes something blocks.
 */
public final class OwnKey {
    private static final Logger LOG = LoggerFactory.getLogger(OwnKey.class);
    private static final String AGREED = "next_key";

    private final SqliteCartridge cartridge;
    private final Path file;
    private final NodeKey key;
    private volatile @Nullable NodeKey next;

    private OwnKey(SqliteCartridge cartridge, Path file, NodeKey key, @Nullable NodeKey next) {
        this.cartridge = cartridge;
        this.file = file;
        this.key = key;
        this.next = next;
    }

    /**
     * Reads the key, or makes it, and binds the cartridge to it. A next key that the swarm has agreed to takes its place
     * now. Each step can be repeated. Blocking.
     *
     * @throws sh.fazt.identity.IdentityException when a key can't be read or written
     */
    public static OwnKey open(SqliteCartridge cartridge, Path file) {
        NodeKey next = Files.exists(NodeKey.next(file)) ? NodeKey.load(NodeKey.next(file)) : null;
        String agreed = cartridge.read(
                rows -> rows.first("SELECT value FROM swarm_state WHERE name = ?", row -> row.text(0), AGREED)
                        .orElse(""));
        if (next != null && next.id().toString().equals(agreed)) {
            NodeKey.takeNext(file);
            LOG.warn("this node goes on under its new key node={}", next.id().shortText());
            next = null;
        }
        if (!agreed.isEmpty()) {
            cartridge
                    .writeLocal(tx -> tx.execute("DELETE FROM swarm_state WHERE name = ?", AGREED))
                    .toCompletableFuture()
                    .join();
        }
        NodeKey key = NodeKey.loadOrCreate(file);
        cartridge.bind((next == null ? key : next).id());
        return new OwnKey(cartridge, file, key, next);
    }

    /** The key that this process runs under. */
    public NodeKey key() {
        return key;
    }

    /** The next key; null unless the key is being changed. */
    @Nullable
    NodeKey next() {
        return next;
    }

    /** Whether a node is this one, under its key or the next. */
    boolean is(NodeId node) {
        NodeKey coming = next;
        return node.equals(key.id()) || coming != null && node.equals(coming.id());
    }

    /** Makes the next key, on the disk before anybody hears of it, and goes on writing under it. */
    NodeKey prepare() {
        NodeKey made = NodeKey.create(NodeKey.next(file));
        next = made;
        cartridge.bind(made.id());
        return made;
    }

    /** Goes on under the key as it was; nobody will ever agree to the next one. */
    void drop() {
        NodeKey.dropNext(file);
        cartridge.bind(key.id());
        next = null;
    }

    /** Notes that the swarm agreed to the next key, which the next start takes. */
    static void agreed(LocalTx tx, NodeId next) {
        tx.execute(
                "INSERT INTO swarm_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                AGREED,
                next.toString());
    }
}
