package sh.fazt.node.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Executor;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.node.api.Router.Access;
import sh.fazt.node.http.Exchange;

/**
 * Backups of the running node. One is written beside the cartridge, under a name that is made here: whoever holds the
 * owner's key shall not write anywhere else. Thread-safe.
 */
public final class BackupApi implements Router.Endpoints {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Cartridge cartridge;
    private final InstantSource clock;
    private final Executor mayBlock;

    public BackupApi(Cartridge cartridge, InstantSource clock, Executor mayBlock) {
        this.cartridge = cartridge;
        this.clock = clock;
        this.mayBlock = mayBlock;
    }

    @Override
    public void addTo(Router router) {
        router.add("POST", "/api/system/backup", Access.OWNER, call -> mayBlock.execute(() -> backUp(call.exchange())));
    }

    private void backUp(Exchange exchange) {
        Path file = cartridge.file();
        Path target = file.resolveSibling(file.getFileName() + ".backup-" + STAMP.format(clock.instant()));
        // What has the name of a backup is a whole one.
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            try {
                cartridge.backup(part);
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
            exchange.reply(
                    Json.data(201, Json.object().put("file", target.toString()).put("bytes", Files.size(target))));
        } catch (IOException | RuntimeException e) {
            ApiHandler.fail(exchange, e);
        }
    }
}
