/**
 * What lies around a node: other nodes on the local network, found by multicast DNS, and the router before it, asked
 * to let others in. All of it is hearsay: an address from here is tried, and the key decides. Called by swarm; may
 * block on {@code io} threads only.
 */
@NullMarked
package sh.fazt.discovery;

import org.jspecify.annotations.NullMarked;
