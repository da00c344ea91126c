/**
 * What a release serves for a path: files, entity tags, ranges, encodings. Pure: called on any thread, {@code http}
 * included.
 */
@NullMarked
package sh.fazt.hosting.site;

import org.jspecify.annotations.NullMarked;
