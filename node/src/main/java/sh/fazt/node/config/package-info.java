/**
 * The node's settings: effective value, and where it comes from. Thread-safe.
 */
@NullMarked
package sh.fazt.node.config;

import org.jspecify.annotations.NullMarked;
