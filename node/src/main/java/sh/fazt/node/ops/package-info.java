/**
 * How the node is: health for the owner, metrics for programs. Read on {@code api} threads; cheap.
 */
@NullMarked
package sh.fazt.node.ops;

import org.jspecify.annotations.NullMarked;
