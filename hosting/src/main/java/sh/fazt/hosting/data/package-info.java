/**
 * Per-app key-value data. Called on {@code api} and {@code js} threads; blocking.
 */
@NullMarked
package sh.fazt.hosting.data;

import org.jspecify.annotations.NullMarked;
