package sh.fazt.cartridge;

import java.time.Clock;
import java.time.InstantSource;
import java.util.concurrent.ThreadFactory;

/**
 * How a cartridge is opened. Immutable.
 *
 * @param wall      wall clock of the stamps
 * @param threads   makes the one {@code writer} thread
 * @param readers   read-only connections; each costs its page cache
 * @param queue     writes that may wait; one more is answered with {@code OVERLOADED}
 * @param group     most transactions in one commit
 * @param mmapBytes how much of the file may be mapped into memory; 0 on small devices
 */
public record CartridgeOptions(
        InstantSource wall, ThreadFactory threads, int readers, int queue, int group, long mmapBytes) {
    public CartridgeOptions {
        if (readers < 1 || queue < 1 || group < 1 || mmapBytes < 0) {
            throw new IllegalArgumentException("readers, queue and group are 1 or more, mmapBytes 0 or more; not "
                    + readers + ", " + queue + ", " + group + ", " + mmapBytes);
        }
    }

    /** For a server: system clock, 4 readers, 4096 waiting writes, groups of 512, 256 MiB mapped. */
    public static CartridgeOptions standard() {
        return new CartridgeOptions(
                Clock.systemUTC(),
                body -> {
                    Thread thread = new Thread(body, "fazt-writer");
                    thread.setDaemon(true);
                    return thread;
                },
                4,
                4096,
                512,
                256L << 20);
    }

    /** The same with another clock. */
    public CartridgeOptions withWall(InstantSource other) {
        return new CartridgeOptions(other, threads, readers, queue, group, mmapBytes);
    }

    /** The same with another bound of waiting writes. */
    public CartridgeOptions withQueue(int other) {
        return new CartridgeOptions(wall, threads, readers, other, group, mmapBytes);
    }
}
