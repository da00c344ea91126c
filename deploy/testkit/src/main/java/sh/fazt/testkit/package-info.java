/** What tests of every module share. Imports nothing of ours. */
@NullMarked
package sh.fazt.testkit;

import org.jspecify.annotations.NullMarked;
