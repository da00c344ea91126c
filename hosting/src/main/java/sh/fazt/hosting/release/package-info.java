/**
 * From a folder's manifest to an immutable release, checked and activated in one transaction. Called by node
 * on {@code api} threads; blocking.
 */
@NullMarked
package sh.fazt.hosting.release;

import org.jspecify.annotations.NullMarked;
