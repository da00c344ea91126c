package sh.fazt.cartridge;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes copies of cartridges, and puts one in a cartridge's place. To copy it there by hand is not enough: what a crash
 * left in the write-ahead log of the old file would be read into the new one. Stateless; blocking.
 */
public final class Backups {
    private static final String NOT_RUN = "DELETE FROM fazt_meta WHERE key = 'marker'";
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private Backups() {}

    /** A consistent copy, made while writers go on. */
    static void write(Cartridge cartridge, Path target) {
        if (Files.exists(target)) {
            throw refused(target + " exists: a backup never overwrites a file", null);
        }
        cartridge.read(rows -> {
            ((Session) rows).update("COMMIT");
            try {
                return ((Session) rows).update("VACUUM INTO ?", target.toString());
            } finally {
                ((Session) rows).update("BEGIN");
            }
        });
        // A copy is not the file that was last run here: it says so itself.
        try (Session copy = new Session(DriverManager.getConnection("jdbc:sqlite:" + target))) {
            copy.update(NOT_RUN);
        } catch (SQLException e) {
            throw Session.failure("backup to " + target, e);
        }
        try {
            force(target);
        } catch (IOException e) {
            throw refused("can't write the backup " + target + " (" + e + ")", e);
        }
    }

    /**
     * What was done.
     *
     * @param replaced where the cartridge lies now that was there before; null when there was none
     * @param bytes    how large the restored one is
     */
    public record Done(@Nullable Path replaced, long bytes) {}

    /**
     * Restores. Until the last step, which is the renaming of one file, the old cartridge is whole and in its place.
     *
     * @throws CartridgeException {@code IN_USE} while a node runs on the cartridge, {@code DAMAGED} and {@code
     *     NEWER_VERSION} when the backup can't be run, {@code NOT_WRITABLE}
     */
    public static Done restore(Path backup, Path cartridge, List<SchemaPart> rooms, InstantSource wall) {
        Path from = backup.toAbsolutePath().normalize();
        Path to = cartridge.toAbsolutePath().normalize();
        if (!Files.isRegularFile(from)) {
            throw refused("can't restore " + from + ": there is no such file", null);
        }
        FileHeader.check(from);
        Path next = beside(to, ".restoring");
        try {
            Files.createDirectories(folder(to));
            if (Files.exists(to) && Files.isSameFile(from, to)) {
                throw refused("can't restore " + from + ": that is the cartridge itself, not a backup of it", null);
            }
            Ownership ownership = Ownership.take(to);
            try {
                copy(from, next);
                prove(from, next, rooms);
                return new Done(exchange(next, to, wall), Files.size(to));
            } finally {
                remove(next);
                ownership.close();
            }
        } catch (IOException e) {
            throw refused("can't restore " + from + " to " + to + " (" + e + "): the cartridge is as it was", e);
        }
    }

    private static void copy(Path from, Path next) throws IOException {
        remove(next);
        Files.copy(from, next);
        // A file that was copied after a crash has its last commits here.
        Path log = beside(from, "-wal");
        if (Files.exists(log)) {
            Files.copy(log, beside(next, "-wal"));
        }
    }

    /** Opens the copy as a node would, reads every page, and makes it a copy that nobody has run yet. */
    private static void prove(Path from, Path next, List<SchemaPart> rooms) {
        try (SqliteCartridge opened = SqliteCartridge.open(next, CartridgeOptions.standard(), rooms)) {
            List<String> faults = opened.check();
            if (!faults.isEmpty()) {
                throw new CartridgeException(CartridgeException.Reason.DAMAGED, String.join("; ", faults));
            }
            opened.writeLocal(tx -> tx.execute(NOT_RUN)).toCompletableFuture().join();
        } catch (CartridgeException e) {
            throw new CartridgeException(
                    e.reason(), "can't restore " + from + ", and the cartridge is as it was: " + e.getMessage(), e);
        }
    }

    private static @Nullable Path exchange(Path next, Path to, InstantSource wall) throws IOException {
        Path replaced = null;
        if (Files.exists(to)) {
            replaced = beside(to, ".replaced-" + STAMP.format(wall.instant()));
            if (emptyLog(to)) {
                Files.deleteIfExists(beside(to, "-wal"));
            } else {
                Files.move(beside(to, "-wal"), beside(replaced, "-wal"));
            }
            Files.deleteIfExists(beside(to, "-shm"));
            keep(to, replaced);
        }
        force(next);
        Files.move(next, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(folder(to));
        return replaced;
    }

    /** Has SQLite write into the file what its log holds; answers false when the log is still needed. */
    private static boolean emptyLog(Path file) {
        try (Session session = new Session(DriverManager.getConnection("jdbc:sqlite:" + file))) {
            session.query("PRAGMA wal_checkpoint(TRUNCATE)", row -> row.integer(0));
        } catch (SQLException | RuntimeException damaged) {
            // Which may be why it is restored.
        }
        try {
            return !Files.exists(beside(file, "-wal")) || Files.size(beside(file, "-wal")) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static void keep(Path file, Path replaced) throws IOException {
        try {
            Files.createLink(replaced, file);
        } catch (UnsupportedOperationException | IOException noLinksHere) {
            Files.copy(file, replaced);
        }
    }

    private static void force(Path path) throws IOException {
        boolean directory = Files.isDirectory(path);
        try (FileChannel channel =
                FileChannel.open(path, directory ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
            channel.force(true);
        } catch (IOException e) {
            // Not every system can do that for a folder; the file itself has to be on the disk.
            if (!directory) {
                throw e;
            }
        }
    }

    private static void remove(Path next) throws IOException {
        for (String suffix : List.of("", "-wal", "-shm", ".lock", ".marker")) {
            Files.deleteIfExists(beside(next, suffix));
        }
    }

    private static Path beside(Path file, String suffix) {
        return file.resolveSibling(file.getFileName() + suffix);
    }

    private static Path folder(Path file) {
        Path folder = file.getParent();
        return folder == null ? file.resolve("/") : folder;
    }

    private static CartridgeException refused(String message, @Nullable Throwable why) {
        CartridgeException.Reason reason = CartridgeException.Reason.NOT_WRITABLE;
        return why == null ? new CartridgeException(reason, message) : new CartridgeException(reason, message, why);
    }
}
