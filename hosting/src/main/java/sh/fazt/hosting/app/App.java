package sh.fazt.hosting.app;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An app as it stands on this node. Immutable.
 *
 * @param release the active release, or null before the first
 * @param files   how many files that release has
 * @param bytes   how many bytes they have
 */
public record App(String id, String name, @Nullable String release, long files, long bytes, Instant updatedAt) {}
