package sh.fazt.node;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** Two nodes that write one key of an app without knowing of each other. */
final class LostWrite {
    private LostWrite() {}

    /** This surface says "mine"; another node, an hour ahead, says "yours" and wins. */
    static void happen(Surface surface, Path folder, Scope app) throws Exception {
        surface.cartridge
                .write(app, tx -> {
                    tx.put("kv", List.of("title"), Map.of("value", "\"mine\""));
                    return true;
                })
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        byte[] id = new byte[32];
        id[0] = 1;
        Instant later = Instant.now().plus(Duration.ofHours(1));
        try (SqliteCartridge other = SqliteCartridge.open(
                folder.resolve("other.db"), CartridgeOptions.standard().withWall(() -> later), Surface.SCHEMAS)) {
            other.bind(NodeId.of(id));
            other.write(app, tx -> {
                        tx.put("kv", List.of("title"), Map.of("value", "\"yours\""));
                        return true;
                    })
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            VersionVector since = surface.cartridge.replica().vector(app);
            try (ReplicaStore.Spool spool = other.replica().open(app, since)) {
                List<byte[]> parts = new ArrayList<>();
                for (int i = 0; i < spool.parts(); i++) {
                    parts.add(spool.part(i));
                }
                surface.cartridge
                        .replica()
                        .apply(app, since, spool.vector(), parts)
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS);
            }
        }
    }
}
