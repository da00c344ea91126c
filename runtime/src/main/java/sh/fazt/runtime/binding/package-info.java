/**
 * The ports through which scripts reach the rest of the node. Declared here, implemented by {@code node}; called on
 * {@code js-N} threads.
 */
@NullMarked
package sh.fazt.runtime.binding;

import org.jspecify.annotations.NullMarked;
