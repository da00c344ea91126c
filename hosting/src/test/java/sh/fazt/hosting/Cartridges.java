package sh.fazt.hosting;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** Cartridges of nodes that learn of each other when a test says so. */
public final class Cartridges {
    private Cartridges() {}

    /** Opens the cartridge of the node with that number. */
    public static SqliteCartridge open(Path file, int number, InstantSource clock, SchemaPart schema) {
        SqliteCartridge cartridge =
                SqliteCartridge.open(file, CartridgeOptions.standard().withWall(clock), List.of(schema));
        byte[] id = new byte[32];
        id[0] = (byte) number;
        cartridge.bind(NodeId.of(id));
        return cartridge;
    }

    /** Tells one what the other knows of a scope. */
    public static void pull(Scope scope, SqliteCartridge to, SqliteCartridge from) throws Exception {
        VersionVector since = to.replica().vector(scope);
        try (var spool = from.replica().open(scope, since)) {
            List<byte[]> parts = new ArrayList<>();
            for (int i = 0; i < spool.parts(); i++) {
                parts.add(spool.part(i));
            }
            to.replica()
                    .apply(scope, since, spool.vector(), parts)
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
        }
    }
}
