/**
 * The node: where the rooms meet. {@link sh.fazt.node.Node} is the composition root, read top to bottom as one
 * page; {@link sh.fazt.node.NodeMain} is what the command launches.
 */
@NullMarked
package sh.fazt.node;

import org.jspecify.annotations.NullMarked;
