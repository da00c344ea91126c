/**
 * Rows, changesets, version vectors, the hybrid logical clock and the merge. Pure: no clock, thread or I/O of
 * its own.
 */
@NullMarked
package sh.fazt.cartridge.change;

import org.jspecify.annotations.NullMarked;
