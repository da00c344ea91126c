/**
 * From a host's label to the release that answers for it: one immutable snapshot. Read from any thread,
 * {@code http} included; rebuilt on its own thread after commits that matter.
 */
@NullMarked
package sh.fazt.hosting.route;

import org.jspecify.annotations.NullMarked;
