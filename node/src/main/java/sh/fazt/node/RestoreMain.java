package sh.fazt.node;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Backups;

/** What {@code fazt server restore} calls: it needs the cartridge itself, and no node. */
public final class RestoreMain {
    private RestoreMain() {}

    /**
     * Puts a backup in a cartridge's place.
     *
     * @return {@code cartridge}, {@code bytes} and {@code replaced}, which is null when there was no cartridge before
     * @throws sh.fazt.cartridge.CartridgeException {@code IN_USE} while a node runs on it, {@code DAMAGED}, {@code
     *     NEWER_VERSION}, {@code NOT_WRITABLE}
     */
    public static Map<String, @Nullable Object> run(String backup, String cartridge) {
        Backups.Done done =
                Backups.restore(Path.of(backup), Path.of(cartridge), Node.schemas(), InstantSource.system());
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        result.put("cartridge", Path.of(cartridge).toAbsolutePath().normalize().toString());
        result.put("bytes", done.bytes());
        Path replaced = done.replaced();
        result.put("replaced", replaced == null ? null : replaced.toString());
        return result;
    }
}
