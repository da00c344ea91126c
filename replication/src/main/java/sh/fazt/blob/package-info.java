/**
 * Content-addressed blobs in the cartridge: put, read, ranges, and what sync needs to fetch them chunk by
 * chunk. Called by hosting, sync and node; blocking, so never on {@code http}, {@code swarm} or {@code writer}.
 */
@NullMarked
package sh.fazt.blob;

import org.jspecify.annotations.NullMarked;
