/**
 * Keeps replicas in step: pushes commits, compares vectors, pulls what is missing, fetches blobs. {@link
 * sh.fazt.sync.SyncCore} decides and is pure; {@link sh.fazt.sync.SyncService} carries out on the {@code
 * swarm} thread. Called by the swarm's facade.
 */
@NullMarked
package sh.fazt.sync;

import org.jspecify.annotations.NullMarked;
