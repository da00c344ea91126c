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
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process per cartridge: a lock on {@code <cartridge>.lock}, which names its owner; and the run marker
 * in {@code <cartridge>.marker}, which tells whether this file is the one that was last run here. Confined
 * to the cartridge's opening and closing.
 */
final class Ownership implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ownership.class);
    /** The lock lies beyond the text, so that others can read who holds it. */
    private static final long LOCKED = 1L << 30;

    /** Digits of the count, so that it is written over in place. */
    private static final int DIGITS = 19;

    private final Path cartridge;
    private final FileChannel channel;
    private final FileLock lock;
    /** Which file it is that was opened, whatever lies at its path later; null where the system can't tell. */
    private @Nullable Object identity;

    private @Nullable FileChannel counted;
    private long countedAt;

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

    /**
     * What the last run here left beside the cartridge.
     *
     * @param marker  names that run; the cartridge has the same one, unless it is a copy
     * @param written how many transactions the live origin had written when it was last counted
     */
    record LastRun(String marker, long written) {}

    /** Null when there is none. */
    @Nullable
    LastRun lastRun() {
        try {
            List<String> lines = Files.readAllLines(markerFile(), StandardCharsets.UTF_8);
            return new LastRun(lines.get(0), lines.size() < 2 ? 0 : Long.parseLong(lines.get(1)));
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException absent) {
            return null;
        }
    }

    /** The cartridge is open now. */
    void opened() {
        identity = fileKey();
    }

    /** That what lies at the cartridge's path is what was opened: what is written into any other file is lost. */
    void expectInPlace() {
        Object opened = identity;
        if (opened == null) {
            return;
        }
        Object now = fileKey();
        if (now == null) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "the cartridge " + cartridge + " was taken away while its node runs: nothing was written, since it"
                            + " would be lost. Put it back, or stop the node");
        } else if (!opened.equals(now)) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "another file was put in the place of the cartridge " + cartridge + " while its node runs: nothing"
                            + " was written, since it would be lost. Stop the node; \"fazt server restore FILE\" puts"
                            + " a backup in its place");
        }
    }

    private @Nullable Object fileKey() {
        try {
            return Files.readAttributes(cartridge, BasicFileAttributes.class).fileKey();
        } catch (IOException gone) {
            return null;
        }
    }

    /** Begins or ends a run. */
    void mark(String marker, long written) {
        try {
            closeCounted();
            Path next = markerFile().resolveSibling(markerFile().getFileName() + ".new");
            Files.writeString(next, marker + "\n" + digits(written) + "\n", StandardCharsets.UTF_8);
            Files.move(next, markerFile(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            counted = FileChannel.open(markerFile(), StandardOpenOption.WRITE);
            countedAt = marker.length() + 1;
        } catch (IOException e) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE, "can't write " + markerFile() + " (" + e + ")", e);
        }
    }

    /**
     * Notes how many transactions the live origin has written, after each commit and without waiting for the
     * disk: a copy of the file that was made during this run and put back after a crash has fewer.
     */
    void count(long written) {
        FileChannel open = counted;
        if (open != null) {
            try {
                open.write(ByteBuffer.wrap(digits(written).getBytes(StandardCharsets.UTF_8)), countedAt);
            } catch (IOException e) {
                // The commit stands; only a copy of this very run may go unnoticed until a peer tells.
                LOG.warn("can't note the count beside the cartridge file={}", markerFile(), e);
            }
        }
    }

    private static String digits(long written) {
        String text = Long.toString(written);
        return "0".repeat(DIGITS - text.length()) + text;
    }

    private void closeCounted() throws IOException {
        FileChannel open = counted;
        if (open != null) {
            counted = null;
            open.close();
        }
    }

    private Path markerFile() {
        return cartridge.resolveSibling(cartridge.getFileName() + ".marker");
    }

    @Override
    public void close() {
        try {
            closeCounted();
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
