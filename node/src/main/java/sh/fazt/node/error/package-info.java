/**
 * The one mapper from reasons to HTTP status and public code. Pure.
 */
@NullMarked
package sh.fazt.node.error;

import org.jspecify.annotations.NullMarked;
