/**
 * The swarm as the node sees it: init, join, leave, recover, status, names. Puts links, membership, sync and consensus
 * together and owns the {@code swarm} thread. Called by {@code node}; what blocks says so.
 */
@NullMarked
package sh.fazt.swarm;

import org.jspecify.annotations.NullMarked;
