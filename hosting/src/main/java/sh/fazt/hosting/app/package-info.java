/**
 * Apps: what is hosted, by whatever name. Called by node and the other rooms of hosting; blocking.
 */
@NullMarked
package sh.fazt.hosting.app;

import org.jspecify.annotations.NullMarked;
