/** What the rooms of hosting have in common: how they fail. */
@NullMarked
package sh.fazt.hosting;

import org.jspecify.annotations.NullMarked;
