/**
 * What a release serves for a path: files, entity tags, ranges. Pure but for reading the file list once.
 */
@NullMarked
package sh.fazt.hosting.site;

import org.jspecify.annotations.NullMarked;
