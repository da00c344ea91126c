/**
 * Sites and functions over HTTP: ready responses on {@code http} threads, everything else on {@code api-N}.
 */
@NullMarked
package sh.fazt.node.site;

import org.jspecify.annotations.NullMarked;
