package sh.fazt.cartridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The first 100 bytes of an SQLite file, read before anything is opened: to open a file is to change it (its
 * journal mode, a lock beside it), and what is no cartridge shall stay as it was. The format is part of SQLite's
 * documentation, "Database File Format", section 1.3.
 */
final class FileHeader {
    private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
    private static final int LENGTH = 100;
    private static final int PAGE_SIZE = 16;
    private static final int APPLICATION_ID = 68;

    private FileHeader() {}

    /** Returns for a cartridge, for an empty file and for none; what can't be told yet, SQLite has to find. */
    static void check(Path file) {
        if (Files.isDirectory(file)) {
            throw refused(file + " is a folder, not a cartridge: name a file with --db");
        }
        ByteBuffer header = ByteBuffer.allocate(LENGTH);
        long size;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            size = channel.size();
            while (header.hasRemaining() && channel.read(header) >= 0) {
                // Until it is full or the file ends.
            }
        } catch (NoSuchFileException none) {
            return;
        } catch (IOException e) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "can't read the cartridge " + file + " (" + e + "): check who may read and write it",
                    e);
        }
        if (size == 0) {
            return;
        }
        if (header.position() < LENGTH || header.slice(0, MAGIC.length).compareTo(ByteBuffer.wrap(MAGIC)) != 0) {
            throw refused(file + " is no cartridge: it does not begin as an SQLite file does. It was not touched;"
                    + " name another file with --db, or restore a backup if this was one");
        }
        int id = header.getInt(APPLICATION_ID);
        int page = header.getShort(PAGE_SIZE) & 0xffff;
        // A cartridge that was cut off in its first seconds is one page, or has all it says of itself in its log.
        boolean young = id == 0 && (size <= page || Files.exists(file.resolveSibling(file.getFileName() + "-wal")));
        if (id != Schema.APPLICATION_ID && !young) {
            throw refused(
                    file + " is a database of another program, not a cartridge. It was not touched; name another file"
                            + " with --db");
        }
    }

    private static CartridgeException refused(String message) {
        return new CartridgeException(CartridgeException.Reason.DAMAGED, message);
    }
}
