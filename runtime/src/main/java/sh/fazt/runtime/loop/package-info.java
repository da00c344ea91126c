/**
 * Timers of one invocation. Used on its {@code js-N} thread only.
 */
@NullMarked
package sh.fazt.runtime.loop;

import org.jspecify.annotations.NullMarked;
