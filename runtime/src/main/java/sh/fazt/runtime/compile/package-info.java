/**
 * Turns modern JavaScript into what the engine runs, once per content, and keeps the way back to the original lines.
 * Called on {@code js-N} threads and on the callers of {@code check}; one compilation at a time.
 */
@NullMarked
package sh.fazt.runtime.compile;

import org.jspecify.annotations.NullMarked;
