/**
 * Node key, NodeId, join tokens, pinned trust. Called by link, consensus, swarm and node; values are immutable.
 */
@NullMarked
package sh.fazt.identity;

import org.jspecify.annotations.NullMarked;
