/**
 * Per-app documents: JSON objects in collections, found by what they say. Called on {@code js} threads; blocking.
 */
@NullMarked
package sh.fazt.hosting.document;

import org.jspecify.annotations.NullMarked;
