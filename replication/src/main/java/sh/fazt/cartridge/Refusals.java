package sh.fazt.cartridge;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the disk under a cartridge refused lately. A disk that is full for a large write takes small ones: that one
 * commit went through does not mean that it is well. Told by the writer, and by whoever stages a pull; read by anybody.
 */
final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
    /** How long nothing has to be refused until the disk counts as well again. */
    private static final Duration LATELY = Duration.ofMinutes(1);

    private record Refused(String why, Instant at) {}

    private final Path file;
    private final InstantSource wall;
    private volatile @Nullable Refused last;
    private volatile boolean now;

    Refusals(Path file, InstantSource wall) {
        this.file = file;
        this.wall = wall;
    }

    /** The disk refused a commit. */
    void refused(CartridgeException why) {
        if (!now) {
            LOG.error("the cartridge can't be written file={} why={}", file, why.getMessage());
        }
        last = new Refused(String.valueOf(why.getMessage()), wall.instant());
        now = true;
    }

    /** The disk had no room for a pull; commits may go on. */
    void tight(CartridgeException why) {
        last = new Refused(String.valueOf(why.getMessage()), wall.instant());
    }

    /** The disk took a commit that changed something: one that is empty writes nothing, whatever the disk. */
    void committed() {
        if (now) {
            LOG.info("the cartridge can be written again file={}", file);
            now = false;
        }
    }

    /** Whether the last commit that was tried was refused. */
    boolean now() {
        return now;
    }

    /** Why writes are refused, or some were within the last minute; null when all is well. */
    @Nullable
    String lately() {
        Refused refused = last;
        if (refused == null || !now && age(refused).compareTo(LATELY) >= 0) {
            return null;
        }
        return refused.why();
    }

    private Duration age(Refused refused) {
        return Duration.between(refused.at(), wall.instant()).abs();
    }
}
