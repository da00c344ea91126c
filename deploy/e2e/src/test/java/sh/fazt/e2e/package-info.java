/** The packaged executable as processes: what a stranger would see. Called by the build. */
@NullMarked
package sh.fazt.e2e;

import org.jspecify.annotations.NullMarked;
