package sh.fazt.node.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The Date header, made once a second. Thread-safe: one reference to an immutable value. */
public final class Dates {
    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private final InstantSource clock;
    private volatile Stamp stamp;

    private record Stamp(long second, String text, ByteBuf endOfHead) {}

    public Dates(InstantSource clock) {
        this.clock = clock;
        this.stamp = make(clock.millis() / 1000);
    }

    private static Stamp make(long second) {
        String text = FORMAT.format(Instant.ofEpochSecond(second));
        byte[] line = ("date: " + text + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        // Freed by Java, once nobody writes it any more.
        ByteBuffer direct = ByteBuffer.allocateDirect(line.length).put(line).flip();
        return new Stamp(second, text, Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(direct)));
    }

    private Stamp now() {
        long second = clock.millis() / 1000;
        Stamp current = stamp;
        if (current.second() != second) {
            current = make(second);
            stamp = current;
        }
        return current;
    }

    public String text() {
        return now().text();
    }

    /** The header line and the empty line that ends a head; for one write. */
    public ByteBuf endOfHead() {
        return now().endOfHead().duplicate();
    }
}
