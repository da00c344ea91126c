/**
 * Peer links: dial, accept, authenticate, multiplex, credit. The rooms above see node ids and bytes only.
 */
@NullMarked
package sh.fazt.link;

import org.jspecify.annotations.NullMarked;
