package sh.fazt.cartridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.ReplicaStore;

/**
 * A folder beside the cartridge for what is read and not sent yet, or came and is not applied yet. What a process that
 * was killed left there goes when the next one opens the cartridge. Thread-safe.
 */
final class SpoolFolder implements AutoCloseable {
    /** Below this no file is made: a phone holds several of these at a time. */
    static final int IN_MEMORY = 1 << 20;
    /** Of all files together: more rows than any cartridge has. */
    private static final long MOST = 16L << 30;
    /** What spools leave of the disk for the cartridge. */
    private static final long RESERVE = 64L << 20;

    private final Path folder;
    private final Consumer<CartridgeException> refused;
    private final AtomicLong taken = new AtomicLong();

    /** @param refused is told when the disk has no room */
    SpoolFolder(Path cartridge, Consumer<CartridgeException> refused) {
        this.folder = cartridge.resolveSibling(cartridge.getFileName() + ".spool");
        this.refused = refused;
        try {
            clean();
        } catch (IOException e) {
            throw new CartridgeException(
                    CartridgeException.Reason.NOT_WRITABLE,
                    "can't empty " + folder + " (" + e + "): check who may write there, or remove it",
                    e);
        }
    }

    private void clean() throws IOException {
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.spool")) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /** Room for so many bytes, or more where that is not known before. */
    ReplicaStore.Scratch open(long bytes) {
        if (bytes > IN_MEMORY) {
            try {
                Files.createDirectories(folder);
                check(bytes);
            } catch (IOException e) {
                throw full(e.toString());
            }
        }
        return new Scratch();
    }

    private void check(long more) throws IOException {
        if (taken.get() + more > MOST) {
            throw new IOException("pulls take " + (taken.get() >> 20) + " MiB already, of at most " + (MOST >> 20));
        }
        FileStore disk = Files.getFileStore(folder);
        long left = disk.getUsableSpace();
        // A small disk would never have room else.
        long reserve = Math.min(RESERVE, disk.getTotalSpace() / 16);
        if (left - reserve < more) {
            throw new IOException("there are " + (left >> 20) + " MiB left on the disk, of which " + (reserve >> 20)
                    + " are kept for the cartridge, and " + (more + (1 << 20) - 1 >> 20) + " are needed");
        }
    }

    private CartridgeException full(String why) {
        CartridgeException full = new CartridgeException(
                CartridgeException.Reason.NOT_WRITABLE,
                "can't stage a pull in " + folder + ": " + why
                        + "; it is tried again: make room on the disk, or let the folder be written");
        refused.accept(full);
        return full;
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(folder);
        } catch (IOException left) {
            // Something is being read from it: the next start empties it.
        }
    }

    private final class Scratch implements ReplicaStore.Scratch {
        private byte[] memory = new byte[0];
        private @Nullable FileChannel file;
        private long size;
        private boolean closed;

        @Override
        public synchronized void write(long at, byte[] bytes) {
            long end = Math.max(size, at + bytes.length);
            try {
                if (closed) {
                    throw new IOException("it was closed");
                }
                if (file == null && end > IN_MEMORY) {
                    file = create();
                    check(end);
                    put(file, 0, ByteBuffer.wrap(memory, 0, (int) size));
                    taken.addAndGet(size);
                    memory = new byte[0];
                }
                if (file == null) {
                    if (memory.length < end) {
                        memory = Arrays.copyOf(memory, (int) Math.max(end, Math.min(IN_MEMORY, 2L * memory.length)));
                    }
                    System.arraycopy(bytes, 0, memory, (int) at, bytes.length);
                } else {
                    check(end - size);
                    put(file, at, ByteBuffer.wrap(bytes));
                    taken.addAndGet(end - size);
                }
            } catch (IOException e) {
                throw full(e.toString());
            }
            size = end;
        }

        private FileChannel create() throws IOException {
            Files.createDirectories(folder);
            return FileChannel.open(
                    Files.createTempFile(folder, "pull-", ".spool"),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
        }

        private static void put(FileChannel file, long at, ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                file.write(bytes, at + bytes.position());
            }
        }

        @Override
        public synchronized byte[] read(long at, int length) {
            if (closed) {
                throw new IllegalStateException("what was staged is gone");
            }
            if (file == null) {
                return Arrays.copyOfRange(memory, (int) at, (int) at + length);
            }
            ByteBuffer read = ByteBuffer.allocate(length);
            try {
                while (read.hasRemaining()) {
                    if (file.read(read, at + read.position()) < 0) {
                        throw new IOException("it ends before octet " + (at + length));
                    }
                }
            } catch (IOException e) {
                throw new CartridgeException(
                        CartridgeException.Reason.NOT_WRITABLE,
                        "can't read what was staged in " + folder + ": " + e,
                        e);
            }
            return read.array();
        }

        @Override
        public synchronized void close() {
            closed = true;
            memory = new byte[0];
            FileChannel open = file;
            if (open != null) {
                file = null;
                taken.addAndGet(-size);
                try {
                    open.close();
                } catch (IOException gone) {
                    // Its bytes are wanted no more.
                }
            }
        }
    }
}
