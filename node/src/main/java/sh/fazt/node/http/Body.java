package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A request's body as it arrives: small ones in memory, larger ones in a temporary file. Confined to its connection. */
final class Body {
    private static final int IN_MEMORY = 1 << 20;

    private byte[] memory = new byte[0];
    private @Nullable Path file;
    private @Nullable OutputStream out;
    private long length;

    void add(ByteBuf part) throws IOException {
        int more = part.readableBytes();
        if (more == 0) {
            return;
        }
        if (file == null && length + more > IN_MEMORY) {
            file = Files.createTempFile("fazt-body-", ".tmp");
            out = Files.newOutputStream(file);
            out.write(memory, 0, (int) length);
            memory = new byte[0];
        }
        if (out != null) {
            part.readBytes(out, more);
        } else {
            if (memory.length < length + more) {
                memory = Arrays.copyOf(memory, (int) Math.max(length + more, Math.min(IN_MEMORY, length * 2)));
            }
            part.readBytes(memory, (int) length, more);
        }
        length += more;
    }

    void end() throws IOException {
        if (out != null) {
            out.close();
            out = null;
        }
    }

    long length() {
        return length;
    }

    InputStream open() throws IOException {
        return file == null ? new ByteArrayInputStream(memory, 0, (int) length) : Files.newInputStream(file);
    }

    byte[] bytes() throws IOException {
        return file == null ? Arrays.copyOf(memory, (int) length) : Files.readAllBytes(file);
    }

    void discard() {
        try {
            end();
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // A temporary file: the system clears it.
        }
    }
}
