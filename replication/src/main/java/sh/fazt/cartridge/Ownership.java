package sh.fazt.cartridge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * One process per cartridge: a lock on {@code <cartridge>.lock}, which names its owner; and the run marker
 * in {@code <cartridge>.marker}, which tells whether this file is the one that was last run here. Confined
 * to the cartridge's opening and closing.
 */
final class Ownership implements AutoCloseable {
    /** The lock lies beyond the text, so that others can read who holds it. */
    private static final long LOCKED = 1L << 30;

    private final Path cartridge;
    private final FileChannel channel;
    private final FileLock lock;

    private Ownership(Path cartridge, FileChannel channel, FileLock lock) {
        this.cartridge = cartridge;
        this.channel = channel;
        this.lock = lock;
    }

    /** Takes the lock, or says who has it. */
    static Ownership take(Path cartridge) {
        Path file = cartridge.resolveSibling(cartridge.getFileName() + ".lock");
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = null;
            try {
                lock = channel.tryLock(LOCKED, 1, false);
            } catch (OverlappingFileLockException e) {
                // This process has it open already: said below.
            }
            if (lock == null) {
                String owner = Files.readString(file, StandardCharsets.UTF_8).strip();
                channel.close();
                throw new CartridgeException(
                        CartridgeException.Reason.IN_USE,
                        "the cartridge " + cartridge + " is in use by " + (owner.isEmpty() ? "another process" : owner)
                                + ": stop that one, or name another cartridge with --db");
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(
                            ("process " + ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8)),
                    0);
            return new Ownership(cartridge, channel, lock);
        } catch (IOException e) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "can't lock the cartridge " + cartridge + " (" + e + "): check its folder and who may write there",
                    e);
        }
    }

    /** The marker of the last run here; null when there is none. */
    @Nullable
    String marker() {
        try {
            return Files.readString(markerFile(), StandardCharsets.UTF_8).strip();
        } catch (IOException absent) {
            return null;
        }
    }

    void mark(String marker) {
        try {
            Path next = markerFile().resolveSibling(markerFile().getFileName() + ".new");
            Files.writeString(next, marker + "\n", StandardCharsets.UTF_8);
            Files.move(next, markerFile(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE, "can't write " + markerFile() + " (" + e + ")", e);
        }
    }

    private Path markerFile() {
        return cartridge.resolveSibling(cartridge.getFileName() + ".marker");
    }

    @Override
    public void close() {
        try {
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
