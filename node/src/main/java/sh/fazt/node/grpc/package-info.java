/**
 * What the swarm port serves beside the links: {@code AdminService}, health and reflection, behind the run file's
 * token. Mounted by {@code Node}; called on the links' blocking threads.
 */
@NullMarked
package sh.fazt.node.grpc;

import org.jspecify.annotations.NullMarked;
