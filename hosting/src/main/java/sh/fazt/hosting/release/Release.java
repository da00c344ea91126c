package sh.fazt.hosting.release;

import java.time.Instant;

/** An immutable release of an app: who made it, when, and how large it is. */
public record Release(String id, String node, Instant createdAt, long files, long bytes, boolean active) {}
