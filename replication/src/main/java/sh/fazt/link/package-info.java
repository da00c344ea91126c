/**
 * Peer links: dial, accept, authenticate, multiplex, credit; and the connection on which a node joins. Called
 * by membership, sync, consensus and swarm, who see node ids, channels and bytes only; {@code node} makes
 * {@link sh.fazt.link.GrpcLinks}. Links are decided on one of the two network threads, {@code link-N}; handlers
 * run on the executor that the maker gives.
 */
@NullMarked
package sh.fazt.link;

import org.jspecify.annotations.NullMarked;
