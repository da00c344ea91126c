package sh.fazt.node;

import java.nio.file.Files;
import java.nio.file.Path;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.swarm.Clone;

/** What {@code fazt swarm clone} calls: it needs the cartridge itself, and no node. */
public final class CloneMain {
    private CloneMain() {}

    /**
     * Gives a cartridge a new identity.
     *
     * @return the new node's id
     * @throws CartridgeException {@code IN_USE} while a node runs on it, and whatever opening a cartridge may say
     */
    public static String run(String cartridge) {
        Path file = Path.of(cartridge);
        if (!Files.isRegularFile(file)) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "can't give " + file + " a new identity: there is no such cartridge. Name the copy with --db");
        }
        try (SqliteCartridge opened = SqliteCartridge.open(file, CartridgeOptions.standard(), Node.schemas())) {
            return Clone.of(opened, beside(opened, ".key"), beside(opened, ".raft"))
                    .toString();
        }
    }

    private static Path beside(SqliteCartridge cartridge, String suffix) {
        return cartridge.file().resolveSibling(cartridge.file().getFileName() + suffix);
    }
}
